package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/export"
	numbers "rtfm/reader/metrics"
)

// metricsOptions say where numbers are served for Prometheus.
type metricsOptions struct {
	address  string
	ruleSet  string
	limit    int
	listener net.Listener
	started  time.Time
	exports  *export.Exports // nil if collections go nowhere else
}

// add adds the options to a command whose collections have flows.
func (o *metricsOptions) add(cmd *cobra.Command) {
	o.addAddress(cmd)
	f := cmd.Flags()
	f.StringVar(&o.ruleSet, "metrics-ruleset", "", "with --metrics, tell too what each collection's flows of the ruleset of this `NAME` or number count,\nby the values that they save")
	f.Var(newCount(&o.limit, 1000, 1, 1_000_000, "a number of combinations"), "metrics-limit", "tell of so many `COMBINATIONS` of values at most; the rest is told as others")
	group(f, groupExport)
}

// addAddress adds --metrics to a command.
func (o *metricsOptions) addAddress(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.address, "metrics", "", "serve numbers for Prometheus at this `ADDRESS`; as http://ADDRESS/metrics: packets, losses, collections and so on.\nHOST:PORT, or a PORT of 127.0.0.1")
	group(f, groupExport)
}

// on reports whether numbers are served.
func (o *metricsOptions) on() bool { return o.address != "" }

// check finds options that do not fit each other.
func (o *metricsOptions) check(cmd *cobra.Command) error {
	for _, name := range []string{"metrics-ruleset", "metrics-limit"} {
		if !o.on() && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s needs --metrics", name)
		}
	}
	if o.ruleSet == "" && cmd.Flags().Changed("metrics-limit") {
		return errors.New("--metrics-limit needs --metrics-ruleset")
	}
	return nil
}

// listen begins to listen, and tells if others than this machine can reach it.
func (o *metricsOptions) listen(note func(string)) (err error) {
	if !o.on() {
		return nil
	}
	o.started = time.Now()
	address := o.address
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return fmt.Errorf("--metrics %s: %w; want HOST:PORT or PORT", o.address, err)
	}
	o.listener, err = net.ListenTCP("tcp", to)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("--metrics %s: the port is taken, perhaps by another rtfm", o.address)
	} else if err != nil {
		return fmt.Errorf("--metrics %s: %w", o.address, err)
	}
	if !to.IP.IsLoopback() {
		note(fmt.Sprintf("note: --metrics %s: whoever reaches this address can read the numbers, and the way is not secret; a proxy in front can ask for a password, with TLS", o.address))
	}
	if to.Port == 0 {
		note(fmt.Sprintf("metrics are at http://%s/metrics", o.listener.Addr()))
	}
	return nil
}

// serve answers with what gather puts together, until the function that it returns is
// called.
func (o *metricsOptions) serve(failed func(error), gather func(context.Context, *numbers.Set)) (stop func()) {
	if o.listener == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	page := numbers.NewPage(func(ctx context.Context, s *numbers.Set) {
		o.process(s)
		gather(ctx, s)
		if o.exports != nil {
			measure(o.exports, s)
		}
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := page.Serve(ctx, o.listener); err != nil {
			failed(fmt.Errorf("--metrics %s: %w", o.address, err))
		}
	}()
	return func() { cancel(); <-ended }
}

// process adds what is told of the program.
func (o *metricsOptions) process(s *numbers.Set) {
	s.Gauge("rtfm_build_info", "The program; the value is 1.", 1, numbers.Label{Name: "version", Value: version()}, numbers.Label{Name: "goversion", Value: runtime.Version()})
	s.Gauge("process_start_time_seconds", "When the program was started: counters begin anew then.", math.Round(float64(o.started.UnixMilli()))/1e3)
	m := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(m)
	s.Gauge("rtfm_memory_bytes", "Memory that the program has from the operating system.", float64(m[0].Value.Uint64()))
}

// collected returns sums of a meter's collections.
func (o *metricsOptions) collected(meter string) *numbers.Collected {
	return numbers.NewCollected(meter, o.ruleSet, o.limit)
}

// notes returns what writes lines to w.
func notes(w io.Writer) func(string) {
	return func(message string) { fmt.Fprintf(w, "rtfm: %s\n", message) }
}
