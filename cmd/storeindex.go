package cmd

import (
	"errors"
	"io"
	"math"
	"os"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/store"

	"github.com/spf13/cobra"
)

const storeIndexHelp = `Index traces, by which rtfm store get finds packets without reading all of them.

Each FILE is pcap, pcapng or ERF, not compressed. Its index is FILE.idx: the times and
flows of each chunk, of about 1 MiB. It is of the file as it is then: when its size, its
time or its first octets change, all of the file is read again, until it is indexed anew.

Exit status: 0 if all have an index, 1 if some have none, 2 if that is since one is
damaged, 130 if a signal ended it.`

func storeIndexCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "index FILE...",
		Short: "Index traces, so that packets of them are found soon",
		Long:  storeIndexHelp,
		Example: `  rtfm store index monday.pcap
  rtfm store get monday.pcap 'host 10.0.0.1' -w host.pcap`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no FILE given; "rtfm store index --help" tells more`)
			}
			defer finishing(cmd.Context())()
			status := 0
			for _, name := range args {
				made, err := store.IndexTrace(cmd.Context(), name, &store.Config{Key: keyOf(), Tuple: tupleOf})
				if cmd.Context().Err() != nil {
					return &exitError{status: StatusInterrupted, err: errors.New("interrupted")}
				}
				if err != nil {
					cmd.PrintErrf("rtfm: %v\n", err)
					var damage *format.Error
					if status = max(status, StatusFailed); errors.As(err, &damage) {
						status = StatusDamaged
					}
					continue
				}
				cmd.Printf("%s: %s in %s\n", store.TraceIndex(name), packets(made.Packets), counted(uint64(made.Chunks), "chunk"))
			}
			if status != 0 {
				return &exitError{status: status}
			}
			return nil
		},
	}
}

// isTraceFile reports whether a name is that of a trace, not of a store's folder.
func isTraceFile(name string) bool {
	_, path := format.SplitName(name)
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// traceQuery returns what is wanted of a trace.
func (p *storePeriod) traceQuery(name string) (store.Query, error) {
	q := store.Query{From: math.MinInt64, To: math.MaxInt64}
	if *p == (storePeriod{}) {
		return q, nil
	}
	src, err := format.Open(name)
	if err != nil {
		return q, err
	}
	defer src.Close()
	var b traces.Batch
	if err := src.ReadBatch(&b); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return q, err
	}
	q.From, q.To = p.from.After(b.Packets[0].Time, q.From), p.to.After(b.Packets[0].Time, q.To)
	return q, nil
}

// query returns what is wanted of a store or of a trace.
func (o *storeGetOptions) query(name string) (q store.Query, err error) {
	if isTraceFile(name) {
		q, err = o.period.traceQuery(name)
	} else {
		q, err = o.period.query(name)
	}
	o.origin.within(&q)
	q.Flows = o.wanted()
	return q, err
}

// open opens a store or a trace.
func (o *storeGetOptions) open(cmd *cobra.Command, name string, q store.Query) (packetStore, error) {
	if !isTraceFile(name) {
		return store.Open(name, q)
	}
	t, err := store.OpenTrace(name, q)
	if err != nil {
		return nil, err
	}
	if t.Fault != nil {
		cmd.PrintErrf("rtfm: %v; \"rtfm store index %s\" makes it anew\n", t.Fault, name)
	}
	return t, nil
}
