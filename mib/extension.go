package mib

import (
	"encoding/binary"
	"math"
	"time"

	"rtfm/mib/smi"
)

// extension is where RTFM-EXTENSION-MIB has its place: below the arc that
// net-snmp keeps for experiments, until an enterprise number is registered.
var extension = smi.OID{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 2720}

// extensionObjects are those of RTFM-EXTENSION-MIB.
func (h *Handler) extensionObjects() []object {
	count := func(oid smi.OID, get func(c Counts) uint64) object {
		return scalar(oid, func(v *smi.Value) {
			h.work += workCounts
			v.SetUint(smi.Counter64, get(h.meter.Counts()))
		})
	}
	meter := func(n uint32) smi.OID { return below(extension, 1, 1, n) }
	packets := func(n uint32) smi.OID { return below(extension, 1, 2, n) }
	trace := func(n uint32) smi.OID { return below(extension, 1, 5, n) }
	streams := func(n uint32) smi.OID { return below(extension, 1, 7, n) }
	objects := []object{
		scalar(meter(1), func(v *smi.Value) { v.SetOctets(smi.OctetString, []byte(h.meter.Identity().Version)) }),
		scalar(meter(2), func(v *smi.Value) { boot := h.meter.Identity().Boot; v.SetOctets(smi.OctetString, boot[:]) }),
		scalar(meter(3), func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptime()) }),
		scalar(meter(4), func(v *smi.Value) { v.SetUint(smi.Counter64, uint64(h.meter.Start())) }),
		count(meter(5), func(c Counts) uint64 { return c.Memory }),
		count(meter(6), func(c Counts) uint64 { return c.FlowsCreated }),
		count(meter(7), func(c Counts) uint64 { return c.FlowsRecovered }),
		count(meter(8), func(Counts) uint64 { return uint64(h.meter.Now()) }),
		scalar(meter(9), func(v *smi.Value) { setTruth(v, h.meter.Ending()) }),
		count(meter(10), func(c Counts) uint64 { return c.Floods }),
		count(packets(1), func(c Counts) uint64 { return c.Packets }),
		count(packets(2), func(c Counts) uint64 { return c.Octets }),
		count(packets(3), func(c Counts) uint64 { return c.CutShort }),
		count(packets(4), func(c Counts) uint64 { return c.Malformed }),
		count(packets(5), func(c Counts) uint64 { return c.UnknownLink }),
		count(packets(6), func(c Counts) uint64 { return c.BackInTime }),
		count(packets(7), func(c Counts) uint64 { return c.Lost }),
		count(packets(8), func(c Counts) uint64 { return c.Duplicates }),
		count(packets(9), func(c Counts) uint64 { return c.SampledOut }),
		count(packets(10), func(c Counts) uint64 { return c.Outliers }),
		count(packets(11), func(c Counts) uint64 { return c.Clamped }),
		scalar(streams(1), func(v *smi.Value) {
			h.work += workCounts
			v.SetUint(smi.Gauge32, h.meter.Counts().StreamsActive)
		}),
		count(streams(2), func(c Counts) uint64 { return c.StreamsCreated }),
		count(streams(3), func(c Counts) uint64 { return c.StreamsEnded }),
		count(streams(4), func(c Counts) uint64 { return c.Unstreamed }),
		h.traceState(trace(1)),
		count(trace(2), func(Counts) uint64 { return h.meter.Trace().Collections }),
		scalar(trace(3), func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptimeAt(h.meter.Trace().From)) }),
		scalar(trace(4), func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptimeAt(h.meter.Trace().To)) }),
		count(trace(5), func(Counts) uint64 { return uint64(h.meter.Trace().To) }),
		count(trace(6), func(Counts) uint64 { return uint64(h.meter.Trace().PassedOver) }),
	}
	objects = append(objects, scalar(meter(15), func(v *smi.Value) {
		h.work += workCounts
		v.SetUint(smi.Gauge32, min(h.meter.Counts().Memory>>10, math.MaxUint32))
	}))
	objects = append(objects, timeObjects(meter(11), meter(12), h.meter.Start)...)
	objects = append(objects, timeObjects(meter(13), meter(14), h.meter.Now)...)
	objects = append(objects, timeObjects(trace(8), trace(9), func() int64 { return h.meter.Trace().To })...)
	objects = append(objects, h.traceCollected(trace(7)))
	objects = append(objects, h.ruleSetCountObjects()...)
	objects = append(objects, h.interfaceCountObjects()...)
	return append(objects, h.blockObjects()...)
}

// timeObjects are a time, in nanoseconds since 1970-01-01 00:00:00 UTC, as DateAndTime
// (RFC 2579 section 2) and as RtfmExactTime.
func timeObjects(date, exact smi.OID, get func() int64) []object {
	return []object{
		scalar(date, func(v *smi.Value) { v.SetOctets(smi.OctetString, dateAndTime(get())) }),
		scalar(exact, func(v *smi.Value) {
			v.SetOctets(smi.OctetString, binary.BigEndian.AppendUint64(nil, uint64(get())))
		}),
	}
}

// dateAndTime returns a time as DateAndTime in UTC; 0 has no date.
func dateAndTime(ns int64) []byte {
	if ns == 0 {
		return make([]byte, 8)
	}
	t := time.Unix(0, ns).UTC()
	b := binary.BigEndian.AppendUint16(nil, uint16(t.Year()))
	return append(b, byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second()),
		byte(t.Nanosecond()/int(100*time.Millisecond)), '+', 0, 0)
}

// traceState is rtfmTraceState. A manager may set it to reading, once the
// trace waits to be told to.
func (h *Handler) traceState(oid smi.OID) object {
	o := scalar(oid, func(v *smi.Value) { v.SetInt(int32(h.meter.Trace().State)) })
	o.check = integer(int32(TraceReading), int32(TraceReading))
	o.plan = func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
		if !o.table.find(index) {
			return smi.NoCreation
		}
		switch p.seen.trace.State {
		case TraceNone, TraceWaitingForRuleSet:
			return smi.InconsistentValue
		case TraceWaitingForReader, TraceEnded:
			set(p, &p.control.TraceGo, true)
		}
		return smi.NoError
	}
	return o
}

// traceCollected is rtfmTraceCollected. A manager sets it to one more, once it has
// read the flows for which the trace waits; should its request come twice, the
// second one changes nothing.
func (h *Handler) traceCollected(oid smi.OID) object {
	o := scalar(oid, func(v *smi.Value) { v.SetUint(smi.Gauge32, h.meter.Trace().Collected) })
	o.check = func(v *smi.Value) smi.Status {
		if v.Type != smi.Gauge32 {
			return smi.WrongType
		}
		return smi.NoError
	}
	o.plan = func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
		t := &p.seen.trace
		waits := t.State == TraceWaitingForReader || t.State == TraceEnded
		switch {
		case !o.table.find(index):
			return smi.NoCreation
		case v.Uint <= t.Collected:
		case waits && v.Uint == t.Collected+1:
			set(p, &p.control.TraceGo, true)
		default:
			return smi.InconsistentValue
		}
		return smi.NoError
	}
	return o
}

// ruleSetCountObjects are those of rtfmRuleSetTable.
func (h *Handler) ruleSetCountObjects() []object {
	t := &numbered[RuleSet]{rows: func() *Rows[RuleSet] { return &h.meter.Control().RuleSets }}
	var objects []object
	for i, get := range []func(c RuleSetCounts) uint64{
		func(c RuleSetCounts) uint64 { return c.Matched },
		func(c RuleSetCounts) uint64 { return c.Ignored },
		func(c RuleSetCounts) uint64 { return c.Unmatched },
		func(c RuleSetCounts) uint64 { return c.Stopped },
		func(c RuleSetCounts) uint64 { return c.Uncounted },
		func(c RuleSetCounts) uint64 { return c.Packets },
	} {
		objects = append(objects, object{
			oid: below(extension, 1, 3, 1, uint32(i+1)), table: t,
			get: func(v *smi.Value) bool { v.SetUint(smi.Counter64, get(h.meter.RuleSetCounts(t.index))); return true },
		})
	}
	return objects
}

// interfaceCountObjects are those of rtfmInterfaceTable.
func (h *Handler) interfaceCountObjects() []object {
	t := h.interfaceTable()
	return []object{
		{oid: below(extension, 1, 4, 1, 1), table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.Counter64, t.current.Packets)
			return true
		}},
		{oid: below(extension, 1, 4, 1, 2), table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.Counter64, t.current.Lost)
			return true
		}},
		{oid: below(extension, 1, 4, 1, 3), table: t, get: func(v *smi.Value) bool {
			v.SetOctets(smi.OctetString, []byte(t.current.Name))
			return true
		}},
	}
}

// Bindings returns the name of a notification and its variables.
func (n *Notification) Bindings() (smi.OID, []smi.VarBind) {
	count := func(oid smi.OID) smi.VarBind {
		vb := smi.VarBind{Name: oid}
		vb.Value.SetUint(smi.Counter64, n.Count)
		return vb
	}
	integer := func(oid smi.OID, i int) smi.VarBind {
		vb := smi.VarBind{Name: oid}
		vb.Value.SetInt(int32(i))
		return vb
	}
	text := func(oid smi.OID, s string) smi.VarBind {
		vb := smi.VarBind{Name: oid}
		vb.Value.SetOctets(smi.OctetString, []byte(s))
		return vb
	}
	row := uint32(n.Index)
	active := func() smi.VarBind { return integer(below(flowMIB, 1, 7, 0), int(n.Count)) }
	var vars []smi.VarBind
	switch n.Kind {
	case MeterStarted:
		vars = []smi.VarBind{
			text(below(extension, 1, 1, 1, 0), n.Identity.Version), text(below(extension, 1, 1, 2, 0), string(n.Identity.Boot[:])),
		}
	case Standby, StandbyOver:
		vars = []smi.VarBind{
			integer(below(flowMIB, 1, 4, 1, columnManagerCurrent, row), n.RuleSet),
			text(below(flowMIB, 1, 4, 1, columnManagerOwner, row), n.Owner), active(),
		}
	case Flood, FloodOver:
		vars = []smi.VarBind{active()}
	case ReaderTimedOut:
		vars = []smi.VarBind{
			integer(below(flowMIB, 1, 3, 1, columnReaderRuleSet, row), n.RuleSet),
			text(below(flowMIB, 1, 3, 1, columnReaderOwner, row), n.Owner),
		}
	case TableFull:
		vars = []smi.VarBind{count(below(extension, 1, 3, 1, 5, row))}
	case PacketsLost:
		vars = []smi.VarBind{count(below(extension, 1, 4, 1, 2, row))}
	}
	return below(extension, 0, uint32(n.Kind)), vars
}
