package mib

import (
	"fmt"
	"math"
	"testing"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/ruleset/match"
)

// idMeter is a meter with flows that have FlowIDs, two of two rulesets the same.
func idMeter() *fakeMeter {
	m := flowMeter()
	m.flows = nil
	m.flowIDs = map[uint32]uint64{1: 1<<63 | 5, 2: 0x0102030405060708, 3: 0x0102030405060708, 9: math.MaxUint64}
	for _, f := range []struct {
		row     uint32
		ruleSet int
	}{{1, 2}, {2, 3}, {3, 2}, {7, 2}, {9, 2}} {
		m.flows = append(m.flows, fakeFlow{ruleSet: f.ruleSet, Flow: match.Flow{Index: f.row, FirstTime: m.start + int64(f.row)*match.Centisecond}})
	}
	return m
}

// TestFlowIDTable walks rtfmFlowIdTable, and asks for its rows.
func TestFlowIDTable(t *testing.T) {
	h := New(idMeter())
	var got []string
	entry := module.RtfmFlowIDIndex.OID
	for name := entry; ; {
		vb := next(t, h, name)
		if !vb.Name.HasPrefix(entry) {
			break
		}
		got = append(got, fmt.Sprint(vb.Name[len(entry):], "=", vb.Value.Int))
		if same := get(t, h, vb.Name); !same.Equal(&vb) {
			t.Errorf("%v, by GetNext %v", &same, &vb)
		}
		name = vb.Name
	}
	want := []string{"1.2.3.4.5.6.7.8.2=3", "1.2.3.4.5.6.7.8.3=2", "128.0.0.0.0.0.0.5.2=1", "255.255.255.255.255.255.255.255.2=9"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	row := smi.OID{1, 2, 3, 4, 5, 6, 7, 8, 3}
	first := smitest.Uint(module.RtfmFlowIDFirstTime.At(row...).String(), smi.TimeTicks, 2)
	if got := get(t, h, first.Name); !got.Equal(&first) {
		t.Errorf("%v, want %v", &got, &first)
	}
}

// TestFlowIDTableFrom asks for the row behind indexes that are cut short, too long, or no
// octets, and for rows that are not there.
func TestFlowIDTableFrom(t *testing.T) {
	h := New(idMeter())
	entry := module.RtfmFlowIDIndex.OID
	for _, tt := range []struct {
		after smi.OID
		row   int32 // 0: there is none
	}{
		{smi.OID{}, 3}, {smi.OID{1}, 3}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8}, 3}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8, 2}, 2},
		{smi.OID{1, 2, 3, 4, 5, 6, 7, 8, 2, 0}, 2}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8, 3}, 1}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 9}, 1},
		{smi.OID{1, 2, 300}, 1}, {smi.OID{0, 300}, 3}, {smi.OID{300}, 0}, {smi.OID{1, 2, 3, 4, 5, 6, 7, 8, math.MaxUint32}, 1},
		{smi.OID{255, 255, 255, 255, 255, 255, 255, 255}, 9}, {smi.OID{255, 255, 255, 255, 255, 255, 255, 255, 2}, 0},
		{smi.OID{255, 255, 255, 255, 255, 255, 255, 256}, 0}, {smi.OID{255, 255, 255, 255, 255, 255, 255, 256, 0}, 0},
	} {
		vb := next(t, h, module.RtfmFlowIDIndex.At(tt.after...))
		if there := vb.Name.HasPrefix(entry); there != (tt.row != 0) || there && vb.Value.Int != tt.row {
			t.Errorf("after %v: %v, want row %d", tt.after, &vb, tt.row)
		}
	}
	for _, index := range []smi.OID{{}, {1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 3, 4, 5, 6, 7, 8, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 2, 1}, {1, 2, 3, 4, 5, 6, 6, 264, 2}} {
		if vb := get(t, h, module.RtfmFlowIDIndex.At(index...)); vb.Value.Type != smi.NoSuchInstance {
			t.Errorf("%v: %v", index, &vb)
		}
	}
}
