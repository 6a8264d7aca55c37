package cmd

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"rtfm/traces/format"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/live"
	"rtfm/traces/netflow"
)

// traceOptions are the traces that a command meters.
type traceOptions struct {
	sequence []string // its arguments, read one after the other
	merged   []string // those of options, merged by time
	// exporters are those whose flow records are believed, all if there are none.
	exporters exporters
	links     linkTypes

	period    storePeriod // of a store
	unordered bool        // sequence need not be in the order of time
	trust     bool        // times are taken as they are
}

// add adds the options to a command's.
func (o *traceOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.merged, "trace", "C", nil, "meter this `TRACE`, several merged by time; each is its own interface")
	f.VarP(f.Lookup("trace").Value, "source", "S", "the same as -C `TRACE`")
	o.addExporters(f)
	f.Var(&o.links, "link-type", "take packets of one link type for those of another: `TYPE=TYPE`, names or numbers of the pcap registry,\nsuch as USER0=RAW; may be repeated")
	f.BoolVar(&o.unordered, "unordered", false, "read traces one after the other even if one begins before the end of the one before it:\nits packets count at that time")
	f.BoolVar(&o.trust, "trust-times", false, "take the time of every packet as it is, even if it is more than an hour\nahead of all behind it, or with -i of the machine's clock, or that is set back")
	f.Var(timeLimit{&o.period.from}, "from", "with a store, store:FOLDER, leave out packets before this `TIME`")
	f.Var(timeLimit{&o.period.to}, "to", "with a store, store:FOLDER, leave out packets at this `TIME` and later")
	group(f, groupInput, "trace")
}

// addExporters adds the option that says which exporters are believed.
func (o *traceOptions) addExporters(f *pflag.FlagSet) {
	f.Var(&o.exporters, "exporter", "with netflow:, believe only this exporter, of `ADDRESS[/WIDTH]`; may be repeated")
}

// plausible returns src, with packets found whose times are wrong unless all are
// to be trusted. It calls warn with a message about the first of each file.
func (o *traceOptions) plausible(src traces.Source, warn func(message string)) traces.Source {
	if o.trust {
		return src
	}
	return traces.Outliers(src, warn)
}

// steady returns src, which captures, by a clock that never goes back unless its
// times are to be trusted. It calls warn with a message when that is seen.
func (o *traceOptions) steady(src traces.Source, warn func(message string)) traces.Source {
	if o.trust {
		return src
	}
	return live.Steady(src, warn)
}

// check finds traces that do not fit each other. records reports whether flow
// records are to be received.
func (o *traceOptions) check(records bool) error {
	records = records || o.hasRecords()
	if len(o.links) > 0 && len(o.names()) == 0 {
		return errors.New("--link-type is for traces")
	}
	if len(o.exporters) > 0 && !records {
		return errors.New("--exporter is for flow records: -i netflow://ADDRESS:PORT or netflow:TRACE")
	}
	if err := o.checkStores(); err != nil {
		return err
	}
	if len(o.sequence) > 0 && len(o.merged) > 0 {
		return errors.New("either traces as arguments, one after the other, or with -C, merged by time, not both")
	}
	return nil
}

// hasRecords reports whether there are traces of flow records.
func (o *traceOptions) hasRecords() bool {
	return slices.ContainsFunc(o.names(), func(name string) bool { return strings.HasPrefix(name, netflowPrefix) })
}

// names returns the names of the traces.
func (o *traceOptions) names() []string { return append(o.sequence, o.merged...) }

// files is a source of files, which ReadBatch opens unless OpenFiles has.
type files interface {
	traces.Source
	OpenFiles() error
	Wrap(wrap func(n int, src traces.Source) traces.Source)
}

// open returns a source of the traces' packets, or of the flow records in them.
// notify, unless it is nil, is told what someone who looks at the results should
// know.
func (o *traceOptions) open(notify func(message string)) (src files) {
	names := o.names()
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = strings.TrimPrefix(name, netflowPrefix)
	}
	if isStore(names) {
		src = &storeTrace{dir: strings.TrimPrefix(names[0], storePrefix), period: o.period}
	} else if len(o.merged) > 1 {
		src = format.OpenMerged(paths, notify)
	} else {
		sequence := format.OpenSequence(paths, notify)
		if o.unordered {
			sequence.Unordered()
		}
		src = sequence
	}
	src.Wrap(func(n int, src traces.Source) traces.Source {
		src = traces.Relink(src, o.links)
		if !strings.HasPrefix(names[n], netflowPrefix) {
			return src
		}
		return netflow.NewSource(src, datagram, netflow.Config{
			Exporters: o.exporters,
			Notify: func(message string) {
				if notify != nil {
					notify(names[n] + ": " + message)
				}
			},
		})
	})
	return src
}

// datagram is a netflow.Unwrap.
func datagram(p *traces.Packet) (from netip.AddrPort, octets []byte, size int) {
	return packet.Datagram(p.Link, p.Data, p.Wire)
}
