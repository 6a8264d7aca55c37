package cmd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/live"
	"rtfm/reader/page"
)

const viewHelp = `Show what a meter counts as a page in the browser: rates over time, flows by
duration and rate, distributions, and the same as tables.

With -i it meters interfaces itself, every second, without any configuration. A HOST
is a meter that is read over SNMP, and only read; a FILE is flow data, which may
grow; a TRACE is metered, with --pace as it came. Several are shown side by side.

The page is served to this machine alone unless --listen says otherwise, and to
whoever knows the token in the address that is printed. Another address than one of
this machine needs TLS, or --insecure. The page comes from this program alone and
asks nobody else for anything. It changes nothing in any meter.

It keeps the latest hour, at most 64 MiB; of each interval the 500 flows of each
ruleset that counted most, and the sum of the others. 16 may view at a time.`

// viewOptions are the options of `rtfm view`.
type viewOptions struct {
	live     liveOptions
	listen   string
	cert     string
	key      string
	insecure bool
	hosts    []string
}

func viewCommand() *cobra.Command {
	var o viewOptions
	cmd := &cobra.Command{
		Use:   "view [-r RULES]... [-T SECONDS] {-i INTERFACE | HOST... | FILE... | TRACE}",
		Short: "Show flows in the browser",
		Long:  viewHelp,
		Example: `  rtfm view -i eth0
  rtfm view --pace trace.pcap
  rtfm view gateway.flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.live.add(cmd)
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8469", "serve the page at this `ADDRESS`; of port 0 any is taken")
	f.StringVar(&o.cert, "tls-cert", "", "`FILE` of the certificate, for TLS")
	f.StringVar(&o.key, "tls-key", "", "`FILE` of its key")
	f.BoolVar(&o.insecure, "insecure", false, "serve others than this machine without TLS: who listens on the way sees all")
	f.StringArrayVar(&o.hosts, "name", nil, "`NAME` of this machine that browsers may ask for; may be repeated")
	group(f, groupInput, "listen")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return cmd
}

// check finds options that do not fit each other.
func (o *viewOptions) check() error {
	host, _, err := net.SplitHostPort(o.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: want ADDRESS:PORT", o.listen)
	}
	ip := net.ParseIP(host)
	if local := host == "localhost" || ip != nil && ip.IsLoopback(); !local && o.cert == "" && !o.insecure {
		return fmt.Errorf("--listen %s: others than this machine could reach it: give --tls-cert and --tls-key, or --insecure if the way is safe", o.listen)
	}
	return nil
}

func (o *viewOptions) run(cmd *cobra.Command, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	sources, err := o.live.sources(cmd, args)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	c := page.Config{Token: page.NewToken(), Hosts: o.hosts, Secure: o.cert != ""}
	for _, s := range sources {
		c.Sources = append(c.Sources, page.Source{Name: s.name(), History: live.NewHistory()})
	}
	for _, s := range sources {
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	if err := o.live.capture.giveUpRights("", nil); err != nil {
		return err
	}
	for i, s := range sources {
		go follow(ctx, s, c.Sources[i].History)
	}
	scheme := "http"
	if c.Secure {
		scheme = "https"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s://%s/#token=%s\n", scheme, listener.Addr(), c.Token)
	return o.serve(ctx, listener, page.New(c))
}

// serve serves the page until ctx is done.
func (o *viewOptions) serve(ctx context.Context, listener net.Listener, p http.Handler) error {
	s := &http.Server{
		Handler: p, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() {
		if o.cert != "" {
			failed <- s.ServeTLS(listener, o.cert, o.key)
		} else {
			failed <- s.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Shutdown(end); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}
