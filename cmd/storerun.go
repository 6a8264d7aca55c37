package cmd

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"rtfm/traces"
	"rtfm/traces/live"
)

// storeRunOptions are the options of `rtfm store run`.
type storeRunOptions struct {
	store   storeOptions
	sample  sampleOptions
	capture captureOptions
	traces  traceOptions
	user    string
	quiet   bool
}

const storeRunHelp = `Store packets of interfaces, until a signal ends it, or of traces.

Capturing needs Linux and root or CAP_NET_RAW, which --user gives up. It does not
wait for the disk: packets that there is no memory for are counted as unstored. Of
traces all packets are stored, as fast as the disk is.
After a kill all is there but the last second. One program may write to a folder at a
time; it goes on where the one before has ended.

Octets may have a unit: 64MiB, 500GiB. SECONDS may have one: 300, 5m, 1h30m.

Exit status: 0 if all went well, 1 for wrong usage, 2 if a trace was damaged (what
could be read is stored), 3 if packets are not stored, 130 if a signal ended the
reading of traces early.`

func storeRunCommand() *cobra.Command {
	var o storeRunOptions
	cmd := &cobra.Command{
		Use:   "run -d FOLDER {-i INTERFACE | TRACE...}",
		Short: "Store packets of interfaces or traces",
		Long:  storeRunHelp,
		Example: `  rtfm store run -i eth0 -d /var/lib/rtfm/packets --size 500GiB --user rtfm
  rtfm store run -d monday monday.pcap.gz`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.traces.sequence = args
			return o.run(cmd)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&o.store.dir, "dir", "d", "", "keep the packets in this `FOLDER`")
	o.store.addLimits(f, "")
	group(f, groupStore, "dir", "size", "age", "keep-free", "headers", "cutoff", "format")
	f.StringSliceVarP(&o.capture.interfaces, "interface", "i", nil, "store packets of this `INTERFACE`; several with commas between, or repeated; any for all")
	group(f, groupInput, "interface")
	o.sample.add(cmd)
	group(f, groupInput)
	o.capture.addCapture(f)
	addUser(f, &o.user, "interfaces or traces, but the folder")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not tell what was stored")
	group(f, groupProcess, "user", "quiet")
	return cmd
}

// check finds options that do not fit.
func (o *storeRunOptions) check(cmd *cobra.Command) error {
	o.capture.tunnels = tunnelOptions{}
	switch {
	case o.store.dir == "":
		return errors.New("no folder given, want -d FOLDER")
	case len(o.traces.sequence) == 0 && !o.capture.isLive():
		return errors.New(`neither a TRACE given nor an INTERFACE with -i; "rtfm store run --help" tells more`)
	}
	if err := o.capture.check(cmd, o.traces.sequence); err != nil {
		return err
	}
	if err := o.sample.check(cmd, false); err != nil {
		return err
	}
	return o.store.check(cmd, &o.capture, o.capture.isRecords() || o.traces.hasRecords())
}

// run stores packets until there are no more.
func (o *storeRunOptions) run(cmd *cobra.Command) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	ctx, tell := cmd.Context(), notes(cmd.ErrOrStderr())
	src, err := o.open(ctx, tell)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := o.capture.giveUpRights(o.user, nil); err != nil {
		return err
	}
	stored, err := o.store.open(o.capture.isLive(), tell)
	if err != nil {
		return err
	}
	defer finishing(ctx)()
	err = drain(stored.tee(src), tell)
	if err == nil && ctx.Err() != nil && !o.capture.isLive() {
		err = &exitError{status: StatusInterrupted, err: errors.New("interrupted: not all of the traces is stored")}
	}
	if o.quiet {
		return stored.finish(err, nil)
	}
	err = stored.finish(err, tell)
	for _, text := range o.sample.notes() {
		tell(text)
	}
	return err
}

// open opens the interfaces or traces.
func (o *storeRunOptions) open(ctx context.Context, tell func(string)) (traces.Source, error) {
	if !o.capture.isLive() {
		files := o.traces.open(tell)
		if o.user != "" { // who may not be allowed to
			if err := files.OpenFiles(); err != nil {
				return nil, &exitError{status: StatusDamaged, err: err}
			}
		}
		return o.sample.filter(withInterrupt(ctx, files, o.traces.names()), false), nil
	}
	o.capture.sample, o.capture.idle = &o.sample, o.store.idle(0)
	src, err := o.capture.open(ctx, nil, tell)
	if err != nil {
		return nil, err
	}
	return live.Steady(src, tell), nil
}

// drain reads a source to its end. Damage is told, and what comes behind it is read.
func drain(src traces.Source, tell func(string)) (damage error) {
	var b traces.Batch
	for {
		switch err := src.ReadBatch(&b); {
		case errors.Is(err, io.EOF):
			return damage
		case err != nil:
			tell(err.Error())
			damage = &exitError{status: StatusDamaged}
		}
	}
}
