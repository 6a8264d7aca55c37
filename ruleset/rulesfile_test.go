package ruleset

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/traces/tracetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// rulesText returns rs as a rule file.
func rulesText(t testing.TB, rs *RuleSet) string {
	t.Helper()
	var b bytes.Buffer
	if n, err := rs.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo: %d octets of %d, %v", n, b.Len(), err)
	}
	return b.String()
}

func TestPublishedRules(t *testing.T) {
	dir := tracetest.Require(t, "traces")
	files, err := filepath.Glob(filepath.Join(dir, "rulesets", "*.rules"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no rule files below %s (%v)", dir, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rs, warnings, err := ParseRules(name, text)
			got := ""
			for _, w := range warnings {
				got += "# " + w.Error() + "\n"
			}
			if err != nil {
				got += err.Error() + "\n"
			} else {
				got += rulesText(t, rs)
			}
			golden := filepath.Join("testdata", "golden", name)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestDiagnostics compares what is said of testdata/diagnostics.rules with
// the remarks in there.
func TestDiagnostics(t *testing.T) {
	text, err := os.ReadFile("testdata/diagnostics.rules")
	if err != nil {
		t.Fatal(err)
	}
	line := 1
	for part := range strings.SplitSeq(string(text), "=====\n") {
		t.Run(fmt.Sprintf("line%d", line), func(t *testing.T) {
			_, warnings, err := ParseRules("x", []byte(part))
			var errs Diagnostics
			if err != nil && !errors.As(err, &errs) {
				t.Fatalf("error is a %T", err)
			}
			wanted := map[int][]string{} // by line
			for i, l := range strings.Split(part, "\n") {
				wanted[i+1] = strings.Split(l, "###")[1:]
			}
		diagnostics:
			for _, d := range append(errs, warnings...) {
				got := strings.TrimPrefix(d.Error(), fmt.Sprintf("x:%d:", d.Line))
				for i, w := range wanted[d.Line] {
					col, msg, _ := strings.Cut(strings.TrimSpace(w), ": ")
					if strings.HasPrefix(got, col+": ") && strings.Contains(got, msg) {
						wanted[d.Line] = slices.Delete(wanted[d.Line], i, i+1)
						continue diagnostics
					}
				}
				t.Errorf("unexpected: line %d:%s", line+d.Line-1, got)
			}
			for l, ws := range wanted {
				for _, w := range ws {
					t.Errorf("missing: line %d: %s", line+l-1, w)
				}
			}
		})
		line += strings.Count(part, "\n") + 1
	}
}

// sameRules compares all but the names.
func sameRules(a, b *RuleSet) bool {
	same := func(x, y Rule) bool {
		x.At = y.At
		return x == y
	}
	return a.Number == b.Number && a.Statistics == b.Statistics &&
		slices.EqualFunc(a.Rules, b.Rules, same) && reflect.DeepEqual(a.Format, b.Format)
}

func TestParseRules(t *testing.T) {
	text := `set 7; rules # both with and without semicolon
Start: SourcePeerType&255=ip:Pushto,V4;
  sourcepeertype & 255 = IPv6 : PushRuleTo , v6 ; null & 0 = 0: Retry, 0;
v4: SourcePeerAddress & 255.255 = 130.216: PushPktToAct, NEXT;
  DestTransAddress & 255.255 = ftp-data: CountPkt, 0;
v6: DestPeerAddress & ffff:ffff:: = 2001:db8:::Goto, flow;
  DestPeerAddress & FFFF:: = ::: Fail, 0;
flow: FlowKind & 255 = 'A': PushRuleToAct, 9;
  ToTurnaroundTime1 & 1.3.1!700 = 100.11.0!0: PushPktToAct, Next;
  SourceInterface & 255.255 = 258: Return, 2;
  v5 & 0 = VLANid: Assign, start;
  v5 & 255.255 = 80: PopToAct, 1;
  SessionID & 255.255 = 7.1: PopTo, 1;
statistics
format ToPDUs"\t"FromPDUs  "," " " tooctets fromoctets " ";`
	rs, warnings, err := ParseRules("dir/peers.old.rules", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 4 { // tests of rules 4, 9 and 11, Return of rule 10
		t.Error(warnings)
	}
	v := attr.MakeValue
	want := &RuleSet{
		Number: 7,
		Name:   "peers.old",
		Rules: []Rule{
			newRule(attr.SourcePeerType, v(255), v(1), OpPushRuleTo, 4),
			newRule(attr.SourcePeerType, v(255), v(2), OpPushRuleTo, 6),
			newRule(attr.Null, v(), v(), OpNoMatch, 0),
			newRule(attr.SourcePeerAddress, v(255, 255), v(130, 216), OpPushPktToAct, 5),
			newRule(attr.DestTransAddress, v(255, 255), v(0, 20), OpCountPkt, 0),
			newRule(attr.DestPeerAddress, v(255, 255, 255, 255).Resize(16), v(0x20, 1, 0x0d, 0xb8).Resize(16), OpGoto, 8),
			newRule(attr.DestPeerAddress, v(255, 255).Resize(16), v().Resize(16), OpNoMatch, 0),
			newRule(attr.FlowKind, v(255), v('A'), OpPushRuleToAct, 9),
			newRule(76, v(1, 3, 0, 1, 2, 188), v(100, 11, 0, 0, 0, 0), OpPushPktToAct, 10),
			newRule(attr.SourceInterface, v(255, 255), v(1, 2), OpReturn, 2),
			newRule(attr.V5, v(), v(4, 0), OpAssign, 1),
			newRule(attr.V5, v(255, 255), v(0, 80), OpPopToAct, 1),
			newRule(attr.SessionID, v(255, 255).Resize(10), v(7, 1).Resize(10), OpPopTo, 1),
		},
		Format: &Format{[]Field{{Attr: attr.ToPDUs, Separator: "\t"}, {Attr: attr.FromPDUs, Separator: ", "}, {Attr: attr.ToOctets, Separator: " "}, {Attr: attr.FromOctets, Separator: " "}}},

		Statistics: true,
	}
	if rs.Name != want.Name || !sameRules(rs, want) {
		t.Errorf("got\n%s\nwant\n%s", rulesText(t, rs), rulesText(t, want))
	}
	canonical := `SET 7
RULES
r1:
  SourcePeerType & 255 = 1: PushRuleTo, r4;
  SourcePeerType & 255 = 2: PushRuleTo, r6;
  Null & 0 = 0: NoMatch, 0;
r4:
  SourcePeerAddress & 255.255 = 130.216: PushPktToAct, Next;
  DestTransAddress & 255.255 = 20: CountPkt, 0;
r6:
  DestPeerAddress & ffff:ffff:: = 2001:db8::: Goto, r8;
  DestPeerAddress & ffff:: = 0: NoMatch, 0;
r8:
  FlowKind & 255 = 65: PushRuleToAct, Next;
  ToTurnaroundTime1 & 1.3.1!700 = 100.11.0!0: PushPktToAct, Next;
  SourceInterface & 255.255 = 258: Return, 2;
  v5 & 0 = VLANid: Assign, r1;
  v5 & 255.255 = 0.80: PopToAct, r1;
  SessionID & 255.255.0.0.0.0.0.0.0.0 = 7.1.0.0.0.0.0.0.0.0: PopTo, r1;
FORMAT ToPDUs "\t" FromPDUs ", " ToOctets FromOctets;
STATISTICS
`
	if got := rulesText(t, rs); got != canonical {
		t.Errorf("got\n%s\nwant\n%s", got, canonical)
	}
	if got := rs.Rules[3].String(); got != "SourcePeerAddress & 255.255 = 130.216: PushPktToAct, 5" {
		t.Error(got)
	}
}

// TestTooManyErrors: a text of nothing but errors is given up.
func TestTooManyErrors(t *testing.T) {
	for _, text := range []string{"Foo & 0 = 0: Count, 0;\n", "a:\n", "Null & 0 = 0: Goto, b;\n", "%;\n"} {
		_, _, err := ParseRules("x", []byte(strings.Repeat(text, 5000)))
		var ds Diagnostics
		if !errors.As(err, &ds) || len(ds) < maxErrors || len(ds) > maxErrors+2 {
			t.Errorf("%s: %d errors", text, len(ds))
		}
	}
	_, _, err := ParseRules("x", []byte("FORMAT "+strings.Repeat("x ", 5000)+"; Null & 0 = 0: Count, 0;"))
	if n := len(err.(Diagnostics)); n < maxErrors || n > maxErrors+2 {
		t.Errorf("format: %d errors", n)
	}
	_, warnings, err := ParseRules("x", []byte(strings.Repeat("Null & 0 = 0: Ignore;\n", 5000)))
	if len(warnings) != maxErrors+1 || err != nil {
		t.Errorf("%d warnings, error %v", len(warnings), err)
	}
}

// TestOpcodesPrint walks all opcodes: each has a name that reads back.
func TestOpcodesPrint(t *testing.T) {
	for op := Opcode(0); op < 255; op++ {
		if got, ok := opcode(op.String()); ok != op.Valid() || ok && got != op {
			t.Errorf("%d: %q reads as %v, %v", op, op, got, ok)
		}
	}
	if OpIgnore != 1 || OpPopToAct != 17 {
		t.Error("numbers differ from RFC 2722 section 4.4")
	}
}

func FuzzParseRules(f *testing.F) {
	text, err := os.ReadFile("testdata/diagnostics.rules")
	if err != nil {
		f.Fatal(err)
	}
	for part := range strings.SplitSeq(string(text), "=====\n") {
		f.Add([]byte(part))
	}
	f.Add([]byte("SET 7 RULES a: DestPeerAddress & ffff:: = 2001:db8:::Goto, a; FORMAT ToPDUs\"\\t\"FromPDUs; STATISTICS"))
	f.Add([]byte("v1&0=VLANid:AssignAct,Next;FlowKind & 255 = '\\'':Return,1;FromPacketSize & 1.0.25!1500 = 60.0!0: PopTo,1;"))
	f.Add([]byte("SourceAdjacentAddress & FF- = 0-:Gosub,2;DestPeerAddress & 255. = 10.:Count"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rs, _, err := ParseRules("x", text)
		if err != nil {
			var ds Diagnostics
			if !errors.As(err, &ds) || len(ds) == 0 || rs != nil {
				t.Fatalf("error is a %T: %v", err, err)
			}
			return
		}
		if err := rs.Check(); err != nil {
			t.Fatal(err)
		}
		canonical := rulesText(t, rs)
		again, _, err := ParseRules("x", []byte(canonical))
		if err != nil {
			t.Fatalf("%s\n%v", canonical, err)
		}
		if !sameRules(rs, again) {
			t.Fatalf("differs when read again:\n%s\n%+v\n%+v", canonical, rs, again)
		}
		if text := rulesText(t, again); text != canonical {
			t.Fatalf("written again:\n%s\nbefore:\n%s", text, canonical)
		}
	})
}
