package mib

import (
	"encoding/binary"
	"math"
	"time"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// extensionObjects are those of RTFM-EXTENSION-MIB.
func (h *Handler) extensionObjects() []object {
	count := func(named *module.Object, get func(c Counts) uint64) object {
		return scalar(named, func(v *smi.Value) {
			h.work += workCounts
			v.SetUint(smi.Counter64, get(h.meter.Counts()))
		})
	}
	objects := []object{
		scalar(module.RtfmMeterVersion, func(v *smi.Value) { v.SetOctets(smi.OctetString, []byte(h.meter.Identity().Version)) }),
		scalar(module.RtfmMeterBoot, func(v *smi.Value) { boot := h.meter.Identity().Boot; v.SetOctets(smi.OctetString, boot[:]) }),
		scalar(module.RtfmMeterUptime, func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptime()) }),
		scalar(module.RtfmMeterStart, func(v *smi.Value) { v.SetUint(smi.Counter64, uint64(h.meter.Start())) }),
		count(module.RtfmMeterMemory, func(c Counts) uint64 { return c.Memory }),
		count(module.RtfmMeterFlowsCreated, func(c Counts) uint64 { return c.FlowsCreated }),
		count(module.RtfmMeterFlowsRecovered, func(c Counts) uint64 { return c.FlowsRecovered }),
		count(module.RtfmMeterNow, func(Counts) uint64 { return uint64(h.meter.Now()) }),
		scalar(module.RtfmMeterEnding, func(v *smi.Value) { setTruth(v, h.meter.Ending()) }),
		count(module.RtfmMeterFloods, func(c Counts) uint64 { return c.Floods }),
		count(module.RtfmPacketsMetered, func(c Counts) uint64 { return c.Packets }),
		count(module.RtfmPacketsOctets, func(c Counts) uint64 { return c.Octets }),
		count(module.RtfmPacketsCut, func(c Counts) uint64 { return c.CutShort }),
		count(module.RtfmPacketsMalformed, func(c Counts) uint64 { return c.Malformed }),
		count(module.RtfmPacketsUnknownLink, func(c Counts) uint64 { return c.UnknownLink }),
		count(module.RtfmPacketsBackInTime, func(c Counts) uint64 { return c.BackInTime }),
		count(module.RtfmPacketsLost, func(c Counts) uint64 { return c.Lost }),
		count(module.RtfmPacketsDuplicates, func(c Counts) uint64 { return c.Duplicates }),
		count(module.RtfmPacketsSampledOut, func(c Counts) uint64 { return c.SampledOut }),
		count(module.RtfmPacketsOutliers, func(c Counts) uint64 { return c.Outliers }),
		count(module.RtfmPacketsClamped, func(c Counts) uint64 { return c.Clamped }),
		count(module.RtfmPacketsFiltered, func(c Counts) uint64 { return c.Filtered }),
		count(module.RtfmPacketsDecapsulated, func(c Counts) uint64 { return c.Decapsulated }),
		count(module.RtfmPacketsEnvelopeFragments, func(c Counts) uint64 { return c.EnvelopeFragments }),
		count(module.RtfmPacketsEnvelopesCut, func(c Counts) uint64 { return c.EnvelopesCut }),
		count(module.RtfmPacketsEnvelopesUnknown, func(c Counts) uint64 { return c.EnvelopesUnknown }),
		count(module.RtfmPacketsDuplicatesRouted, func(c Counts) uint64 { return c.DuplicatesRouted }),
		scalar(module.RtfmStreamsActive, func(v *smi.Value) {
			h.work += workCounts
			v.SetUint(smi.Gauge32, h.meter.Counts().StreamsActive)
		}),
		count(module.RtfmStreamsCreated, func(c Counts) uint64 { return c.StreamsCreated }),
		count(module.RtfmStreamsEnded, func(c Counts) uint64 { return c.StreamsEnded }),
		count(module.RtfmStreamsUnstreamed, func(c Counts) uint64 { return c.Unstreamed }),
		h.traceState(),
		count(module.RtfmTraceCollections, func(Counts) uint64 { return h.meter.Trace().Collections }),
		scalar(module.RtfmTraceFrom, func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptimeAt(h.meter.Trace().From)) }),
		scalar(module.RtfmTraceTo, func(v *smi.Value) { v.SetUint(smi.TimeTicks, h.uptimeAt(h.meter.Trace().To)) }),
		count(module.RtfmTraceToTime, func(Counts) uint64 { return uint64(h.meter.Trace().To) }),
		count(module.RtfmTracePassedOver, func(Counts) uint64 { return uint64(h.meter.Trace().PassedOver) }),
	}
	objects = append(objects, scalar(module.RtfmMeterMemoryUsed, func(v *smi.Value) {
		h.work += workCounts
		v.SetUint(smi.Gauge32, min(h.meter.Counts().Memory>>10, math.MaxUint32))
	}))
	objects = append(objects, timeObjects(module.RtfmMeterStartDate, module.RtfmMeterStartExact, h.meter.Start)...)
	objects = append(objects, timeObjects(module.RtfmMeterNowDate, module.RtfmMeterNowExact, h.meter.Now)...)
	objects = append(objects, timeObjects(module.RtfmTraceToDate, module.RtfmTraceToExact, func() int64 { return h.meter.Trace().To })...)
	objects = append(objects, h.traceCollected())
	objects = append(objects, h.ruleSetCountObjects()...)
	objects = append(objects, h.interfaceCountObjects()...)
	objects = append(objects, h.seriesObjects()...)
	objects = append(objects, h.flowIDObjects()...)
	objects = append(objects, h.feedObjects()...)
	return append(objects, h.blockObjects()...)
}

// timeObjects are a time, in nanoseconds since 1970-01-01 00:00:00 UTC, as DateAndTime
// (RFC 2579 section 2) and as RtfmExactTime.
func timeObjects(date, exact *module.Object, get func() int64) []object {
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
func (h *Handler) traceState() object {
	o := scalar(module.RtfmTraceState, func(v *smi.Value) { v.SetInt(int32(h.meter.Trace().State)) })
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
func (h *Handler) traceCollected() object {
	o := scalar(module.RtfmTraceCollected, func(v *smi.Value) { v.SetUint(smi.Gauge32, h.meter.Trace().Collected) })
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
	for _, o := range []struct {
		named *module.Object
		get   func(c RuleSetCounts) uint64
	}{
		{module.RtfmRuleSetMatched, func(c RuleSetCounts) uint64 { return c.Matched }},
		{module.RtfmRuleSetIgnored, func(c RuleSetCounts) uint64 { return c.Ignored }},
		{module.RtfmRuleSetUnmatched, func(c RuleSetCounts) uint64 { return c.Unmatched }},
		{module.RtfmRuleSetStopped, func(c RuleSetCounts) uint64 { return c.Stopped }},
		{module.RtfmRuleSetUncounted, func(c RuleSetCounts) uint64 { return c.Uncounted }},
		{module.RtfmRuleSetPackets, func(c RuleSetCounts) uint64 { return c.Packets }},
	} {
		objects = append(objects, object{
			oid: o.named.OID, table: t,
			get: func(v *smi.Value) bool { v.SetUint(smi.Counter64, o.get(h.meter.RuleSetCounts(t.index))); return true },
		})
	}
	return objects
}

// interfaceCountObjects are those of rtfmInterfaceTable.
func (h *Handler) interfaceCountObjects() []object {
	t := h.interfaceTable()
	return []object{
		{oid: module.RtfmInterfacePackets.OID, table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.Counter64, t.current.Packets)
			return true
		}},
		{oid: module.RtfmInterfaceLost.OID, table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.Counter64, t.current.Lost)
			return true
		}},
		{oid: module.RtfmInterfaceName.OID, table: t, get: func(v *smi.Value) bool {
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
	active := func() smi.VarBind { return integer(module.FlowActiveFlows.At(0), int(n.Count)) }
	var vars []smi.VarBind
	switch n.Kind {
	case MeterStarted:
		vars = []smi.VarBind{
			text(module.RtfmMeterVersion.At(0), n.Identity.Version), text(module.RtfmMeterBoot.At(0), string(n.Identity.Boot[:])),
		}
	case Standby, StandbyOver:
		vars = []smi.VarBind{
			integer(module.FlowManagerCurrentRuleSet.At(row), n.RuleSet),
			text(module.FlowManagerOwner.At(row), n.Owner), active(),
		}
	case Flood, FloodOver:
		vars = []smi.VarBind{active()}
	case ReaderTimedOut:
		vars = []smi.VarBind{
			integer(module.FlowReaderRuleSet.At(row), n.RuleSet),
			text(module.FlowReaderOwner.At(row), n.Owner),
		}
	case TableFull:
		vars = []smi.VarBind{count(module.RtfmRuleSetUncounted.At(row))}
	case PacketsLost:
		vars = []smi.VarBind{count(module.RtfmInterfaceLost.At(row))}
	}
	return below(module.Extension, 0, uint32(n.Kind)), vars
}
