package mib

import (
	"math"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// scalarObjects are the scalars of flowControl.
func (h *Handler) scalarObjects() []object {
	percent := integer(0, 100)
	return []object{
		h.writable(module.FlowFloodMark, percent,
			func(c *Control, v *smi.Value) { v.SetInt(int32(c.FloodMark)) },
			func(p *plan, v *smi.Value) { set(p, &p.control.FloodMark, int(v.Int)) }),
		h.writable(module.FlowInactivityTimeout, integer(0, math.MaxInt32),
			func(c *Control, v *smi.Value) { v.SetInt(int32(c.InactivityTimeout)) },
			func(p *plan, v *smi.Value) { set(p, &p.control.InactivityTimeout, int(v.Int)) }),
		scalar(module.FlowActiveFlows, func(v *smi.Value) { v.SetInt(int32(h.meter.Flows(0))) }),
		scalar(module.FlowMaxFlows, func(v *smi.Value) { v.SetInt(int32(h.meter.MaxFlows())) }),
		h.writable(module.FlowFloodMode, truthValue,
			func(c *Control, v *smi.Value) { setTruth(v, c.FloodMode) },
			func(p *plan, v *smi.Value) { set(p, &p.control.FloodMode, v.Int == 1) }),
	}
}

// writable returns a scalar of the control group that can be set.
func (h *Handler) writable(named *module.Object, check func(*smi.Value) smi.Status, get func(*Control, *smi.Value), change func(*plan, *smi.Value)) object {
	o := scalar(named, func(v *smi.Value) { get(h.meter.Control(), v) })
	o.check = check
	o.plan = func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
		if !o.table.find(index) {
			return smi.NoCreation
		}
		change(p, v)
		return smi.NoError
	}
	return o
}

// interfaceObjects are those of flowInterfaceTable.
func (h *Handler) interfaceObjects() []object {
	t := h.interfaceTable()
	return []object{
		{
			oid: module.FlowInterfaceSampleRate.OID, table: t, check: integer(0, math.MaxInt32),
			get: func(v *smi.Value) bool { v.SetInt(int32(t.current.SampleRate)); return true },
			plan: func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
				if len(index) != 1 {
					return smi.NoCreation
				}
				row := p.seen.interfaces.At(int(index[0]))
				if row == nil {
					return smi.NoCreation
				}
				set(p, &row.SampleRate, int(v.Int))
				return smi.NoError
			},
		},
		{
			oid: module.FlowInterfaceLostPackets.OID, table: t,
			get: func(v *smi.Value) bool { v.SetUint(smi.Counter32, t.current.Lost); return true },
		},
	}
}

// interfaceTable is flowInterfaceTable. The meter changes its rows in place.
func (h *Handler) interfaceTable() *numbered[Interface] {
	return &numbered[Interface]{rows: func() *Rows[Interface] { return &h.meter.Control().Interfaces }}
}
