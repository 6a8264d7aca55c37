package metrics

import (
	"slices"
	"strconv"

	"rtfm/reader/record"
)

// Numbers are what is known of a meter at a moment.
type Numbers struct {
	record.Counts
	record.Levels
	// Interfaces are the packets lost at each, those that have lost none too.
	Interfaces []record.Number
	// Names are those of the rulesets, by number.
	Names map[int]string
	// MaxFlows is the size of the flow table, 0 if that is not known.
	MaxFlows uint64
	// InProcess is set if the meter is in this process, which knows what follows.
	InProcess                       bool
	Created, Recovered              uint64
	CutShort, Malformed, BackInTime uint64
}

// Add adds the numbers to a set, each with these labels.
func (n *Numbers) Add(s *Set, labels ...Label) {
	samples(s, everywhere, n, labels)
	for _, i := range n.Interfaces {
		s.sample(&lostAt, i.Value, with(labels, "interface", i.Name))
	}
	n.addRuleSets(s, labels)
	if n.MaxFlows > 0 {
		s.sample(&tableSize.Metric, n.MaxFlows, labels)
		s.Gauge("rtfm_flow_table_fill_ratio", "Part of the flow table that is in use.", float64(n.Active)/float64(n.MaxFlows), labels...)
	}
	if n.ClockKnown {
		s.Gauge("rtfm_clock_synchronised", "Whether the clock that stamps packets is synchronised.", truth(n.ClockRight), labels...)
	}
	if n.InProcess {
		samples(s, inProcess, n, labels)
	}
}

// Managed are what is known of a meter of managers at a moment.
type Managed struct {
	Numbers
	FloodMode           bool
	Floods              uint64
	FeedRecords         uint64
	FeedDroppedMessages uint64
	Readers             []Reader
}

// Reader is a reader of a meter.
type Reader struct {
	Row     int
	Owner   string
	RuleSet int
	// Age is since when it has not begun a collection, in seconds.
	Age float64
}

// Add adds the numbers to a set.
func (m *Managed) Add(s *Set) {
	m.Numbers.Add(s)
	samples(s, managed, m, nil)
	for _, r := range m.Readers {
		s.Gauge("rtfm_reader_collection_age_seconds", "Time since a reader of the meter has begun its latest collection; since the start, if it has begun none.", r.Age,
			Label{"reader", strconv.Itoa(r.Row)}, Label{"owner", r.Owner}, Label{"ruleset", strconv.Itoa(r.RuleSet)})
	}
}

// AddInterface adds the packets lost at an interface. Several may have one name.
func (n *Numbers) AddInterface(name string, lost uint64) {
	for i := range n.Interfaces {
		if n.Interfaces[i].Name == name {
			n.Interfaces[i].Value += lost
			return
		}
	}
	n.Interfaces = append(n.Interfaces, record.Number{Name: name, Value: lost})
}

// with returns labels with one more.
func with(labels []Label, name, value string) []Label {
	return append(slices.Clip(labels), Label{name, value})
}

// truth returns 1 for true.
func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
