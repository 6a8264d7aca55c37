package meter

import (
	"rtfm/meter/flow"
	"rtfm/ruleset"
	"rtfm/ruleset/pme"
)

// task is a ruleset that is run over every packet.
type task struct {
	program *pme.Program
	table   *flow.Table
	stats   TaskStats
	// Room for the packet at hand.
	key      ruleset.Key
	flow     ruleset.FlowKey
	flowKey  flow.Key
	reversed flow.Key
}

// TaskStats counts what became of the packets that a ruleset has seen.
type TaskStats struct {
	RuleSet int
	Name    string
	// Counted packets are in a flow. Ignored ones were left out by an Ignore
	// rule; Unmatched ones matched in neither direction; Stopped ones hit a
	// limit of the engine; Uncounted ones found the flow table full.
	Counted, Ignored, Unmatched, Stopped, Uncounted uint64
}

func newTask(rs *ruleset.RuleSet, number int, shapes *ruleset.Shapes, table *flow.Table) (*task, error) {
	p, err := pme.Compile(rs, number, shapes)
	if err != nil {
		return nil, err
	}
	return &task{program: p, table: table, stats: TaskStats{RuleSet: number, Name: rs.Name}}, nil
}

// meter matches the packet and counts it in its flow, by the algorithm of RFC
// 2722 section 4.3: a packet that matches as it comes belongs to the flow of
// its direction, or of the other one if that is current; one that only matches
// with source and destination changed over belongs to the reverse of that flow.
func (t *task) meter(p *ruleset.Packet, octets uint64, now int64) {
	switch t.program.Match(p, &p.Key, false, &t.flow) {
	case pme.Success:
		t.table.Prepare(&t.flowKey, &t.flow)
		if row := t.table.Find(&t.flowKey); row != 0 {
			t.count(row, flow.Forward, octets, now)
			return
		}
		reverse := t.flow.Reverse()
		t.table.Prepare(&t.reversed, &reverse)
		if row := t.table.Find(&t.reversed); row != 0 {
			t.count(row, flow.Backward, octets, now)
			return
		}
		t.create(flow.Forward, octets, now)
	case pme.Ignore:
		t.stats.Ignored++
	case pme.Stopped:
		t.stats.Stopped++
	case pme.NoMatch:
		t.meterReversed(p, octets, now)
	}
}

// meterReversed does for match(D->S) what meter does for match(S->D).
func (t *task) meterReversed(p *ruleset.Packet, octets uint64, now int64) {
	t.key = p.Key.Reverse()
	switch t.program.Match(p, &t.key, true, &t.flow) {
	case pme.Success:
		t.table.Prepare(&t.flowKey, &t.flow)
		if row := t.table.Find(&t.flowKey); row != 0 {
			t.count(row, flow.Backward, octets, now)
			return
		}
		t.create(flow.Backward, octets, now)
	case pme.Ignore:
		t.stats.Ignored++
	case pme.Stopped:
		t.stats.Stopped++
	case pme.NoMatch:
		t.stats.Unmatched++
	}
}

func (t *task) count(row uint32, d flow.Direction, octets uint64, now int64) {
	t.table.Count(row, d, octets, now)
	t.stats.Counted++
}

// create makes the flow that flowKey identifies and counts the packet in it.
func (t *task) create(d flow.Direction, octets uint64, now int64) {
	row := t.table.Create(&t.flowKey, now)
	if row == 0 {
		t.stats.Uncounted++
		return
	}
	t.count(row, d, octets, now)
}
