package metrics

import (
	"maps"
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
	s.Counter("rtfm_packets_total", "Packets metered.", n.Packets, labels...)
	s.Counter("rtfm_octets_total", "Octets of the packets metered.", n.Octets, labels...)
	s.Counter("rtfm_lost_packets_total", "Packets that were not captured, at all interfaces.", n.Lost, labels...)
	for _, i := range n.Interfaces {
		s.Counter("rtfm_interface_lost_packets_total", "Packets that were not captured, by interface.", i.Value, with(labels, "interface", i.Name)...)
	}
	for _, c := range []struct {
		name, help string
		value      uint64
	}{
		{"rtfm_duplicate_packets_total", "Packets that were copies of others and were not metered.", n.Duplicates},
		{"rtfm_sampled_out_packets_total", "Packets that sampling passed over.", n.SampledOut},
		{"rtfm_filtered_packets_total", "Packets that the meter's filter left out.", n.Filtered},
		{"rtfm_outlier_packets_total", "Packets whose time was far ahead of the others'.", n.Outliers},
		{"rtfm_streams_created_total", "Streams begun, for distributions and statistics.", n.StreamsCreated},
		{"rtfm_unstreamed_packets_total", "Packets in no stream, for there were too many.", n.Unstreamed},
		{"rtfm_feed_dropped_records_total", "Records of the feed that had no room or no receiver.", n.FeedDropped},
	} {
		s.Counter(c.name, c.help, c.value, labels...)
	}
	n.addRuleSets(s, labels)
	s.Gauge("rtfm_flows", "Flows in the flow table.", float64(n.Active), labels...)
	if n.MaxFlows > 0 {
		s.Gauge("rtfm_flow_table_size", "Flows that the flow table has room for.", float64(n.MaxFlows), labels...)
		s.Gauge("rtfm_flow_table_fill_ratio", "Part of the flow table that is in use.", float64(n.Active)/float64(n.MaxFlows), labels...)
	}
	s.Gauge("rtfm_streams", "Streams in use.", float64(n.StreamsActive), labels...)
	if n.ClockKnown {
		s.Gauge("rtfm_clock_synchronised", "Whether the clock that stamps packets is synchronised.", truth(n.ClockRight), labels...)
	}
	if n.InProcess {
		s.Counter("rtfm_flows_created_total", "Flows that were put into the flow table.", n.Created, labels...)
		s.Counter("rtfm_flows_recovered_total", "Flows whose place in the flow table was given up.", n.Recovered, labels...)
		s.Counter("rtfm_cut_packets_total", "Packets whose headers were not captured whole.", n.CutShort, labels...)
		s.Counter("rtfm_malformed_packets_total", "Packets whose headers contradict themselves.", n.Malformed, labels...)
		s.Counter("rtfm_back_in_time_packets_total", "Packets whose time was before that of one before them.", n.BackInTime, labels...)
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

// addRuleSets adds what became of the packets that each ruleset has seen.
func (n *Numbers) addRuleSets(s *Set, labels []Label) {
	for _, number := range slices.Sorted(maps.Keys(n.RuleSets)) {
		r := n.RuleSets[number]
		of := with(with(labels, "ruleset", strconv.Itoa(number)), "name", n.Names[number])
		for _, c := range []struct {
			name, help string
			value      uint64
		}{
			{"rtfm_ruleset_packets_total", "Packets that the ruleset has seen: the sum of what became of them.", r.Packets},
			{"rtfm_counted_packets_total", "Packets that are in a flow of the ruleset.", r.Counted},
			{"rtfm_ignored_packets_total", "Packets that the ruleset has said to ignore.", r.Ignored},
			{"rtfm_unmatched_packets_total", "Packets that no rules of the ruleset matched.", r.Unmatched},
			{"rtfm_stopped_packets_total", "Packets that hit a limit of the engine: rules loop.", r.Stopped},
			{"rtfm_uncounted_packets_total", "Packets in no flow, for the flow table was full.", r.Uncounted},
		} {
			s.Counter(c.name, c.help, c.value, of...)
		}
	}
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
