package mib

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestUndo takes a Set back after its Commit.
func TestUndo(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, ready+`
		set flowRuleInfoStatus.3 = i 5  flowRuleInfoSize.3 = i 2  flowRuleAction.3.1 = i 1
		set flowReaderStatus.1 = i 4  flowReaderRuleSet.1 = i 2
	`)
	before, changed, settled := dump(m.control), m.changed, m.settled
	var vbs []smi.VarBind
	for _, w := range []string{
		"flowRuleInfoStatus.2 = i 6", "flowReaderStatus.1 = i 6", "flowManagerStatus.9 = i 4", "flowFloodMark.0 = i 5", "flowFloodMode.0 = i 1",
		"flowRuleAction.3.1 = i 3", "flowRuleAction.3.2 = i 3", "flowRuleInfoName.3 = s x",
	} {
		vbs = append(vbs, variable(t, strings.Fields(w)))
	}
	x, err := h.Test(vbs)
	if err != nil {
		t.Fatal(err)
	}
	if dump(m.control) != before {
		t.Error("the test has changed something")
	}
	if err := x.Commit(); err != nil {
		t.Fatal(err)
	}
	if dump(m.control) == before {
		t.Error("the commit has changed nothing")
	}
	x.Undo()
	if m.settled != settled {
		t.Error("settled before the cleanup")
	}
	x.Cleanup()
	if got := dump(m.control); got != before {
		t.Errorf("have\n%swant\n%s", got, before)
	}
	if m.changed != changed+2 {
		t.Errorf("the meter was told %d times, want once for the commit and once for the undo", m.changed-changed)
	}
}

// TestCommitFails has another front end change what a Set rests on.
func TestCommitFails(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, ready)
	vbs := []smi.VarBind{variable(t, strings.Fields("flowFloodMark.0 = i 5")), variable(t, strings.Fields("flowManagerStatus.1 = i 4")), variable(t, strings.Fields("flowManagerCurrentRuleSet.1 = i 2"))}
	x, err := h.Test(vbs)
	if err != nil {
		t.Fatal(err)
	}
	play(t, m, h, `set flowRuleInfoStatus.2 = i 6`)
	before := dump(m.control)
	if err := x.Commit(); smi.Refusal(err) != (smi.Error{Status: smi.CommitFailed, Index: 3}) {
		t.Errorf("commit: %v, want commitFailed at variable 3", err)
	}
	x.Undo()
	x.Cleanup()
	if got := dump(m.control); got != before {
		t.Errorf("have\n%swant\n%s", got, before)
	}
}

// TestLargeSet writes 400 rules in one Set of 2,000 variables.
func TestLargeSet(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, `set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 400`)
	var vbs []smi.VarBind
	for i := 400; i > 0; i-- {
		name := func(col int) string { return fmt.Sprint(root, "3.1.1.", col, ".2.", i) }
		vbs = append(vbs, smitest.Int(name(7), 0), smitest.Int(name(6), 4), smitest.Octets(name(5), smi.OctetString, "\x00"),
			smitest.Octets(name(4), smi.OctetString, "\xff"), smitest.Int(name(3), 8))
	}
	if err := setAll(h, vbs); err != nil {
		t.Fatal(err)
	}
	play(t, m, h, `
		set flowRuleInfoStatus.2 = i 1
		get flowRuleAction.2.400 = i 4
	`)
	if n := len(walk(t, h, oid("flowRuleAction.2"), oid("flowRuleAction.2"))); n != 400 {
		t.Errorf("have %d rules, want 400", n)
	}
}

// TestMaxRows fills a table.
func TestMaxRows(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	for i := range MaxRows {
		m.control.Managers.Put(i+1, &Manager{})
	}
	play(t, m, h, `
		set flowManagerStatus.5000 = i 5 ! resourceUnavailable 1
		set flowManagerStatus.7 = i 6
		set flowManagerStatus.5000 = i 5
	`)
}

// TestWrongTypes sets every object to a value of a type that none has, behind
// a variable that could be set.
func TestWrongTypes(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, `set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 1`)
	writable := 0
	for i := range h.objects {
		o := &h.objects[i]
		want := smi.Error{Status: smi.NotWritable, Index: 2}
		if o.plan != nil {
			writable++
			want.Status = smi.WrongType
		}
		for _, index := range []smi.OID{{0}, {1}, {2}, {2, 1}, {}, {9, 9, 9}} {
			vbs := []smi.VarBind{smitest.Int(root+"1.5.0", 50), {Name: below(o.oid, index...)}}
			vbs[1].Value.SetOctets(smi.Opaque, []byte("x"))
			if err := setAll(h, vbs); smi.Refusal(err) != want {
				t.Errorf("%v: %v, want %v", vbs[1].Name, err, &want)
			}
		}
		if o.plan == nil {
			continue
		}
		// A value that may be right, where no row can be.
		vb := smi.VarBind{Name: below(o.oid, 0, 0, 0)}
		for _, v := range []smi.Value{{Type: smi.Integer32, Int: 1}, {Type: smi.Integer32, Int: 3}, {Type: smi.Integer32, Int: 4}, {Type: smi.Integer32, Int: 64}, {Type: smi.Integer32, Int: 1500}, {Type: smi.Integer32, Int: 5000}, {Type: smi.OctetString}, {Type: smi.OctetString, Octets: []byte("x")}, {Type: smi.TimeTicks}, {Type: smi.Gauge32}} {
			if vb.Value = v; o.check(&v) == smi.NoError {
				break
			}
		}
		if err := setAll(h, []smi.VarBind{vb}); smi.Refusal(err).Status != smi.NoCreation {
			t.Errorf("%v: %v, want noCreation", &vb, err)
		}
	}
	if writable != 38 {
		t.Errorf("%d objects can be written, want 38", writable)
	}
	if m.control.FloodMark != 95 {
		t.Error("a refused Set has set FloodMark")
	}
}

// FuzzNames gets and finds variables by any name.
func FuzzNames(f *testing.F) {
	h := New(flowMeter())
	for _, name := range []string{
		"flowDataToPDUs.2.700.3", "flowPackageData.2.28.192.3.0.2", "flowColumnActivityData.28.0.1", "flowRuleSelector.1.1",
		"rtfmBlockData.2.0.28.2.0.1.4", "1.3", "flowRuleInfoStatus.4294967295",
	} {
		var b []byte
		for _, n := range oid(name) {
			b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var name smi.OID
		for ; len(b) >= 4 && len(name) < smi.MaxOID; b = b[4:] {
			name = append(name, uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
		}
		g := get(t, h, name)
		found := g.Value.Type != smi.NoSuchObject && g.Value.Type != smi.NoSuchInstance
		out := make([]smi.VarBind, 1)
		h.Next([]smi.Range{{Start: name, Include: true}}, out)
		if at := out[0]; found && !at.Equal(&g) {
			t.Fatalf("get finds %v, next %v", &g, &at)
		}
		for range 20 {
			vb := next(t, h, name)
			if vb.Value.Type == smi.EndOfMibView {
				return
			}
			if vb.Name.Compare(name) <= 0 {
				t.Fatalf("behind %v comes %v", name, vb.Name)
			}
			if g := get(t, h, vb.Name); !g.Equal(&vb) {
				t.Fatalf("next finds %v, get %v", &vb, &g)
			}
			name = vb.Name
		}
	})
}
