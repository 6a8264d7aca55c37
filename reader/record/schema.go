package record

import (
	"slices"
	"strings"
)

// Schema is the number of the rows that flows make in JSON lines, CSV and whatever
// else is made of records. Columns are added to a schema, never changed: what reads
// rows of another number does not know them.
const Schema = 1

// Column is one of a row's.
type Column struct {
	Name string
	// Type is string, or uint or int with the number of bits.
	Type    string
	Unit    string // of numbers, empty for those that have none
	Meaning string
}

// The columns that say of which ruleset's flows, of which meter and interval a row
// is. They are the same of all flows of a ruleset in a collection.
var identity = [...]Column{
	{"Schema", "uint8", "", "number of this table, 1"},
	{"Meter", "string", "", "name of the meter"},
	{"Boot", "string", "", "tells the meter's runs from each other, in hexadecimal; of `rtfm run` and meters without rtfm's extension MIB the epoch"},
	{"EpochNs", "int64", "ns", "when the meter's uptime was 0"},
	{"RuleSet", "string", "", "hash of the ruleset's rules, in hexadecimal: number 2 of another program is another ruleset"},
	{"RuleSetName", "string", "", "name of the ruleset: that of its file, without directory and extension"},
	{"FlowRuleSet", "uint8", "", "number of the ruleset in the meter"},
	{"IntervalStartNs", "int64", "ns", "when the interval began"},
	{"IntervalEndNs", "int64", "ns", "when the interval ended"},
}

// The columns that all flows have of their own.
var own = [...]Column{
	{"FlowIndex", "uint32", "", "row in the meter's flow table; used again after the flow was recovered"},
	{"FirstTime", "uint64", "centiseconds", "the first time as uptime of the meter"},
	{"LastActiveTime", "uint64", "centiseconds", "the latest time as uptime of the meter"},
	{"FirstTimeNs", "int64", "ns", "when the flow's first packet was seen"},
	{"LastActiveTimeNs", "int64", "ns", "when its latest packet was seen"},
}

// The columns that follow what a flow has saved.
var counted = [...]Column{
	{"ToPDUs", "uint64", "PDUs", "packets from source to destination since the flow began"},
	{"FromPDUs", "uint64", "PDUs", "packets from destination to source since the flow began"},
	{"ToOctets", "uint64", "octets", "octets from source to destination since the flow began"},
	{"FromOctets", "uint64", "octets", "octets from destination to source since the flow began"},
	{"DeltaToPDUs", "uint64", "PDUs", "those of this interval alone"},
	{"DeltaFromPDUs", "uint64", "PDUs", "those of this interval alone"},
	{"DeltaToOctets", "uint64", "octets", "those of this interval alone"},
	{"DeltaFromOctets", "uint64", "octets", "those of this interval alone"},
}

// The same times as texts, which rows have on demand, each behind Identity.
var texts = [...]Column{
	{"IntervalStartISO", "string", "", "IntervalStartNs as ISO 8601, in UTC: 2026-11-21T09:13:25.123456789Z"},
	{"IntervalEndISO", "string", "", "IntervalEndNs likewise"},
	{"FirstTimeISO", "string", "", "FirstTimeNs likewise"},
	{"LastActiveTimeISO", "string", "", "LastActiveTimeNs likewise"},
}

// The columns that rows of `rtfm feed` have behind the others, and readers pass over.
var fed = [...]Column{
	{"EndReason", "string", "", "why the flow has ended: idle, tcp, or forced when the meter or its ruleset has; missing if nothing has told that it has"},
	{"BegunNs", "int64", "ns", "when the first packet was seen of those that this row counts: FirstTimeNs, unless the flow has ended before and begun again"},
	{"Told", "uint64", "PDUs", "packets of which the meter has told"},
	{"Received", "uint64", "PDUs", "those that came; missing if there was no room to count them"},
}

// Identity returns the columns that say of which ruleset's flows, of which meter
// and interval a row is. Together with FlowIndex and FirstTimeNs they identify it.
func Identity() []Column { return identity[:] }

// Own returns the columns behind those of Identity, which every flow has.
func Own() []Column { return own[:] }

// Counted returns the columns behind what a flow has saved.
func Counted() []Column { return counted[:] }

// Fed returns the columns that rows of `rtfm feed` have behind the others.
func Fed() []Column { return fed[:] }

// Texts returns the columns of times as texts, which rows have on demand behind
// those of Identity.
func Texts() []Column { return texts[:] }

// The columns that identify a row of a flow, and that of a collection: the same whenever
// the same is sent again.
var (
	key             = [...]string{"Meter", "Boot", "RuleSet", "FlowIndex", "FirstTimeNs", "IntervalEndNs"}
	keyOfCollection = [...]string{"Meter", "Boot", "RuleSets", "IntervalEndNs"}
)

// Key returns the names of the columns that identify a row of a flow, anywhere.
func Key() []string { return key[:] }

// KeyOfCollection returns the names of those that identify a collection.
func KeyOfCollection() []string { return keyOfCollection[:] }

// The columns of a collection, a row of its own behind its flows: it says that they are
// all there, and what was lost with them.
var collection = [...]Column{
	{"Schema", "uint8", "", "number of this table, 1"},
	{"Meter", "string", "", "name of the meter"},
	{"Boot", "string", "", "as that of the flows"},
	{"RuleSets", "string", "", "RuleSet of the flows, of each ruleset that has some, with commas between; of dropped ones behind `dropped,`"},
	{"EpochNs", "int64", "ns", "as that of the flows"},
	{"IntervalStartNs", "int64", "ns", "when the interval began"},
	{"IntervalEndNs", "int64", "ns", "when the interval ended"},
	{"Skipped", "uint64", "", "empty intervals between for which there are no collections"},
	{"Flows", "uint64", "", "rows of flows that the collection has"},
	{"Lost", "uint64", "PDUs", "packets that were not captured"},
	{"Uncounted", "uint64", "PDUs", "packets of flows for which the flow table had no room"},
	{"Sampling", "uint64", "", "one of so many packets was metered"},
	{"Packets", "uint64", "PDUs", "packets metered"},
	{"Octets", "uint64", "octets", "octets metered"},
	{"Ignored", "uint64", "PDUs", "packets that rules said to ignore"},
	{"Unmatched", "uint64", "PDUs", "packets that no rules matched"},
	{"Stopped", "uint64", "PDUs", "packets that hit a limit of the Packet Matching Engine"},
	{"Active", "uint64", "", "flows in the flow table"},
	{"Postponed", "uint64", "", "how often the collection was put off, because the spool or its disk was full: its interval is longer, and nothing is missing. Missing if it was not"},
	{"Dropped", "uint64", "", "collections that this row stands for, which were dropped because the spool was full: their flows are nowhere. Missing from other rows"},
	{"DroppedFlows", "uint64", "", "rows of flows that these had"},
}

// OfCollection returns the columns of a collection.
func OfCollection() []Column { return collection[:] }

// CollectionValues returns the values of those columns: strings, int64s and uint64s, nil
// for what is not known. They end before those columns at the end that most rows lack.
func CollectionValues(c *Collection, s *Summary) []any {
	values := []any{uint64(Schema), c.Meter, c.Boot, c.hashes(), c.Epoch, c.From, c.To, uint64(c.Skipped), s.Flows}
	loss := []any{s.Lost, s.Uncounted, s.Sampling}
	packets := []any{s.Packets, s.Octets, s.Ignored, s.Unmatched}
	last := []any{s.Stopped, s.Active}
	if s.Known == KnownFlows {
		clear(loss)
		last[0] = nil
	}
	if s.Known != KnownAll {
		clear(packets)
		last[1] = nil
	}
	if c.Postponed > 0 {
		last = append(last, uint64(c.Postponed))
	}
	return slices.Concat(values, loss, packets, last)
}

// hashes returns those of the collection's rulesets: the same trace may have been metered
// by others.
func (c *Collection) hashes() string {
	var all []string
	for _, rs := range c.RuleSets {
		if rs.Hash != "" {
			all = append(all, rs.Hash)
		}
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ",")
}
