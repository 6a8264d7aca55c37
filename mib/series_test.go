package mib

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/meter/series"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// TestSeries walks rtfmSeriesTable: interfaces of an interval, then rulesets, no gaps.
func TestSeries(t *testing.T) {
	m := newFakeMeter()
	m.series.Put(&series.Interval{Number: 1, From: 1e9, To: 2e9, Rows: []series.Row{
		{RuleSet: 1, PDUs: 11, NewFlows: 12, Flows: 1 << 40}, {RuleSet: 3, PDUs: 13}, {Interface: 0, PDUs: 14, Lost: 15}, {Interface: 1 << 31, PDUs: 16},
	}})
	m.series.Put(&series.Interval{Number: 2, From: 2e9, To: 9e9})
	m.series.Put(&series.Interval{Number: 3, From: 9e9, To: 10e9, Rows: []series.Row{{RuleSet: 3, PDUs: 17}}})
	h := New(m)
	walk := func(o *module.Object) string {
		var all []string
		name, out := o.OID, make([]smi.VarBind, 1)
		for {
			if err := h.Next([]smi.Range{{Start: name}}, out); err != nil {
				t.Fatal(err)
			}
			if !out[0].Name.HasPrefix(o.OID) || out[0].Value.Type == smi.EndOfMibView {
				return strings.Join(all, " ")
			}
			name = append(smi.OID(nil), out[0].Name...)
			all = append(all, fmt.Sprintf("%v=%d", name[len(o.OID):], out[0].Value.Uint))
			var again [1]smi.VarBind
			if h.Get([]smi.OID{name}, again[:]); again[0].Value.Uint != out[0].Value.Uint || again[0].Value.Type != out[0].Value.Type {
				t.Errorf("%v: Get finds %v, GetNext %v", name, again[0].Value, out[0].Value)
			}
		}
	}
	for o, want := range map[*module.Object]string{
		module.RtfmSeriesPDUs:     "1.0.0=14 1.0.2147483648=16 1.1.0=11 1.3.0=13 3.3.0=17",
		module.RtfmSeriesLost:     "1.0.0=15 1.0.2147483648=0",
		module.RtfmSeriesNewFlows: "1.1.0=12 1.3.0=0 3.3.0=0",
		module.RtfmSeriesFlows:    "1.1.0=4294967295 1.3.0=0 3.3.0=0",
	} {
		if got := walk(o); got != want {
			t.Errorf("%s: %s, want %s", o.Name, got, want)
		}
	}
	for _, name := range []smi.OID{module.RtfmSeriesPDUs.At(2, 0, 0), module.RtfmSeriesPDUs.At(1, 2, 0), module.RtfmSeriesPDUs.At(4, 0, 0), module.RtfmSeriesPDUs.At(1, 1), module.RtfmSeriesLost.At(1, 1, 0)} {
		var out [1]smi.VarBind
		if h.Get([]smi.OID{name}, out[:]); out[0].Value.Type != smi.NoSuchInstance {
			t.Errorf("%v is there: %v", name, out[0].Value)
		}
	}
}
