package ruleset

import (
	"slices"
	"strings"
	"testing"
)

func TestValueName(t *testing.T) {
	v := MakeValue
	for _, tt := range []struct {
		a    Attr
		name string
		want Value
		ok   bool
	}{
		{SourcePeerType, "IP", v(1), true},
		{DestPeerType, "Dummy", v(255), true},
		{DestPeerType, "clns", v(3), true},
		{DestPeerType, "ethertalk", v(12), true},
		{SourceTransType, "OSPF", v(89), true},
		{SourceTransType, "www", v(0), false},
		{DestTransAddress, "ftp_data", v(0, 20), true},
		{DestTransAddress, "www", v(0, 80), true},
		{SourceTransAddress, "x11", v(0x17, 0x70), true},
		{SourceAdjacentType, "ethernet", v(7), true},
		{V2, "destpeeraddress", v(19), true},
		{V2, "Priority", v(4, 1), true},
		{V2, "tcp", v(), false},
		{SourcePeerAddress, "ip", v(), false},
		{FlowKind, "A", v(), false},
	} {
		got, ok := ValueName(tt.a, tt.name)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%v %s: got %v, %v, want %v, %v", tt.a, tt.name, got, ok, tt.want, tt.ok)
		}
		if known := ValueNames(tt.a); ok && len(known) == 0 {
			t.Errorf("%v: no names", tt.a)
		}
	}
	for _, in := range All() {
		for _, n := range ValueNames(in.Attr) {
			if _, ok := ValueName(in.Attr, n); !ok {
				t.Errorf("%v: name %s is not found", in.Attr, n)
			}
		}
	}
	if slices.Contains(ValueNames(V1), "ToPDUs") {
		t.Error("v1 could stand for ToPDUs")
	}
}

func TestNearest(t *testing.T) {
	among := []string{"telnet", "tcp", "ftp", "SourcePeerType", "SourcePeerAddress", "www"}
	for name, want := range map[string]string{
		"telent":           "telnet", // a swap
		"SORCEPEERTYP":     "SourcePeerType",
		"tcpp":             "tcp",
		"sourcepeeradress": "SourcePeerAddress",
		"fpt":              "ftp",
		"wxyz":             "",
		"":                 "",
		"destination":      "",
	} {
		if got, ok := Nearest(name, among); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", name, got, ok, want)
		}
	}
}

func TestFormat(t *testing.T) {
	f, err := ParseFormat(" FlowIndex\n\"  \"ToPDUs # comment\n \"\\t\" FROMPDUS \", \" \"\\\"\" sourceclass\"  \"")
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{{FlowIndex, "  "}, {ToPDUs, "\t"}, {FromPDUs, ", \""}, {SourceClass, " "}}
	if !slices.Equal(f.Fields, want) {
		t.Errorf("got %+v", f.Fields)
	}
	if got := f.String(); got != `FlowIndex "  " ToPDUs "\t" FromPDUs ", \"" SourceClass` {
		t.Error(got)
	}
	for _, text := range []string{"", "ToPDUs ; x", "ToPDU", "ToPDUs \"", "Null", `ToPDUs "" FromPDUs`, `ToPDUs "\r" FromPDUs`,
		`ToPDUs "` + strings.Repeat(" ", 81) + `" FromPDUs`, "ToPDUs" + strings.Repeat(` " "`, 81) + "FromPDUs"} {
		if f, err := ParseFormat(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, f)
		}
	}
	for _, f := range []Format{{}, {[]Field{{V1, " "}}}, {[]Field{{ToPDUs, "x"}}}, {[]Field{{ToPDUs, ""}}}} {
		if f.Check() == nil {
			t.Errorf("%+v passes", f)
		}
	}
	if err := f.Check(); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	one, ip := MakeValue(255), MakeValue(1)
	for _, tt := range []struct {
		rule Rule
		want string
	}{
		{newRule(SourcePeerType, one, ip, OpCount, 0), ""},
		{newRule(SourcePeerType, one, ip, OpPopTo, 2), ""}, // falls off the end
		{newRule(SourcePeerType, one, ip, OpReturn, 1), ""},
		{newRule(SourcePeerType, one, ip, OpPopTo, 3), "ruleset: rule 1: target 3 is not the number of a rule, 1 to 1"},
		{newRule(SourcePeerType, one, ip, OpReturn, -1), "ruleset: rule 1: Return, -1 goes beyond the last rule, 1"},
		{newRule(SourcePeerType, one, ip, 18, 0), "ruleset: rule 1: there is no opcode(18)"},
		{newRule(SourcePeerType, one, ip, 0, 0), "ruleset: rule 1: there is no opcode(0)"},
		{newRule(99, one, ip, OpCount, 0), "ruleset: rule 1: there is no attribute(99)"},
		{newRule(SourcePeerMask, one, ip, OpCount, 0), "ruleset: rule 1: SourcePeerMask is for reading flows: rules can neither test nor save it"},
		{newRule(SourcePeerType, one, MakeValue(1, 1), OpCount, 0), "ruleset: rule 1: value 1.1 does not fit SourcePeerType"},
		{newRule(SourceAdjacentAddress, Ones(9), ip, OpCount, 0), "ruleset: rule 1: mask 255.255.255.255.255.255.255.255.255 does not fit SourceAdjacentAddress"},
		{newRule(V1, Value{}, AttrValue(Priority), OpAssign, 1), ""},
		{newRule(V1, Value{}, AttrValue(V2), OpAssign, 1), "ruleset: rule 1: value 52 is not an attribute that v1 could stand for"},
	} {
		err := (&RuleSet{Rules: []Rule{tt.rule}}).Check()
		if got := ""; err != nil {
			if got = err.Error(); got != tt.want {
				t.Errorf("%v: got %q, want %q", tt.rule, got, tt.want)
			}
		} else if tt.want != "" {
			t.Errorf("%v passes, want %q", tt.rule, tt.want)
		}
	}
	if err := (&RuleSet{}).Check(); err == nil {
		t.Error("no rules pass")
	}
	if err := (&RuleSet{Number: 256, Rules: []Rule{{Op: OpCount}}}).Check(); err == nil {
		t.Error("number 256 passes")
	}
}

func newRule(a Attr, mask, value Value, op Opcode, param int) Rule {
	return Rule{Attr: a, Mask: mask, Value: value, Op: op, Param: param}
}
