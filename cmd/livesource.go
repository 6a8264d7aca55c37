package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/reader/live"
)

// liveSource is what a live view shows: it runs until there will be no more, or ctx is
// done. Open takes what only the rights of the start allow; waits reports whether it can
// wait for those who look.
type liveSource interface {
	name() string
	waits() bool
	open(ctx context.Context) error
	run(ctx context.Context, to *live.History) error
}

// follow runs a source and tells how it ended.
func follow(ctx context.Context, s liveSource, to *live.History) error {
	err := s.run(ctx, to)
	status := live.Status{State: live.Ended, Since: time.Now().UnixNano()}
	if err != nil {
		status.Text = reason(err)
	}
	to.Tell(status)
	return err
}

// reason returns what is told of an error, without the exit status that it asks for.
func reason(err error) string {
	var exit *exitError
	if errors.As(err, &exit) && exit.err != nil {
		err = exit.err
	}
	return err.Error()
}

// sources returns what the options and arguments name: an own meter, meters over SNMP,
// files of flow data, traces. Behind them there may be a filter of packets, see
// filterOptions.
func (o *liveOptions) sources(cmd *cobra.Command, args []string) (all []liveSource, err error) {
	stderr := io.Discard // what is no filter may be a host
	if o.capture.isLive() {
		stderr = cmd.ErrOrStderr()
	}
	if args, err = o.packets.take(args, o.capture.isLive(), stderr); err != nil {
		return nil, err
	}
	if err := o.check(cmd, args); err != nil {
		return nil, err
	}
	if o.capture.isLive() {
		return []liveSource{&liveMeter{options: o, cmd: cmd}}, nil
	}
	for _, arg := range args {
		source, err := o.source(cmd, arg)
		if err != nil {
			return nil, err
		}
		if _, meters := source.(*liveMeter); !meters && o.packets.program != nil {
			return nil, fmt.Errorf("%s: the packets of %s are metered already; --filter shows only some of its flows", o.packets.text, arg)
		}
		if _, meters := source.(*liveMeter); !meters && o.capture.anonymise.r != nil {
			return nil, fmt.Errorf("%s: --anonymise is for packets, of interfaces and traces; its flows have their addresses already", arg)
		}
		all = append(all, source)
	}
	return all, nil
}

// check finds options that do not fit what is to be shown.
func (o *liveOptions) check(cmd *cobra.Command, args []string) error {
	if o.capture.isLive() && len(args) > 0 {
		return errors.New("either interfaces (-i) or meters and files, not both")
	}
	if !o.capture.isLive() && len(args) == 0 {
		return fmt.Errorf("nothing to show: give an interface (-i), a meter's HOST, a flow data file or a trace; %q tells more", cmd.CommandPath()+" --help")
	}
	if err := o.traces.check(o.capture.isRecords() || slices.ContainsFunc(args, isRecords)); err != nil {
		return err
	}
	return o.capture.check(cmd, nil)
}

// isRecords reports whether an argument names a trace of flow records.
func isRecords(arg string) bool { return strings.HasPrefix(arg, netflowPrefix) }

// source returns what one argument names: of files their content says what they are.
func (o *liveOptions) source(cmd *cobra.Command, arg string) (liveSource, error) {
	trace := &liveMeter{options: o, cmd: cmd, trace: arg}
	if arg == "-" || isRecords(arg) {
		return trace, nil
	}
	info, err := os.Stat(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(arg, "/*"):
		if _, err := net.InterfaceByName(arg); err == nil {
			return nil, fmt.Errorf("%s: it is an interface; did you mean -i %s?", arg, arg)
		}
		config, err := o.snmp.config([]string{arg}, cmd.ErrOrStderr())
		if err != nil {
			return nil, fmt.Errorf("%s: no such file, and as HOST of a meter: %w", arg, err)
		}
		return &liveHost{options: o, config: config, host: arg}, nil
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: it is a directory", arg)
	case !info.Mode().IsRegular():
		return trace, nil // a pipe, of which nothing must be read here
	case isCSV(arg):
		return nil, fmt.Errorf("%s: CSV tells neither what was lost nor where a collection ends; flow data with --json does, and --nemac", arg)
	case info.Size() == 0 || isFlowData(os.Open(arg)):
		return &liveFile{options: o, path: arg}, nil
	case isFlowData(openFlows(arg, nil)):
		return &liveFile{options: o, path: arg, packed: true}, nil
	}
	return trace, nil
}

// meterConfig returns the meter that the options ask for.
func (o *liveOptions) meterConfig() meter.Config {
	return meter.Config{
		Filter: o.packets.program, Tunnels: o.capture.tunnels.kinds, TunnelDepth: o.capture.tunnels.depth,
		MaxFlows: o.maxFlows, IPOctets: o.octets == "ip", Streams: o.streams.config(), Interval: seconds(o.interval),
		Align: utcPlace, InactivityTimeout: seconds(math.Max(10*o.interval, meter.DefaultInactivityTimeout.Seconds())),
	}
}
