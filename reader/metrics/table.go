package metrics

import (
	"maps"
	"slices"
	"strconv"

	"rtfm/mib/module"
	"rtfm/reader/record"
)

// Of is what a metric has one sample for.
type Of int

// A metric has a sample for each of these in a meter.
const (
	OfMeter Of = iota
	OfRuleSet
	OfInterface
	OfReader
)

// Kind is how a number goes on.
type Kind int

// Kinds of metrics.
const (
	Counts Kind = iota // only grows
	Varies
	Ticks // varies, in hundredths of a second
	Truth // 1 or 0; over SNMP a TruthValue
)

// Metric says what a number of a meter is.
type Metric struct {
	Name, Help string
	Kind       Kind
	Of         Of
	// Object is what says the same over SNMP, nil if none does.
	Object *module.Object
}

// number is a metric with where its value is.
type number[T any] struct {
	Metric
	value func(*T) uint64
}

// counter returns a counter of a meter.
func counter[T any](name, help string, object *module.Object, value func(*T) uint64) number[T] {
	return number[T]{Metric{name, help, Counts, OfMeter, object}, value}
}

// everywhere are what all tell, of meters in this process and of those that they collect from.
var everywhere = []number[Numbers]{
	counter("rtfm_packets_total", "Packets metered.", module.RtfmPacketsMetered, func(n *Numbers) uint64 { return n.Packets }),
	counter("rtfm_octets_total", "Octets of the packets metered.", module.RtfmPacketsOctets, func(n *Numbers) uint64 { return n.Octets }),
	counter("rtfm_lost_packets_total", "Packets that were not captured, at all interfaces.", module.RtfmPacketsLost, func(n *Numbers) uint64 { return n.Lost }),
	counter("rtfm_duplicate_packets_total", "Packets that were copies of others and were not metered.", module.RtfmPacketsDuplicates, func(n *Numbers) uint64 { return n.Duplicates }),
	counter("rtfm_sampled_out_packets_total", "Packets that sampling passed over.", module.RtfmPacketsSampledOut, func(n *Numbers) uint64 { return n.SampledOut }),
	counter("rtfm_filtered_packets_total", "Packets that the meter's filter left out.", module.RtfmPacketsFiltered, func(n *Numbers) uint64 { return n.Filtered }),
	counter("rtfm_outlier_packets_total", "Packets whose time was far ahead of the others'.", module.RtfmPacketsOutliers, func(n *Numbers) uint64 { return n.Outliers }),
	counter("rtfm_streams_created_total", "Streams begun, for distributions and statistics.", module.RtfmStreamsCreated, func(n *Numbers) uint64 { return n.StreamsCreated }),
	counter("rtfm_unstreamed_packets_total", "Packets in no stream, for there were too many.", module.RtfmStreamsUnstreamed, func(n *Numbers) uint64 { return n.Unstreamed }),
	counter("rtfm_feed_dropped_records_total", "Records of the feed that had no room or no receiver.", module.RtfmFeedDroppedRecords, func(n *Numbers) uint64 { return n.FeedDropped }),
	{Metric{"rtfm_flows", "Flows in the flow table.", Varies, OfMeter, module.FlowActiveFlows}, func(n *Numbers) uint64 { return n.Active }},
	{Metric{"rtfm_streams", "Streams in use.", Varies, OfMeter, module.RtfmStreamsActive}, func(n *Numbers) uint64 { return n.StreamsActive }},
}

// tableSize is told where it is known.
var tableSize = number[Numbers]{Metric{"rtfm_flow_table_size", "Flows that the flow table has room for.", Varies, OfMeter, module.FlowMaxFlows}, func(n *Numbers) uint64 { return n.MaxFlows }}

// inProcess are what is told of a meter in this process.
var inProcess = []number[Numbers]{
	counter("rtfm_flows_created_total", "Flows that were put into the flow table.", module.RtfmMeterFlowsCreated, func(n *Numbers) uint64 { return n.Created }),
	counter("rtfm_flows_recovered_total", "Flows whose place in the flow table was given up.", module.RtfmMeterFlowsRecovered, func(n *Numbers) uint64 { return n.Recovered }),
	counter("rtfm_cut_packets_total", "Packets whose headers were not captured whole.", module.RtfmPacketsCut, func(n *Numbers) uint64 { return n.CutShort }),
	counter("rtfm_malformed_packets_total", "Packets whose headers contradict themselves.", module.RtfmPacketsMalformed, func(n *Numbers) uint64 { return n.Malformed }),
	counter("rtfm_back_in_time_packets_total", "Packets whose time was before that of one before them.", module.RtfmPacketsBackInTime, func(n *Numbers) uint64 { return n.BackInTime }),
}

// managed are what only a meter of managers tells.
var managed = []number[Managed]{
	{Metric{"rtfm_flood_mode", "Whether only the built-in ruleset runs, for the flow table is all but full.", Truth, OfMeter, module.FlowFloodMode}, func(m *Managed) uint64 { return uint64(truth(m.FloodMode)) }},
	counter("rtfm_floods_total", "How often that has begun.", module.RtfmMeterFloods, func(m *Managed) uint64 { return m.Floods }),
	counter("rtfm_feed_records_total", "Records that the feed has sent.", module.RtfmFeedRecords, func(m *Managed) uint64 { return m.FeedRecords }),
	counter("rtfm_feed_dropped_messages_total", "Messages of the feed that had no room or no receiver.", module.RtfmFeedDroppedMessages, func(m *Managed) uint64 { return m.FeedDroppedMessages }),
}

// lostAt is told by interface.
var lostAt = Metric{"rtfm_interface_lost_packets_total", "Packets that were not captured, by interface.", Counts, OfInterface, module.RtfmInterfaceLost}

// ofRuleSets are what became of the packets that a ruleset has seen.
var ofRuleSets = []number[record.RuleSetCounts]{
	{Metric{"rtfm_ruleset_packets_total", "Packets that the ruleset has seen: the sum of what became of them.", Counts, OfRuleSet, module.RtfmRuleSetPackets}, func(r *record.RuleSetCounts) uint64 { return r.Packets }},
	{Metric{"rtfm_counted_packets_total", "Packets that are in a flow of the ruleset.", Counts, OfRuleSet, module.RtfmRuleSetMatched}, func(r *record.RuleSetCounts) uint64 { return r.Counted }},
	{Metric{"rtfm_ignored_packets_total", "Packets that the ruleset has said to ignore.", Counts, OfRuleSet, module.RtfmRuleSetIgnored}, func(r *record.RuleSetCounts) uint64 { return r.Ignored }},
	{Metric{"rtfm_unmatched_packets_total", "Packets that no rules of the ruleset matched.", Counts, OfRuleSet, module.RtfmRuleSetUnmatched}, func(r *record.RuleSetCounts) uint64 { return r.Unmatched }},
	{Metric{"rtfm_stopped_packets_total", "Packets that hit a limit of the engine: rules loop.", Counts, OfRuleSet, module.RtfmRuleSetStopped}, func(r *record.RuleSetCounts) uint64 { return r.Stopped }},
	{Metric{"rtfm_uncounted_packets_total", "Packets in no flow, for the flow table was full.", Counts, OfRuleSet, module.RtfmRuleSetUncounted}, func(r *record.RuleSetCounts) uint64 { return r.Uncounted }},
}

// overSNMP are what stands for process_start_time_seconds and
// rtfm_reader_collection_age_seconds over SNMP, where nobody computes them.
var overSNMP = []Metric{
	{"rtfm_meter_uptime_ticks", "The meter's Uptime, in hundredths of a second.", Ticks, OfMeter, module.RtfmMeterUptime},
	{"rtfm_reader_last_time_ticks", "The meter's Uptime when a reader has begun its latest collection, in hundredths of a second.", Ticks, OfReader, module.FlowReaderLastTime},
}

// OverSNMP returns the metrics of a meter of managers that it tells over SNMP, too.
func OverSNMP() (all []Metric) {
	for _, n := range [][]number[Numbers]{everywhere, {tableSize}, inProcess} {
		for _, one := range n {
			all = append(all, one.Metric)
		}
	}
	for _, one := range managed {
		all = append(all, one.Metric)
	}
	all = append(all, lostAt)
	for _, one := range ofRuleSets {
		all = append(all, one.Metric)
	}
	return append(all, overSNMP...)
}

// sample adds a metric's value.
func (s *Set) sample(m *Metric, value uint64, labels []Label) {
	if m.Kind == Counts {
		s.Counter(m.Name, m.Help, value, labels...)
		return
	}
	s.Gauge(m.Name, m.Help, float64(value), labels...)
}

// samples adds numbers' values.
func samples[T any](s *Set, numbers []number[T], of *T, labels []Label) {
	for i := range numbers {
		s.sample(&numbers[i].Metric, numbers[i].value(of), labels)
	}
}

// addRuleSets adds what became of the packets that each ruleset has seen.
func (n *Numbers) addRuleSets(s *Set, labels []Label) {
	for _, number := range slices.Sorted(maps.Keys(n.RuleSets)) {
		r := n.RuleSets[number]
		samples(s, ofRuleSets, &r, with(with(labels, "ruleset", strconv.Itoa(number)), "name", n.Names[number]))
	}
}
