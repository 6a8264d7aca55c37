// Package series holds what a meter counts in each second, or another time: its
// series. Package meter makes it, and whoever shows it takes it from a [Ring]. It has
// no more to do with packets than that.
package series

// Interval is one interval of a series, or a gap: a time of several in which no packet
// came.
type Interval struct {
	// Number counts intervals from 1 on, gaps too.
	Number uint64
	// From and To are the interval's ends, multiples of its length, of which To is not
	// part of it. Nanoseconds since 1970-01-01 00:00:00 UTC.
	From, To int64
	// Rows are those of rulesets in the order of their numbers, and behind them those
	// of interfaces. A gap has none.
	Rows []Row
}

// Row is what a ruleset, or an interface, has counted in an interval.
type Row struct {
	// RuleSet is the ruleset's number, 0 for an interface.
	RuleSet int
	// Interface is the interface's number, 0 for all packets that tell of none, and for
	// those of interfaces beyond the first 1,000.
	Interface uint32
	// Name is that of the ruleset or the interface, empty if it is not known.
	Name string
	// PDUs are packets that the ruleset has seen, or that came from the interface and
	// passed the filter; Octets are theirs.
	PDUs, Octets uint64
	// Ignored, Unmatched, Stopped and Uncounted packets are those of the ruleset's PDUs
	// that are in no flow.
	Ignored, Unmatched, Stopped, Uncounted uint64
	// ActiveFlows are those of the ruleset that have counted a packet in the interval,
	// NewFlows those among them that began in it. Flows are all that were in the flow
	// table at its end.
	ActiveFlows, NewFlows, Flows uint64
	// Filtered are packets from the interface that the filter left out, Lost those that
	// were not captured there.
	Filtered, Lost uint64
}

// IsInterface reports whether the row is of an interface, rather than of a ruleset.
func (r *Row) IsInterface() bool { return r.RuleSet == 0 }

// Add adds what o has counted. Flows is a level, and stays.
func (r *Row) Add(o *Row) {
	r.PDUs += o.PDUs
	r.Octets += o.Octets
	r.Ignored += o.Ignored
	r.Unmatched += o.Unmatched
	r.Stopped += o.Stopped
	r.Uncounted += o.Uncounted
	r.ActiveFlows += o.ActiveFlows
	r.NewFlows += o.NewFlows
	r.Filtered += o.Filtered
	r.Lost += o.Lost
}
