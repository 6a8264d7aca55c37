package ipfixsink

import (
	"maps"
	"math"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/traces/ipfix"
)

// statistics are what was sent, and what was not, since the exporter was made: RFC 7011
// has totals.
type statistics struct {
	messages, flows                             uint64
	notSentFlows, notSentPackets, notSentOctets uint64
	ignored                                     map[uint32]uint64 // packets, by domain
}

// clone returns a copy, which counts on its own.
func (s *statistics) clone() statistics {
	c := *s
	c.ignored = maps.Clone(s.ignored)
	if c.ignored == nil {
		c.ignored = make(map[uint32]uint64)
	}
	return c
}

// notSent counts a flow that was not sent: at most what it has counted altogether.
func (s *statistics) notSent(all *record.Counters) {
	s.notSentFlows++
	s.notSentPackets += all.ToPDUs + all.FromPDUs
	s.notSentOctets += all.ToOctets + all.FromOctets
}

// dropped counts the flows of collections that were dropped.
func (s *statistics) dropped(g *export.Gap) {
	s.notSentFlows += g.DroppedFlows
	if g.Packets != nil {
		s.notSentPackets += *g.Packets
	}
	if g.Octets != nil {
		s.notSentOctets += *g.Octets
	}
}

// option is a field of an option record and its value.
type option struct {
	element, length uint16
	value           uint64
}

// option sends an option record. Its first field is the scope.
func (p *pass) option(domain uint32, options ...option) error {
	var fields []ipfix.Field
	p.room = p.room[:0]
	for _, o := range options {
		fields = append(fields, ipfix.Field{Element: o.element, Length: o.length})
		p.room = appendNumber(p.room, int(o.length), o.value)
	}
	return p.w.record(domain, 1, fields, templateKey(1, fields), p.room)
}

// sampling tells that one of so many packets was metered. Some collectors read the
// element of NetFlow 9 only.
func (p *pass) sampling(domain uint32) error {
	n := min(max(p.survey.summary.Sampling, 1), math.MaxUint32)
	return p.option(domain,
		option{ipfix.ObservationDomainID, 4, uint64(domain)},
		option{ipfix.SamplingInterval, 4, n},
		option{ipfix.SamplingPacketInterval, 4, 1},
		option{ipfix.SamplingPacketSpace, 4, n - 1})
}

// losses tells how many packets were not metered in a domain (RFC 7011 section 4.2):
// those that were not captured, and those for which the flow table had no room.
func (p *pass) losses(domain uint32) error {
	sum := &p.survey.summary
	if sum.Known == record.KnownFlows {
		return nil
	}
	lost := sum.Lost
	if len(sum.RuleSets) == 0 {
		lost += sum.Uncounted // of all rulesets
	}
	for i := range sum.RuleSets {
		if uint32(sum.RuleSets[i].RuleSet) == domain {
			lost += sum.RuleSets[i].Uncounted
		}
	}
	p.totals.ignored[domain] += lost
	c := &p.survey.collection
	return p.option(domain,
		option{ipfix.ObservationDomainID, 4, uint64(domain)},
		option{ipfix.MonitoringIntervalStart, 8, milliseconds(c.From)},
		option{ipfix.MonitoringIntervalEnd, 8, milliseconds(c.To)},
		option{ipfix.IgnoredPacketTotalCount, 8, p.totals.ignored[domain]})
}

// processDomain is the observation domain of what is of no domain.
const processDomain = 0

// process tells what was sent (RFC 7011 section 4.1) and what was not (4.3). It is what a
// collection ends with.
func (p *pass) process() error {
	p.totals.messages += p.w.messages
	c := &p.survey.collection
	err := p.option(processDomain, p.processOptions(c.From, c.To)...)
	p.totals.messages++ // with this
	return err
}

func (p *pass) processOptions(from, to int64) []option {
	t := &p.totals
	return []option{
		{ipfix.ExportingProcessID, 4, 1},
		{ipfix.MonitoringIntervalStart, 8, milliseconds(from)},
		{ipfix.MonitoringIntervalEnd, 8, milliseconds(to)},
		{ipfix.ObservationTimeNanoseconds, 8, ipfix.Time(to)},
		{ipfix.ExportedMessageTotalCount, 8, t.messages},
		{ipfix.ExportedFlowRecordTotalCount, 8, t.flows},
		{ipfix.NotSentFlowTotalCount, 8, t.notSentFlows},
		{ipfix.NotSentPacketTotalCount, 8, t.notSentPackets},
		{ipfix.NotSentOctetTotalCount, 8, t.notSentOctets},
	}
}
