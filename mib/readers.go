package mib

import (
	"math"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// readerObjects are those of flowReaderInfoTable.
func (h *Handler) readerObjects() []object {
	t := &controlTable[Reader]{
		highest: math.MaxInt32, status: module.FlowReaderStatus,
		changes: func(p *plan) *changes[Reader] { return &p.readers },
		row:     func(r *Reader) *Row { return &r.Row },
		ready:   func(r *Reader) bool { return r.RuleSet != 0 },
		finish: func(p *plan, c *change[Reader]) {
			if c.new.Active && (c.old == nil || !c.old.Active) {
				c.new.Seen = p.uptime
			}
		},
		locked:  func(int) bool { return false },
		refusal: smi.InconsistentValue,
	}
	t.rows = func() *Rows[Reader] { return &h.meter.Control().Readers }
	t.columns = []controlColumn[Reader]{
		intColumn(module.FlowReaderTimeout, 0, math.MaxInt32, true, func(r *Reader) *int { return &r.Timeout }),
		t.ownerColumn(module.FlowReaderOwner),
		{
			// Whatever is written, the meter puts its Uptime here. But a reader
			// may write the LastTime that it knows: should the network double
			// its request, the second finds that in PreviousTime, and a
			// collection that the reader never made does not count. Both times
			// are the same after two requests within a centisecond.
			named: module.FlowReaderLastTime, check: timeTicks, whileActive: true,
			get: func(r *Reader, v *smi.Value) { v.SetUint(smi.TimeTicks, r.LastTime) },
			set: func(p *plan, old, r *Reader, v *smi.Value) {
				if old != nil && v.Uint != 0 && uint32(v.Uint) == uint32(old.PreviousTime) && old.LastTime != old.PreviousTime {
					return
				}
				if old != nil {
					r.PreviousTime = old.LastTime
				}
				r.LastTime, r.Seen = p.uptime, p.uptime
			},
		},
		{
			named: module.FlowReaderPreviousTime,
			get:   func(r *Reader, v *smi.Value) { v.SetUint(smi.TimeTicks, r.PreviousTime) },
		},
		intColumn(module.FlowReaderRuleSet, 1, math.MaxInt32, false, func(r *Reader) *int { return &r.RuleSet }),
	}
	h.readers = t
	return t.objects()
}
