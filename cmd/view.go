package cmd

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"syscall"

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
whoever knows the token in the address that is printed. An address that others can
reach needs TLS, or --insecure. The page comes from this program alone and asks
nobody else for anything. It changes nothing in any meter. Ctrl-C ends it.

With --packets each flow offers its packets to be kept as pcapng, up to 64 MiB.

It keeps the latest hour, at most 64 MiB; of each interval the 500 flows of each
ruleset that counted most, and the sum of the others. 16 may view at a time.`

// viewOptions are the options of `rtfm view`.
type viewOptions struct {
	live     liveOptions
	packets  packetOptions
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
	o.packets.add(f, "offer packets of flows, out")
	group(f, groupInput, "listen", "packets")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return cmd
}

func (o *viewOptions) run(cmd *cobra.Command, args []string) error {
	to, err := o.address()
	if err != nil {
		return err
	}
	c, err := o.config()
	if err != nil {
		return err
	}
	if err := o.packets.check(); err != nil {
		return err
	}
	sources, err := o.live.sources(cmd, args)
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", to)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("--listen %s: the port is taken, perhaps by another rtfm view; --listen %s takes a free one", o.listen, net.JoinHostPort(to.IP.String(), "0"))
	} else if err != nil {
		return fmt.Errorf("--listen %s: %w", o.listen, err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	for _, s := range sources {
		c.Sources = append(c.Sources, page.Source{Name: s.name(), History: live.NewPackedHistory()})
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
	c.Packets = o.packets.of(o.live.capture.tunnels)
	p := page.New(c)
	fmt.Fprintln(cmd.OutOrStdout(), o.url(listener.Addr().(*net.TCPAddr))+"#token="+c.Token)
	err = p.Serve(ctx, listener, log.New(faults{cmd.ErrOrStderr()}, "rtfm: ", 0))
	if n := p.Cut(); n > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "rtfm: %d viewers were too slow and were cut\n", n)
	}
	return err
}
