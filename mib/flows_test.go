package mib

import (
	"fmt"
	"testing"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestFlowColumns compares every column of one flow with what the flow is.
func TestFlowColumns(t *testing.T) {
	h := New(flowMeter())
	const at = ".2.0.1"
	column := func(n int) string { return fmt.Sprint(root, "2.1.1.", n, at) }
	text := func(n int, s string) smi.VarBind { return smitest.Octets(column(n), smi.OctetString, s) }
	for _, want := range []smi.VarBind{
		smitest.Int(column(3), 2),
		smitest.Int(column(4), 0),
		smitest.Int(column(5), 0),
		text(6, ""), text(7, ""),
		smitest.Int(column(8), 1),
		text(9, "\x0a\x01\x02\x00"), text(10, "\xff\xff\xff\x00"),
		smitest.Int(column(11), 0),
		text(12, "\x00\x00"), text(13, "\x00\x00"),
		smitest.Int(column(14), 0),
		smitest.Int(column(15), 0),
		text(16, ""), text(17, ""),
		smitest.Int(column(18), 1),
		text(19, "\xc0\xa8\x00\x01"), text(20, "\xff\xff\xff\xff"),
		smitest.Int(column(21), 0),
		text(22, "\x00\x35"), text(23, "\xff\xff"),
		smitest.Int(column(24), 0),
		smitest.Int(column(25), 0),
		smitest.Uint(column(27), smi.Counter64, 1<<40),
		smitest.Uint(column(28), smi.Counter64, 200),
		smitest.Uint(column(29), smi.Counter64, 127),
		smitest.Uint(column(30), smi.Counter64, 1<<63),
		smitest.Uint(column(31), smi.TimeTicks, 100),
		smitest.Uint(column(32), smi.TimeTicks, 500),
		text(33, "\x00\x00\x00\x00"), text(34, "\x00\x00\x00\x00"), text(35, "abc\x00"),
		smitest.Int(column(36), 0), smitest.Int(column(37), 0), smitest.Int(column(38), 0),
		smitest.Int(column(39), 7), smitest.Int(column(40), 0), smitest.Int(column(41), 0),
	} {
		if got := get(t, h, want.Name); !got.Equal(&want) {
			t.Errorf("have %v\nwant %v", &got, &want)
		}
	}
	for _, n := range []int{1, 2, 26, 42} { // indexes cannot be read
		if got := get(t, h, oid(column(n))); got.Value.Type != smi.NoSuchObject {
			t.Errorf("column %d: %v", n, &got)
		}
	}
}

// TestFlowWalk walks one column from several places.
func TestFlowWalk(t *testing.T) {
	m := flowMeter()
	h := New(m)
	const pdus = "flowDataToPDUs"
	for _, c := range []struct {
		root, from string
		want       []string
	}{
		// All flows, each once.
		{"", "", []string{"2.0.1", "2.0.3", "2.0.4", "2.0.7", "3.0.2", "3.0.5"}},
		{".2", ".2", []string{"2.0.1", "2.0.3", "2.0.4", "2.0.7"}},
		// Those active at a time or later.
		{".2.700", ".2.700", []string{"2.700.3", "2.700.4", "2.700.7"}},
		{".2.701", ".2.701", []string{"2.701.3", "2.701.7"}},
		{".2.701", ".2.701.3", []string{"2.701.7"}},
		{".2.701", ".2.701.3.0", []string{"2.701.7"}},
		{".2.2000", ".2.2000.0", []string{"2.2000.7"}},
		{".2.2001", ".2.2001", nil},
		{".2.100001", ".2.100001", nil}, // a time to come
		{"", ".2.701", []string{"2.701.3", "2.701.7", "3.0.2", "3.0.5"}},
		{"", ".2.0.4294967295", []string{"3.0.2", "3.0.5"}},
		{"", ".3.600.2", []string{"3.600.5"}},
		{"", ".3.0.5", nil},
		{"", ".4294967295", nil},
		{"", ".255.4294967295.4294967295", nil},
	} {
		var got []string
		for _, vb := range walk(t, h, oid(pdus+c.root), oid(pdus+c.from)) {
			got = append(got, vb.Name[len(oid(pdus)):].String())
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("below %q from %q: have %v, want %v", c.root, c.from, got, c.want)
		}
	}
	// Behind the last flow comes the next column.
	if got := next(t, h, oid(pdus+".3.0.5")); got.Name.String() != root+"2.1.1.29.2.0.1" {
		t.Errorf("behind the last flow: %v", &got)
	}
}

// TestNoSuchFlow asks for flows that are not there.
func TestNoSuchFlow(t *testing.T) {
	h := New(flowMeter())
	for _, index := range []string{"2.501.1", "3.0.1", "2.0.2", "2.0.8", "0.0.1", "4.0.1", "256.0.1", "2.0", "2.0.1.0", "2.100001.7", "2.0.0"} {
		if got := get(t, h, oid("flowDataToPDUs."+index)); got.Value.Type != smi.NoSuchInstance {
			t.Errorf("%s: %v", index, &got)
		}
	}
}

// TestTimeMarkWraps has an Uptime of more than 2^32 centiseconds.
func TestTimeMarkWraps(t *testing.T) {
	m := newFakeMeter()
	m.putRuleSet(2)
	m.uptime = 1<<32 + 500
	m.add(2, 1, 1000)      // 497 days ago
	m.add(2, 2, 1<<32-100) // just before the wrap
	m.add(2, 3, 1<<32+200)
	h := New(m)
	for mark, want := range map[uint32]string{
		0: "[1 2 3]", 1<<32 - 200: "[2 3]", 1<<32 - 50: "[3]", 1: "[3]", 200: "[3]", 201: "[]", 500: "[]",
		501: "[1 2 3]", 1001: "[2 3]", // the latest moments with these values
	} {
		var got []uint32
		at := below(oid("flowDataLastActiveTime"), 2, mark)
		for _, vb := range walk(t, h, at, at) {
			got = append(got, vb.Name[len(vb.Name)-1])
		}
		if fmt.Sprint(got) != want {
			t.Errorf("TimeMark %d: have %v, want %v", mark, got, want)
		}
	}
	if got := get(t, h, oid("flowDataLastActiveTime.2.0.3")); got.Value.Uint != 200 {
		t.Errorf("last active time %d, want 200", got.Value.Uint)
	}
}

// TestWholeWalk walks the whole MIB.
func TestWholeWalk(t *testing.T) {
	h := New(flowMeter())
	flows := map[string]int{}
	for _, vb := range walk(t, h, oid("1.3.6.1.2.1.40"), oid("1.3.6.1.2.1.40")) {
		if vb.Name.HasPrefix(oid("flowDataToPDUs")) {
			flows[vb.Name[len(vb.Name)-1:].String()]++
		}
		if vb.Name.HasPrefix(oid(root+"2.2")) || vb.Name.HasPrefix(oid(root+"2.3")) {
			t.Errorf("%v: nobody chose attributes", vb.Name)
		}
	}
	if len(flows) != 6 {
		t.Errorf("have %d flows, want 6", len(flows))
	}
	for index, n := range flows {
		if n != 1 {
			t.Errorf("flow %s is shown %d times", index, n)
		}
	}
	walk(t, h, module.Extension, module.Extension)
}

// TestEnds asks for what is behind and before everything, and within ranges.
func TestEnds(t *testing.T) {
	h := New(flowMeter())
	out := make([]smi.VarBind, 3)
	first, second := root+"1.1.1.2.1", root+"1.1.1.2.2"
	err := h.Next([]smi.Range{
		{Start: oid("1.3"), End: oid("1.3.6.1.2.1.40.1")},
		{Start: oid(first), Include: true, End: oid(second)},
		{Start: oid(first), End: oid(second)},
	}, out)
	if err != nil || out[0].Value.Type != smi.EndOfMibView || out[0].Name.String() != "1.3" ||
		out[1].Name.String() != first || out[2].Value.Type != smi.EndOfMibView {
		t.Errorf("%v: %v", err, out)
	}
	if vb := next(t, h, oid("1.3.6.1.5")); vb.Value.Type != smi.EndOfMibView {
		t.Errorf("behind all: %v", &vb)
	}
	if vb := next(t, h, oid("1.3")); vb.Name.String() != first {
		t.Errorf("before all: %v", &vb)
	}
}
