package mib

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// A step is a line of a dialogue with a Handler:
//
//	set 1.1.1.5.2 = i 5 ...   variables below mib-2.40, or below the extension with x.
//	get 1.1.1.5.2 = i 3
//	at 1234                   the meter's Uptime becomes this
//
// Values are i (Integer32), s (octets as text), h (octets in hex), t (TimeTicks),
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
				got = fmt.Sprintf("%v %d", err.Status, err.Index)
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
	name, ext := strings.CutPrefix(w[0], "x.")
	vb := smi.VarBind{Name: below(flowMIB, oid(name)...)}
	if ext {
		vb.Name = below(extension, oid(name)...)
	}
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
	case "s":
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
func setAll(h *Handler, vbs []smi.VarBind) *smi.Error {
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
	fmt.Fprintln(&b, c.FloodMark, c.FloodMode, c.InactivityTimeout, c.TraceGo)
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

// oneRule writes the only rule of ruleset 2 and activates that.
const (
	oneRule = `
		set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 1
		set 3.1.1.3.2.1 = i 8  3.1.1.4.2.1 = h ff  3.1.1.5.2.1 = h 00  3.1.1.6.2.1 = i 4  3.1.1.7.2.1 = i 0
	`
	ready = oneRule + `
		set 1.1.1.5.2 = i 1
	`
)

// TestClauses holds the MIB to what the DESCRIPTIONs of RFC 2720 and the
// RowStatus of RFC 2579 say.
func TestClauses(t *testing.T) {
	for _, c := range []struct{ clause, script string }{
		{"download: create, set the size, write the rules, activate", `
			set 1.1.1.5.2 = i 5
			get 1.1.1.5.2 = i 3      # notReady: it has no rules
			set 1.1.1.2.2 = i 2  1.1.1.6.2 = s WWW-FLOWS  1.1.1.3.2 = s me
			get 1.1.1.5.2 = i 3      # nor have they been written
			set 3.1.1.3.2.1 = i 8  3.1.1.4.2.1 = h ff  3.1.1.5.2.1 = h 01  3.1.1.6.2.1 = i 12  3.1.1.7.2.1 = i 2
			get 1.1.1.5.2 = i 3
			get 3.1.1.6.2.1 = i 12
			get 3.1.1.6.2.2 = - -
			set 3.1.1.3.2.2 = i 0  3.1.1.4.2.2 = h 00  3.1.1.5.2.2 = h 00  3.1.1.6.2.2 = i 3  3.1.1.7.2.2 = i 0
			get 1.1.1.5.2 = i 2      # notInService
			set 1.1.1.5.2 = i 1
			get 1.1.1.5.2 = i 1
			get 1.1.1.2.2 = i 2
			get 1.1.1.3.2 = s me
			get 1.1.1.6.2 = s WWW-FLOWS
			get 1.1.1.8.2 = i 0
			get 3.1.1.3.2.1 = i 8
			get 3.1.1.4.2.1 = h ff
			get 3.1.1.5.2.1 = h 01
			get 3.1.1.7.2.1 = i 2
		`},
		{"a ruleset created, written, activated and run in one Set, in any order", `
			set 1.4.1.2.7 = i 2  3.1.1.6.2.1 = i 4  1.4.1.8.7 = i 4  3.1.1.4.2.1 = h ff  1.1.1.2.2 = i 1  3.1.1.3.2.1 = i 8  1.1.1.5.2 = i 4
			get 1.1.1.5.2 = i 1
			get 1.4.1.8.7 = i 1
			get 1.4.1.2.7 = i 2
			get 3.1.1.5.2.1 = h 00
			get 3.1.1.7.2.1 = i 0
		`},
		{"flowRuleInfoSize allocates, and keeps the rules there are", oneRule + `
			set 1.1.1.2.2 = i 3
			get 3.1.1.6.2.1 = i 4
			get 3.1.1.6.2.2 = - -
			get 1.1.1.5.2 = i 3
			set 1.1.1.2.2 = i 65535
			set 1.1.1.2.2 = i 65536 ! resourceUnavailable 1
			set 1.1.1.2.2 = i -1 ! wrongValue 1
			set 1.1.1.2.2 = i 0
			get 3.1.1.6.2.1 = - -
		`},
		{"flowRuleInfoTimeStamp: when the ruleset was last changed", `
			at 7000
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 1
			get 1.1.1.4.2 = t 7000
			at 8000
			set 3.1.1.6.2.1 = i 1
			get 1.1.1.4.2 = t 8000
			set 1.1.1.4.2 = t 1 ! notWritable 1
		`},
		{"active: neither the other variables nor the rules can be changed: notWritable", ready + `
			set 1.1.1.2.2 = i 1 ! notWritable 1
			set 1.1.1.3.2 = s you ! notWritable 1
			set 1.1.1.6.2 = s name ! notWritable 1
			set 1.1.1.7.2 = i 2 ! notWritable 1
			set 3.1.1.3.2.1 = i 8 ! notWritable 1
			set 3.1.1.4.2.1 = h ff ! notWritable 1
			set 3.1.1.5.2.1 = h ff ! notWritable 1
			set 3.1.1.6.2.1 = i 1 ! notWritable 1
			set 3.1.1.7.2.1 = i 1 ! notWritable 1
			set 1.1.1.5.2 = i 1  3.1.1.6.2.1 = i 1 ! notWritable 2
			set 1.1.1.5.2 = i 1                     # is that already
			set 1.1.1.5.2 = i 2  3.1.1.6.2.1 = i 1  # no longer active
			get 3.1.1.6.2.1 = i 1
			get 1.1.1.5.2 = i 2
		`},
		{"the status cannot leave active while a task refers to the ruleset", ready + `
			set 1.4.1.8.1 = i 4  1.4.1.2.1 = i 2
			set 1.1.1.5.2 = i 2 ! inconsistentValue 1
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.4.1.2.1 = i 0  1.4.1.3.1 = i 2
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.4.1.3.1 = i 0
			set 1.4.1.8.1 = i 2
			set 1.4.1.2.1 = i 2
			set 1.1.1.5.2 = i 6 ! inconsistentValue 1
			set 1.1.1.5.2 = i 6  1.4.1.8.1 = i 6
			get 1.1.1.5.2 = - -
			get 3.1.1.6.2.1 = - -
		`},
		{"RulesReady: true freezes the rules, and activation needs it", oneRule + `
			get 1.1.1.7.2 = i 2
			set 1.1.1.5.2 = i 1  1.1.1.7.2 = i 2 ! inconsistentValue 2
			set 1.1.1.7.2 = i 1
			get 1.1.1.5.2 = i 2
			set 3.1.1.6.2.1 = i 1 ! notWritable 1
			set 1.1.1.2.2 = i 2 ! notWritable 1
			set 1.1.1.7.2 = i 2  3.1.1.6.2.1 = i 3
			get 3.1.1.6.2.1 = i 3
			set 1.1.1.5.2 = i 1
			get 1.1.1.7.2 = i 1
			set 1.1.1.5.2 = i 2
			get 1.1.1.7.2 = i 2
		`},
		{"the meter does not take what it cannot run", `
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 2
			set 1.1.1.5.2 = i 1 ! inconsistentValue 1
			set 1.1.1.5.2 = i 2 ! inconsistentValue 1
			set 3.1.1.6.2.1 = i 10  3.1.1.7.2.1 = i 9  3.1.1.6.2.2 = i 1
			set 1.1.1.5.2 = i 1 ! inconsistentValue 1
			set 1.1.1.5.2 = i 1  3.1.1.7.2.1 = i 2
			get 1.1.1.5.2 = i 1
			get 3.1.1.7.2.1 = i 2
		`},
		{"the built-in ruleset cannot be changed", `
			get 1.1.1.5.1 = i 1
			get 1.1.1.6.1 = s default
			get 1.1.1.2.1 = i 3
			get 3.1.1.6.1.1 = i 11
			get 3.1.1.4.1.1 = h 00
			set 1.1.1.5.1 = i 6 ! notWritable 1
			set 1.1.1.5.1 = i 2 ! notWritable 1
			set 1.1.1.5.1 = i 4 ! notWritable 1
			set 1.1.1.6.1 = s mine ! notWritable 1
			set 3.1.1.6.1.1 = i 1 ! notWritable 1
		`},
		{"rules: values", `
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 3
			set 3.1.1.3.2.1 = i 55
			set 3.1.1.3.2.1 = i 50
			set 3.1.1.3.2.1 = i 1026
			set 3.1.1.3.2.1 = i 27 ! wrongValue 1   # ToOctets: only read
			set 3.1.1.3.2.1 = i 10 ! wrongValue 1   # a mask
			set 3.1.1.3.2.1 = i 45 ! wrongValue 1
			set 3.1.1.3.2.1 = i -1 ! wrongValue 1
			set 3.1.1.3.2.1 = i 65536 ! wrongValue 1
			set 3.1.1.3.2.1 = s x ! wrongType 1
			set 3.1.1.4.2.1 = h 01
			set 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			get 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f1011121314
			set 3.1.1.4.2.1 = h 0102030405060708090a0b0c0d0e0f101112131415 ! wrongLength 1
			set 3.1.1.4.2.1 = s '' ! wrongLength 1
			set 3.1.1.4.2.1 = i 1 ! wrongType 1
			set 3.1.1.5.2.1 = s '' ! wrongLength 1
			set 3.1.1.5.2.1 = h 0102
			get 3.1.1.5.2.1 = h 0102
			set 3.1.1.6.2.1 = i 0 ! wrongValue 1
			set 3.1.1.6.2.1 = i 18 ! wrongValue 1
			set 3.1.1.7.2.1 = i 65535
			set 3.1.1.7.2.1 = i 65536 ! wrongValue 1
			set 3.1.1.7.2.1 = i -1 ! wrongValue 1
		`},
		{"rules: where there can be none", `
			set 3.1.1.6.2.1 = i 1 ! inconsistentName 1
			set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 3
			set 3.1.1.6.2.4 = i 1 ! inconsistentName 1
			set 3.1.1.6.2.3 = i 1  1.1.1.2.2 = i 2 ! inconsistentName 1
			set 3.1.1.6.2.4 = i 1  1.1.1.2.2 = i 4
			set 3.1.1.6.2.0 = i 1 ! noCreation 1
			set 3.1.1.6.2.65536 = i 1 ! noCreation 1
			set 3.1.1.6.256.1 = i 1 ! noCreation 1
			set 3.1.1.6.0.1 = i 1 ! noCreation 1
			set 3.1.1.6.2 = i 1 ! noCreation 1
			set 3.1.1.6.2.1.1 = i 1 ! noCreation 1
			set 3.1.1.2.2.1 = i 1 ! notWritable 1
		`},
		{"RowStatus of a row that is not there", `
			set 1.3.1.6.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2 ! inconsistentValue 1
			set 1.3.1.6.5 = i 3 ! wrongValue 1
			set 1.3.1.6.5 = i 0 ! wrongValue 1
			set 1.3.1.6.5 = i 7 ! wrongValue 1
			set 1.3.1.6.5 = s x ! wrongType 1
			set 1.3.1.6.5 = i 6
			set 1.3.1.2.5 = i 60 ! inconsistentName 1
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1      # RuleSet is missing
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 1
			set 1.3.1.6.6 = i 5
			get 1.3.1.6.6 = i 3
			set 1.3.1.6.0 = i 4 ! noCreation 1
			set 1.3.1.6.2147483648 = i 4 ! noCreation 1
			set 1.3.1.6.2147483647 = i 5
			set 1.3.1.6 = i 4 ! noCreation 1
			set 1.3.1.6.1.1 = i 4 ! noCreation 1
			set 1.1.1.5.256 = i 5 ! noCreation 1            # flowDataRuleSet ends at 255
			set 1.1.1.5.255 = i 5
		`},
		{"RowStatus of a row that is notReady", `
			set 1.3.1.6.5 = i 5
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1
			set 1.3.1.6.5 = i 5 ! inconsistentValue 1
			set 1.3.1.6.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2 ! inconsistentValue 1
			set 1.3.1.6.5 = i 3 ! wrongValue 1
			set 1.3.1.6.5 = i 2  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.6 = i 5
			set 1.3.1.7.6 = i 1  1.3.1.6.6 = i 1
			get 1.3.1.6.6 = i 1
			set 1.3.1.6.7 = i 5
			set 1.3.1.6.7 = i 6
			get 1.3.1.6.7 = - -
		`},
		{"RowStatus of a row that is notInService, or active", `
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 1
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 5 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2
			set 1.3.1.3.5 = s me
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 1
			get 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 4 ! inconsistentValue 1
			set 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 2
			get 1.3.1.6.5 = i 2
			set 1.3.1.6.5 = i 1
			set 1.3.1.6.5 = i 6
			get 1.3.1.6.5 = - -
		`},
		{"LastTime becomes Uptime, PreviousTime the LastTime before", `
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1
			get 1.3.1.4.5 = t 0
			at 5000
			set 1.3.1.4.5 = t 77
			get 1.3.1.4.5 = t 5000
			get 1.3.1.5.5 = t 0
			at 9000
			set 1.3.1.4.5 = t 0
			get 1.3.1.4.5 = t 9000
			get 1.3.1.5.5 = t 5000
			set 1.3.1.4.5 = i 1 ! wrongType 1
			set 1.3.1.5.5 = t 1 ! notWritable 1
		`},
		{"an active reader: only LastTime and Timeout may be changed", `
			set 1.3.1.6.5 = i 4  1.3.1.7.5 = i 1  1.3.1.3.5 = s me
			set 1.3.1.2.5 = i 60
			get 1.3.1.2.5 = i 60
			set 1.3.1.2.5 = i -1 ! wrongValue 1
			set 1.3.1.4.5 = t 0
			set 1.3.1.3.5 = s you ! inconsistentValue 1
			set 1.3.1.7.5 = i 1 ! inconsistentValue 1
			set 1.3.1.6.5 = i 2  1.3.1.3.5 = s you
			get 1.3.1.3.5 = s you
		`},
		{"a reader's ruleset exists", `
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 9 ! inconsistentValue 2
			set 1.3.1.6.5 = i 5  1.3.1.7.5 = i 0 ! wrongValue 2
			set 1.3.1.7.5 = i 9  1.3.1.6.5 = i 4  1.1.1.5.9 = i 5
			get 1.3.1.7.5 = i 9
		`},
		{"a task: defaults, and what may be set while it is active", ready + `
			at 4000
			set 1.4.1.8.3 = i 4
			get 1.4.1.2.3 = i 0
			get 1.4.1.3.3 = i 0
			get 1.4.1.4.3 = i 0
			get 1.4.1.5.3 = i 1
			get 1.4.1.6.3 = s ''
			get 1.4.1.7.3 = t 4000
			get 1.4.1.8.3 = i 1
			get 1.4.1.9.3 = i 2
			at 5000
			set 1.4.1.2.3 = i 2  1.4.1.3.3 = i 1  1.4.1.4.3 = i 65
			get 1.4.1.7.3 = t 5000
			set 1.4.1.9.3 = i 1
			get 1.4.1.9.3 = i 1
			set 1.4.1.9.3 = i 2
			set 1.4.1.9.3 = i 3 ! wrongValue 1
			set 1.4.1.4.3 = i 101 ! wrongValue 1
			set 1.4.1.4.3 = i -1 ! wrongValue 1
			set 1.4.1.5.3 = i 2 ! inconsistentValue 1
			set 1.4.1.6.3 = s me ! inconsistentValue 1
			set 1.4.1.7.3 = t 1 ! notWritable 1
			set 1.4.1.8.3 = i 2  1.4.1.5.3 = i 2  1.4.1.6.3 = s me
			get 1.4.1.5.3 = i 2
			set 1.4.1.5.3 = i 3 ! wrongValue 1
		`},
		{"a task's rulesets are there, and active", oneRule + `
			set 1.4.1.8.3 = i 4  1.4.1.2.3 = i 2 ! inconsistentValue 2
			set 1.4.1.8.3 = i 4  1.4.1.3.3 = i 9 ! inconsistentValue 2
			set 1.4.1.8.3 = i 4  1.4.1.3.3 = i -1 ! wrongValue 2
			set 1.4.1.8.3 = i 4  1.4.1.2.3 = i 2  1.1.1.5.2 = i 1
			set 1.4.1.2.3 = i 3 ! inconsistentValue 1
			set 1.4.1.3.3 = i 300 ! inconsistentValue 1
			set 1.4.1.2.3 = i 1
		`},
		{"owners are UTF-8 of at most 127 octets", `
			set 1.1.1.5.2 = i 5  1.1.1.3.2 = h c3a9
			set 1.1.1.3.2 = h ff ! wrongValue 1
			set 1.1.1.6.2 = h ff
			set 1.1.1.3.2 = s ` + strings.Repeat("x", 127) + `
			set 1.1.1.3.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set 1.1.1.6.2 = s ` + strings.Repeat("x", 128) + ` ! wrongLength 1
			set 1.1.1.6.2 = i 1 ! wrongType 1
			set 1.1.1.7.2 = i 0 ! wrongValue 1
			set 1.1.1.8.2 = i 0 ! notWritable 1
		`},
		{"the meter's own variables", `
			get 1.5.0 = i 95
			get 1.6.0 = i 600
			get 1.7.0 = i 6
			get 1.8.0 = i 5000
			get 1.9.0 = i 2
			set 1.5.0 = i 0  1.6.0 = i 0  1.9.0 = i 1
			get 1.5.0 = i 0
			get 1.6.0 = i 0
			get 1.9.0 = i 1
			set 1.5.0 = i 101 ! wrongValue 1
			set 1.5.0 = i -1 ! wrongValue 1
			set 1.6.0 = i -1 ! wrongValue 1
			set 1.9.0 = i 0 ! wrongValue 1
			set 1.9.0 = s x ! wrongType 1
			set 1.7.0 = i 1 ! notWritable 1
			set 1.8.0 = i 1 ! notWritable 1
			set 1.5.1 = i 1 ! noCreation 1
			set 1.5.0.0 = i 1 ! noCreation 1
			get 1.5.1 = - -
		`},
		{"flows are only read", `
			set 2.1.1.28.2.0.1 = c 1 ! notWritable 1
			set 2.2.1.4.28.0.1 = s x ! notWritable 1
			set 2.3.1.5.1.28.2.0.1 = s x ! notWritable 1
			set 9.9 = i 1 ! notWritable 1
		`},
		{"interfaces", `
			get 1.2.1.1.1 = i 1
			set 1.2.1.1.1 = i 0
			set 1.2.1.1.1 = i 100
			get 1.2.1.1.1 = i 100
			set 1.2.1.1.1 = i -1 ! wrongValue 1
			set 1.2.1.1.2 = i 1 ! noCreation 1
			set 1.2.1.2.1 = i 1 ! notWritable 1
		`},
		{"nothing is half done", ready + `
			set 1.5.0 = i 50  1.4.1.8.1 = i 4  1.4.1.2.1 = i 2  1.2.1.1.1 = i 9  1.6.0 = i -5 ! wrongValue 5
			get 1.5.0 = i 95
			get 1.4.1.8.1 = - -
			get 1.2.1.1.1 = i 1
		`},
	} {
		t.Run(c.clause, func(t *testing.T) {
			m := newFakeMeter()
			m.control.Interfaces.Put(1, &Interface{SampleRate: 1, Packets: 10, Lost: 1<<32 + 5})
			for i := range uint32(6) {
				m.add(1, i+1, 10)
			}
			play(t, m, New(m), c.script)
		})
	}
}

// TestUndo takes a Set back after its Commit.
func TestUndo(t *testing.T) {
	m := newFakeMeter()
	h := New(m)
	play(t, m, h, ready+`
		set 1.1.1.5.3 = i 5  1.1.1.2.3 = i 2  3.1.1.6.3.1 = i 1
		set 1.3.1.6.1 = i 4  1.3.1.7.1 = i 2
	`)
	before, changed, settled := dump(m.control), m.changed, m.settled
	var vbs []smi.VarBind
	for _, w := range []string{
		"1.1.1.5.2 = i 6", "1.3.1.6.1 = i 6", "1.4.1.8.9 = i 4", "1.5.0 = i 5", "1.9.0 = i 1",
		"3.1.1.6.3.1 = i 3", "3.1.1.6.3.2 = i 3", "1.1.1.6.3 = s x",
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
	vbs := []smi.VarBind{variable(t, strings.Fields("1.5.0 = i 5")), variable(t, strings.Fields("1.4.1.8.1 = i 4")), variable(t, strings.Fields("1.4.1.2.1 = i 2"))}
	x, err := h.Test(vbs)
	if err != nil {
		t.Fatal(err)
	}
	play(t, m, h, `set 1.1.1.5.2 = i 6`)
	before := dump(m.control)
	if err := x.Commit(); err == nil || err.Status != smi.CommitFailed || err.Index != 3 {
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
	play(t, m, h, `set 1.1.1.5.2 = i 5  1.1.1.2.2 = i 400`)
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
		set 1.1.1.5.2 = i 1
		get 3.1.1.6.2.400 = i 4
	`)
	if n := len(walk(t, h, oid(root+"3.1.1.6.2"), oid(root+"3.1.1.6.2"))); n != 400 {
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
		set 1.4.1.8.5000 = i 5 ! resourceUnavailable 1
		set 1.4.1.8.7 = i 6
		set 1.4.1.8.5000 = i 5
	`)
}
