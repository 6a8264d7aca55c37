package cmd

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/traces"
	"rtfm/traces/live"
	"rtfm/traces/netflow"
)

// captureOptions are the options of capturing at interfaces, and of what is done to
// packets there and of traces.
type captureOptions struct {
	interfaces []string
	ringSize   int // MiB
	rings      int
	snapLen    int
	notPromisc bool
	cardStamps bool
	idle       time.Duration // after which whoever meters is told that there are no packets, 0 if that does not matter
	dedup      dedupOptions
	anonymise  anonymiseOptions
	tunnels    tunnelOptions
	sample     *sampleOptions // nil for all packets
}

// add adds the options to a command's.
func (o *captureOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringSliceVarP(&o.interfaces, "interface", "i", nil, "meter this `INTERFACE`; several with commas between, or repeated; any for all.\nnetflow://ADDRESS:PORT receives flow records there")
	group(f, groupInput, "interface")
	o.dedup.add(cmd)
	o.anonymise.add(cmd)
	o.tunnels.add(cmd)
	o.addCapture(f)
}

// addCapture adds the options of capturing.
func (o *captureOptions) addCapture(f *pflag.FlagSet) {
	f.Var(newCount(&o.ringSize, live.DefaultRingSize>>20, 1, live.MaxRingSize>>20, "a number of MiB"), "ring-size", "with -i, `MIB` of memory for the packets of each ring")
	f.Var(newCount(&o.rings, 1, 1, live.MaxRings, "a number of rings"), "rings", "with -i, rings for each interface: several help where several processors receive")
	f.Var(newCount(&o.snapLen, live.DefaultSnapLen, 1, live.MaxSnapLen, "a number of octets"), "snap-length", "with -i, `OCTETS` that are captured of each packet at most")
	f.BoolVar(&o.notPromisc, "no-promiscuous", false, "with -i, do not capture what is for other stations")
	f.BoolVar(&o.cardStamps, "card-stamps", false, "with -i, have network cards stamp packets (needs CAP_NET_ADMIN), by their own clocks; how many they did is told")
	group(f, groupCapture)
}

// isRecords reports whether records of flows are to be received, not packets
// captured.
func (o *captureOptions) isRecords() bool {
	return len(o.interfaces) == 1 && strings.HasPrefix(o.interfaces[0], netflowScheme)
}

// check finds options that do not fit the traces to be metered.
func (o *captureOptions) check(cmd *cobra.Command, traceNames []string) error {
	if err := o.dedup.check(cmd); err != nil {
		return err
	}
	if err := o.anonymise.prepare(cmd); err != nil {
		return err
	}
	if err := o.tunnels.check(cmd, o, traceNames); err != nil {
		return err
	}
	if len(o.interfaces) == 0 {
		for _, name := range []string{"ring-size", "rings", "snap-length", "no-promiscuous", "card-stamps"} {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s needs -i, an interface", name)
			}
		}
		return nil
	}
	if len(traceNames) > 0 {
		return errors.New("either interfaces (-i) or traces, not both")
	}
	for _, name := range o.interfaces {
		if strings.HasPrefix(name, netflowScheme) && !o.isRecords() {
			return fmt.Errorf("-i %s: flow records are received at one address, without interfaces beside it", name)
		}
	}
	return nil
}

// isLive reports whether packets are to be captured.
func (o *captureOptions) isLive() bool { return len(o.interfaces) > 0 }

// open begins to capture, until ctx is done, or to receive flow records of these
// exporters.
func (o *captureOptions) open(ctx context.Context, exporters []netip.Prefix, notify func(string)) (traces.Source, error) {
	if o.isRecords() {
		src, err := netflow.Listen(ctx, strings.TrimPrefix(o.interfaces[0], netflowScheme), netflow.Config{Exporters: exporters, Notify: notify})
		if err != nil {
			return nil, err
		}
		return o.anonymise.filter(src), nil
	}
	src, err := live.Open(ctx, live.Config{
		Interfaces: o.interfaces, RingSize: o.ringSize << 20, Rings: o.rings, SnapLen: o.snapLen,
		Promiscuous: !o.notPromisc, CardStamps: o.cardStamps, Idle: o.idle, Notify: notify,
	})
	if err != nil {
		return nil, err
	}
	if o.sample != nil {
		src = o.sample.filter(src, true)
	}
	return o.filter(src), nil
}

// filter returns src, with duplicates found and addresses replaced if that is wanted.
func (o *captureOptions) filter(src traces.Source) traces.Source {
	return o.anonymise.filter(o.dedup.filter(src))
}

// giveUpRights gives up what was needed to open interfaces: the rights of the
// present user for those of another one, unless that is empty, and all
// capabilities, unless an interface that returns would need them. A secret, if
// there is one, becomes the other user's, who has to remove it.
func (o *captureOptions) giveUpRights(user string, secret *secretFile) error {
	if err := becomeUser(user, secret); err != nil {
		return err
	}
	if !o.isLive() || o.rings > 1 {
		return nil
	}
	return giveUpCapabilities()
}
