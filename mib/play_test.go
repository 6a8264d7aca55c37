package mib

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/mib/smi"
)

// oneRule writes the only rule of ruleset 2 and activates that.
const (
	oneRule = `
		set flowRuleInfoStatus.2 = i 5  flowRuleInfoSize.2 = i 1
		set flowRuleSelector.2.1 = i 8  flowRuleMask.2.1 = h ff  flowRuleMatchedValue.2.1 = h 00  flowRuleAction.2.1 = i 4  flowRuleParameter.2.1 = i 0
	`
	ready = oneRule + `
		set flowRuleInfoStatus.2 = i 1
	`
)

// dialogues are those that others begin with.
var dialogues = map[string]string{"oneRule": oneRule, "ready": ready}

// A step is a line of a dialogue with a Handler:
//
//	set flowRuleInfoStatus.2 = i 5 ...
//	get flowRuleInfoStatus.2 = i 3
//	at 1234                     the meter's Uptime becomes this
//	play ready                  plays that dialogue
//
// Values are i (Integer32), s (octets as text; 3*x is xxx), h (octets in hex), t (TimeTicks),
// c (Counter64) and - for noSuchInstance. A set that is to be refused ends in
// "! status index".
func play(t *testing.T, m *fakeMeter, h *Handler, script string) {
	t.Helper()
	for n, line := range strings.Split(script, "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		where := fmt.Sprintf("line %d, %s", n, strings.TrimSpace(line))
		switch words[0] {
		case "at":
			fmt.Sscan(words[1], &m.uptime)
		case "play":
			more, ok := dialogues[words[1]]
			if !ok {
				t.Fatalf("%s: there is no such dialogue", where)
			}
			play(t, m, h, more)
		case "get":
			want := variable(t, words[1:])
			if want.Value.Type == smi.Null {
				want.Value.Type = smi.NoSuchInstance
			}
			if got := get(t, h, want.Name); !got.Equal(&want) {
				t.Errorf("%s: have %v", where, &got)
			}
		case "set":
			words, refusal, _ := strings.Cut(strings.Join(words[1:], " "), "!")
			var vbs []smi.VarBind
			for f := strings.Fields(words); len(f) > 0; f = f[4:] {
				vbs = append(vbs, variable(t, f[:4]))
			}
			got := ""
			before := fmt.Sprintf("%+v", dump(m.control))
			if err := setAll(h, vbs); err != nil {
				refused := smi.Refusal(err)
				got = fmt.Sprintf("%v %d", refused.Status, refused.Index)
				if after := fmt.Sprintf("%+v", dump(m.control)); after != before {
					t.Errorf("%s: was refused but changed\n%s\nto\n%s", where, before, after)
				}
			}
			if want := strings.TrimSpace(refusal); got != want {
				t.Errorf("%s: have %q", where, got)
			}
		default:
			t.Fatalf("%s: what is that?", where)
		}
	}
}

func variable(t *testing.T, w []string) smi.VarBind {
	t.Helper()
	vb := smi.VarBind{Name: oid(w[0])}
	var n int64
	switch w[2] {
	case "i":
		fmt.Sscan(w[3], &n)
		vb.Value.SetInt(int32(n))
	case "t":
		fmt.Sscan(w[3], &n)
		vb.Value.SetUint(smi.TimeTicks, uint64(n))
	case "c":
		fmt.Sscan(w[3], &n)
		vb.Value.SetUint(smi.Counter64, uint64(n))
	case "g":
		fmt.Sscan(w[3], &n)
		vb.Value.SetUint(smi.Gauge32, uint64(n))
	case "s":
		if times, x, ok := strings.Cut(w[3], "*"); ok {
			fmt.Sscan(times, &n)
			w[3] = strings.Repeat(x, int(n))
		}
		vb.Value.SetOctets(smi.OctetString, []byte(strings.ReplaceAll(strings.Trim(w[3], "'"), "_", " ")))
	case "h":
		var b []byte
		fmt.Sscanf(w[3], "%x", &b)
		vb.Value.SetOctets(smi.OctetString, b)
	case "-":
		vb.Value.SetNone(smi.Null)
	default:
		t.Fatalf("value %v", w)
	}
	return vb
}

// setAll does what a front end does for a Set.
func setAll(h *Handler, vbs []smi.VarBind) error {
	x, err := h.Test(vbs)
	if err != nil {
		return err
	}
	defer x.Cleanup()
	if err := x.Commit(); err != nil {
		x.Undo()
		return err
	}
	return nil
}

// dump returns all that a Set can change, comparable as text.
func dump(c *Control) string {
	var b strings.Builder
	fmt.Fprintln(&b, c.FloodMark, c.FloodMode, c.InactivityTimeout, c.TraceGo, c.Feed)
	for i, r := range c.RuleSets.All {
		fmt.Fprintf(&b, "ruleset %d %+v\n", i, *r)
	}
	for i, r := range c.Readers.All {
		fmt.Fprintf(&b, "reader %d %+v\n", i, *r)
	}
	for i, r := range c.Managers.All {
		fmt.Fprintf(&b, "manager %d %+v\n", i, *r)
	}
	for i, r := range c.Interfaces.All {
		fmt.Fprintf(&b, "interface %d %+v\n", i, *r)
	}
	return b.String()
}
