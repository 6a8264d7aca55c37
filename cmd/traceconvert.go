package cmd

import (
	"fmt"
	"io"
	"strings"

	"rtfm/traces/format"

	"github.com/spf13/cobra"

	"rtfm/meter/packet"
	"rtfm/traces"
)

// traceConvertOptions are the options of `rtfm trace convert`.
type traceConvertOptions struct {
	snap     uint32
	from, to format.Limit
	headers  bool
	filter   filterOptions
	sample   sampleOptions
	hide     anonymiseOptions
	quiet    bool
}

const traceConvertHelp = `Write the packets of a trace to another: in another format, compressed, cut, or
those of some time only, or those that pass a filter.

IN is a trace of any format that ` + "`rtfm trace --help`" + ` tells of. OUT has the format
of its suffix, .pcap, .pcapng, .erf or .raw (hpcap), and is compressed by a
further one, .gz, .zst or .xz; a format may also stand in front, as in erf:OUT.
"-" is standard input and output, which is pcapng if nothing stands in front.

Times are exact to the nanosecond. A packet that the format of OUT cannot hold
ends the conversion, and nothing is written: pcap has one link type, ERF few of
them, 8 interfaces and packets of 65,535 octets, hpcap Ethernet. What a format
has no place for is told: pcap and hpcap have neither interfaces nor losses.
Comments and other options of pcapng are left out, and so are frame check
sequences.

TIMEs are 2026-11-21T09:13:25.5Z, or seconds since 1970, or + and seconds (or 5m,
1h30m) after the first packet. OUT appears, in place of what had the name before, when it is
complete. After a signal or damage OUT.part has what stands before, and OUT is as
it was; standard output has it anyway.

With --schedule each window has a trace of its own if OUT has %s, the seconds
since 1970 when the window begins, or parts of that time, as in
OUT-%Y%m%d-%H%M%S.pcapng. pcapng holds schedule, seed and windows as comments.

Exit status: 0 if all went well, 1 for wrong usage or a packet that does not fit,
2 if IN was damaged or none, 130 if a signal ended it.`

func traceConvertCommand() *cobra.Command {
	var o traceConvertOptions
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write a trace in another format, or part of it",
		Long:  traceConvertHelp,
		Example: `  rtfm trace convert trace.erf.gz trace.pcapng.zst
  rtfm trace convert --from +60 --to +120 --headers trace.pcap minute.pcap.gz
  rtfm trace convert --filter 'host 10.0.0.1' trace.pcap.gz his.pcap
  rtfm trace convert trace.erf pcap:- | tcpdump -r -`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Uint32Var(&o.snap, "snap", 0, "keep so many `OCTETS` of a packet at most (default 0, all)")
	f.BoolVar(&o.headers, "headers", false, "keep only headers: of the link, of IP and of TCP, UDP and the like")
	f.Var(timeLimit{&o.from}, "from", "leave out packets before this `TIME`")
	f.Var(timeLimit{&o.to}, "to", "leave out packets at this `TIME` and later")
	f.StringVar(&o.filter.text, "filter", "", "write only packets that pass this `FILTER`: tcpdump's words, or an expression of SRL")
	o.sample.add(cmd)
	o.hide.add(cmd)
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print no summary and no progress")
	return cmd
}

// config checks the names and returns what the options say.
func (o *traceConvertOptions) config(cmd *cobra.Command, names []string) (c format.Conversion, err error) {
	if len(names) != 2 {
		return c, fmt.Errorf(`%d names given, want IN and OUT ("-" is standard input and output)`, len(names))
	}
	for _, name := range names {
		if strings.HasPrefix(name, netflowPrefix) {
			return c, fmt.Errorf("%s: flow records are no packets and cannot be converted, but the trace of their datagrams can, without %q", name, netflowPrefix)
		}
	}
	if _, err := o.filter.take(nil, false, io.Discard); err != nil {
		return c, err
	}
	if err := o.sample.check(cmd, false); err != nil {
		return c, err
	}
	if err := o.hide.prepare(cmd); err != nil {
		return c, err
	}
	c.Snap, c.From, c.To, c.Pass, c.Rewrite = o.snap, o.from, o.to, o.filter.passing(new(tunnelOptions)), o.hide.rewrite()
	if o.sample.selector != nil {
		c.Sample = o.sample.selector.Take
	}
	if o.headers {
		c.Keep = func(p *traces.Packet) int { return packet.Headers(p.Link, p.Data, p.Wire) }
	}
	return c, nil
}

func (o *traceConvertOptions) run(cmd *cobra.Command, names []string) error {
	conversion, err := o.config(cmd, names)
	if err != nil {
		return err
	}
	src, err := format.Open(names[0])
	if err != nil {
		return &exitError{status: StatusDamaged, err: err}
	}
	ctx := cmd.Context()
	src = withInterrupt(ctx, src, names[:1])
	defer src.Close()
	if note := src.(traces.Describer).Describe().Guess(names[0]); note != "" && !o.quiet {
		cmd.PrintErrf("rtfm: %s\n", note)
	}
	out := windowFiles{pattern: names[1], snap: o.snap, sample: &o.sample}
	if err := out.open(); err != nil {
		return err
	}
	defer out.abort()
	defer finishing(ctx)()
	done, err := out.convert(ctx, src, conversion)
	if err != nil {
		return err
	}
	name, err := out.end(ctx.Err() == nil && done.Damage == nil)
	if err != nil {
		return err
	}
	if !o.quiet {
		o.tell(cmd, &done, name, out.notes)
	}
	switch {
	case ctx.Err() != nil:
		return &exitError{status: StatusInterrupted, err: fmt.Errorf("interrupted: %s ends here, %s may not", name, names[0])}
	case done.Damage != nil:
		return &exitError{status: StatusDamaged, err: done.Damage}
	}
	return nil
}
