package client

import (
	"slices"
	"testing"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// without is a meter that has not got some scalars.
type without struct {
	smi.Handler
	hidden []*module.Object
}

// Get implements smi.Handler.
func (w *without) Get(names []smi.OID, out []smi.VarBind) error {
	if err := w.Handler.Get(names, out); err != nil {
		return err
	}
	for i, name := range names {
		if slices.ContainsFunc(w.hidden, func(o *module.Object) bool { return name.HasPrefix(o.OID) }) {
			out[i].Value.SetNone(smi.NoSuchObject)
		}
	}
	return nil
}

// Next implements smi.Handler. What is behind a hidden object is hidden too.
func (w *without) Next(ranges []smi.Range, out []smi.VarBind) error {
	if err := w.Handler.Next(ranges, out); err != nil {
		return err
	}
	for i := range out {
		if slices.ContainsFunc(w.hidden, func(o *module.Object) bool { return out[i].Name.HasPrefix(o.OID) }) {
			out[i].Value.SetNone(smi.EndOfMibView)
		}
	}
	return nil
}

// Bulk implements smi.Handler.
func (w *without) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	return b.Fill(w.Next, out)
}

// TestOlderAndLaterMeters reads what a meter says of itself, its times to the
// nanosecond, from a meter as it is, from one that is older, and from one that has
// given the deprecated objects up.
func TestOlderAndLaterMeters(t *testing.T) {
	var h *mib.Handler
	packet := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2))[0]
	packet.Time = 1_795_252_405_227_917_003
	metered(t, func(m mib.Meter) *Client {
		h = mib.New(m)
		return dial(t, serve(t, h))
	}, program(t, "all-flows"), []traces.Packet{packet})
	for what, hidden := range map[string][]*module.Object{
		"present": nil,
		"older":   {module.RtfmMeterStartExact, module.RtfmMeterNowExact, module.RtfmMeterMemoryUsed, module.RtfmTraceToExact, module.RtfmPacketsFiltered, module.RtfmPacketsDecapsulated},
		"first": {
			module.RtfmMeterStartExact, module.RtfmMeterNowExact, module.RtfmMeterMemoryUsed, module.RtfmTraceToExact, module.RtfmMeterFloods, module.RtfmPacketsDuplicates,
			module.RtfmPacketsDecapsulated, module.RtfmPacketsEnvelopeFragments, module.RtfmPacketsEnvelopesCut, module.RtfmPacketsEnvelopesUnknown, module.RtfmPacketsDuplicatesRouted, module.RtfmPacketsSampledOut, module.RtfmPacketsOutliers, module.RtfmPacketsClamped, module.RtfmPacketsFiltered, module.RtfmRuleSetPackets, module.RtfmInterfaceName,
		},
		"later": {module.RtfmMeterStart, module.RtfmMeterNow, module.RtfmMeterMemory, module.RtfmTraceToTime},
	} {
		c := dial(t, serve(t, &without{h, hidden}))
		s, err := c.Status(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if s.Start != packet.Time || s.Now != packet.Time || s.Counts.Memory < 1<<20 || s.Counts.Memory > 1<<40 {
			t.Errorf("%s: start %d, now %d, memory %d; want both to be %d", what, s.Start, s.Now, s.Counts.Memory, packet.Time)
		}
		if tr, err := c.Trace(t.Context()); err != nil || tr.To != packet.Time {
			t.Errorf("%s: trace %+v, %v; want it to end at %d", what, tr, err, packet.Time)
		}
		n, err := c.Counts(t.Context(), []int{2, 9})
		if err != nil || n.Packets != 1 || len(n.RuleSets) != 1 || n.RuleSets[2].Packets != 1 {
			t.Errorf("%s: counts %+v, %v", what, n, err)
		}
		in, err := c.Interfaces(t.Context())
		if err != nil || in.At(1) == nil || in.At(1).Packets != 1 {
			t.Errorf("%s: interfaces %+v, %v", what, in, err)
		}
	}
}
