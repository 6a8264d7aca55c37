package mib

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"rtfm/mib/smi"
)

// TestReadersGoWithRuleSet destroys a ruleset that has readers: they are no readers
// of the next one with its number.
func TestReadersGoWithRuleSet(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, ready+`
		set flowRuleInfoStatus.3 = i 5
		set flowReaderStatus.1 = i 4  flowReaderRuleSet.1 = i 2
		set flowReaderStatus.2 = i 4  flowReaderRuleSet.2 = i 1
		set flowRuleInfoStatus.2 = i 6
		get flowReaderStatus.1 = - -
		get flowReaderStatus.2 = i 1
		set flowReaderLastTime.1 = t 0 ! inconsistentName 1
		set flowRuleInfoStatus.2 = i 5
		get flowReaderStatus.1 = - -
	`)
}

// TestAllRules has a manager ask for more rules than all rulesets may have: sizes
// cost nothing, rules that are written do, and so do all before them.
func TestAllRules(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	var b strings.Builder
	const largest = MaxAllRules / MaxRuleSetSize // rulesets with all rules
	for i := 2; i < 200; i++ {
		fmt.Fprintf(&b, "set flowRuleInfoStatus.%d = i 5  flowRuleInfoSize.%d = i 65535\n", i, i)
	}
	for i := range largest {
		fmt.Fprintf(&b, "set flowRuleAction.%d.65535 = i 1\n", i+2)
	}
	script := b.String() + `
		set flowRuleAction.100.65535 = i 1 ! resourceUnavailable 1
		set flowFloodMark.0 = i 5  flowRuleAction.100.1 = i 1  flowRuleAction.101.65535 = i 1 ! resourceUnavailable 3
		set flowRuleInfoStatus.2 = i 6
		set flowRuleAction.100.65535 = i 1
		set flowRuleAction.101.65535 = i 1 ! resourceUnavailable 1
		set flowRuleInfoSize.100 = i 10
		set flowRuleAction.101.65535 = i 1
	`
	for _, line := range strings.Split(strings.ReplaceAll(script, "set ", ""), "\n") {
		words, refusal, _ := strings.Cut(line, "!")
		var vbs []smi.VarBind
		for f := strings.Fields(words); len(f) > 0; f = f[4:] {
			vbs = append(vbs, variable(t, f[:4]))
		}
		got := ""
		if err := setAll(h, vbs); err != nil {
			refused := smi.Refusal(err)
			got = fmt.Sprint(refused.Status, " ", refused.Index)
		}
		if got != strings.TrimSpace(refusal) {
			t.Errorf("%s: have %q", line, got)
		}
	}
	all := 0
	for _, rs := range m.control.RuleSets.All {
		all += len(rs.Rules)
	}
	if all > MaxAllRules {
		t.Errorf("%d rules", all)
	}
	m.forms = MaxAllRules / 2
	m.control = NewControl()
	h = New(m)
	play(t, m, h, ready+`
		set flowRuleInfoStatus.3 = i 5  flowRuleInfoSize.3 = i 1  flowRuleAction.3.1 = i 1
		set flowRuleInfoStatus.3 = i 1 ! resourceUnavailable 1
		set flowRuleInfoStatus.2 = i 2
		set flowRuleInfoStatus.3 = i 1
	`)
}

// TestPreparedOnce counts how often a ruleset is prepared, and looks that the meter
// does not stand still meanwhile.
func TestPreparedOnce(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, ready)
	if m.prepared != 1 {
		t.Errorf("prepared %d times", m.prepared)
	}
	play(t, m, h, `
		set flowManagerStatus.1 = i 4  flowManagerCurrentRuleSet.1 = i 2
		set flowManagerStatus.1 = i 6
		set flowRuleInfoStatus.2 = i 2
		set flowRuleInfoStatus.2 = i 1
	`)
	if m.prepared != 2 {
		t.Errorf("prepared %d times", m.prepared)
	}
}

// changing is a meter that changes a row of its own each time somebody takes hold
// of it, a number of times.
type changing struct {
	*fakeMeter
	left atomic.Int32
}

func (m *changing) Do(f func()) {
	m.fakeMeter.Do(func() {
		if m.left.Add(-1) >= 0 {
			m.control.Readers.Put(9, &Reader{})
		}
		f()
	})
}

// TestCommitPlansAnew has rows change between the plan of a Set and its commit.
func TestCommitPlansAnew(t *testing.T) {
	for _, tt := range []struct {
		changes int32
		want    smi.Status
	}{{1, smi.NoError}, {5, smi.NoError}, {1000, smi.CommitFailed}} {
		m := &changing{fakeMeter: newFakeMeter()}
		h := New(m)
		m.left.Store(tt.changes)
		err := setAll(h, []smi.VarBind{variable(t, strings.Fields("flowFloodMark.0 = i 5"))})
		if got := m.control.FloodMark == 5; got != (tt.want == smi.NoError) || err == nil != got || !got && smi.Refusal(err).Status != tt.want {
			t.Errorf("%d changes: %v, the mark is %d", tt.changes, err, m.control.FloodMark)
		}
	}
}

// TestBitmap compares a bitmap with a list of numbers.
func TestBitmap(t *testing.T) {
	numbers := []int{0, 1, 63, 64, 200, 65534}
	var b bitmap
	for _, n := range numbers {
		b = b.with(n)
	}
	var got []int
	for i := b.next(0); i >= 0; i = b.next(i + 1) {
		got = append(got, i)
	}
	if !slices.Equal(got, numbers) || b.has(2) || b.has(1<<20) || !b.has(200) || b.next(1<<20) != -1 {
		t.Errorf("%v", got)
	}
}
