package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/reader/flowfile"
	"rtfm/reader/live"
)

// liveSource is what a live view shows: it runs until there will be no more, or ctx is
// done. Open takes what only the rights of the start allow.
type liveSource interface {
	name() string
	open(ctx context.Context) error
	run(ctx context.Context, to *live.History) error
}

// sources returns what the options and arguments name: an own meter, meters over SNMP,
// files of flow data, traces.
func (o *liveOptions) sources(cmd *cobra.Command, args []string) (all []liveSource, err error) {
	if o.capture.isLive() && len(args) > 0 {
		return nil, errors.New("either interfaces (-i) or meters and files, not both")
	}
	if o.capture.isLive() {
		return []liveSource{&liveMeter{options: o, cmd: cmd}}, nil
	}
	if len(args) == 0 {
		return nil, fmt.Errorf("nothing to show: give an interface (-i), a meter's HOST, a flow data file or a trace; %q tells more", cmd.CommandPath()+" --help")
	}
	for _, arg := range args {
		source, err := o.source(cmd, arg)
		if err != nil {
			return nil, err
		}
		all = append(all, source)
	}
	return all, nil
}

// source returns what one argument names: of files their content says what they are.
func (o *liveOptions) source(cmd *cobra.Command, arg string) (liveSource, error) {
	f, err := os.Open(arg)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(arg, "/*"):
		config, err := o.snmp.config([]string{arg}, cmd.ErrOrStderr())
		return &liveHost{options: o, config: config, host: arg}, err
	case err != nil:
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: it is a directory", arg)
	}
	begin := make([]byte, flowfile.Begins)
	n, _ := io.ReadFull(f, begin)
	if n > 0 && flowfile.IsOurs(begin[:n]) {
		return &liveFile{options: o, path: arg}, nil
	}
	return &liveMeter{options: o, cmd: cmd, trace: arg}, nil
}

// meterConfig returns the meter that the options ask for.
func (o *liveOptions) meterConfig() meter.Config {
	return meter.Config{
		MaxFlows: o.maxFlows, IPOctets: o.octets == "ip", Streams: o.streams.config(), Interval: seconds(o.interval),
		Align: utcPlace, InactivityTimeout: seconds(math.Max(10*o.interval, meter.DefaultInactivityTimeout.Seconds())),
	}
}
