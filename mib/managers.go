package mib

import (
	"math"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// managerObjects are those of flowManagerInfoTable.
func (h *Handler) managerObjects() []object {
	t := &controlTable[Manager]{
		highest: math.MaxInt32, status: module.FlowManagerStatus,
		changes: func(p *plan) *changes[Manager] { return &p.managers },
		row:     func(m *Manager) *Row { return &m.Row },
		ready:   func(*Manager) bool { return true },
		finish:  func(p *plan, c *change[Manager]) { c.new.TimeStamp = p.uptime },
		locked:  func(int) bool { return false },
		refusal: smi.InconsistentValue,
	}
	t.rows = func() *Rows[Manager] { return &h.meter.Control().Managers }
	t.columns = []controlColumn[Manager]{
		intColumn(module.FlowManagerCurrentRuleSet, 0, math.MaxInt32, true, func(m *Manager) *int { return &m.CurrentRuleSet }),
		intColumn(module.FlowManagerStandbyRuleSet, 0, math.MaxInt32, true, func(m *Manager) *int { return &m.StandbyRuleSet }),
		intColumn(module.FlowManagerHighWaterMark, 0, 100, true, func(m *Manager) *int { return &m.HighWaterMark }),
		{
			// wrap(1), scale(2): both hold, since no counter of 64 bits ever
			// reaches the top of its range.
			named: module.FlowManagerCounterWrap, check: integer(1, 2),
			get: func(m *Manager, v *smi.Value) { setTruth(v, !m.CounterScale) },
			set: func(p *plan, old, m *Manager, v *smi.Value) { m.CounterScale = v.Int == 2 },
		},
		t.ownerColumn(module.FlowManagerOwner),
		{
			named: module.FlowManagerTimeStamp,
			get:   func(m *Manager, v *smi.Value) { v.SetUint(smi.TimeTicks, m.TimeStamp) },
		},
		{
			named: module.FlowManagerRunningStandby, check: truthValue, whileActive: true,
			get: func(m *Manager, v *smi.Value) { setTruth(v, m.RunningStandby) },
			set: func(p *plan, old, m *Manager, v *smi.Value) { m.RunningStandby = v.Int == 1 },
		},
	}
	return t.objects()
}
