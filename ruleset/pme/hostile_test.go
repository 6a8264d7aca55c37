package pme

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// each returns what format makes of each number below n, one behind the other.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// hostile are rule files of about n octets that ask for more than their length.
var hostile = []struct {
	name string
	text func(n int) string
}{
	{"one word", func(n int) string { return strings.Repeat("a", n) }},
	{"open quote", func(n int) string { return "Null & 0 = '" + strings.Repeat("\\'", n/2) }},
	{"comments", func(n int) string { return strings.Repeat("#\n", n/2) + "Null & 0 = 0: Count, 0;" }},
	{"colons", func(n int) string { return "DestPeerAddress & " + strings.Repeat(":", n) }},
	{"dots", func(n int) string { return "DestPeerAddress & " + strings.Repeat("1.", n/2) + " = 0: Count, 0;" }},
	{"format", func(n int) string { return "Null & 0 = 0: Count, 0; FORMAT" + strings.Repeat(" ToPDUs", n/7) + ";" }},
	{"unknown attributes", func(n int) string { return each(n/32, "SourcePerType%06d & 0 = 0: Count, 0;\n") }},
	{"unknown labels", func(n int) string {
		return each(n/100, "label_abc_%06d: Null & 0 = 0: Goto, Next;\n") + each(n/100, "Null & 0 = 0: Goto, label_abd_%06d;\n")
	}},
	{"labels twice", func(n int) string { return strings.Repeat("abc: Null & 0 = 0: Count, 0;\n", n/29) }},
	{"labels of one rule", func(n int) string { return each(n/9, "l%06d: ") + "Null & 0 = 0: Count, 0;" }},
	{"unreachable rules", func(n int) string { return strings.Repeat("Null & 0 = 0: Count, 0;\n", n/24) }},
	{"a chain back", func(n int) string {
		var b strings.Builder
		fmt.Fprintf(&b, "Null & 0 = 0: GotoAct, %d;\n", n/32)
		for i := 2; i <= n/32; i++ {
			fmt.Fprintf(&b, "Null & 0 = 0: GotoAct, %d;\n", i-1)
		}
		return b.String() + "Null & 0 = 0: Count, 0;"
	}},
	{"calls", func(n int) string { return each(n/40, "Null & 0 = 0: Gosub, 1;\nNull & 0 = 0: Return, %d;\n") }},
	{"values of one place", func(n int) string {
		return strings.Repeat("SourcePeerAddress & 255.255.255.255 = 10.1.0.1: CountPkt, 0;\n", n/62)
	}},
	{"networks in each other", func(n int) string {
		var b strings.Builder
		for i := range n / 70 {
			fmt.Fprintf(&b, "SourcePeerAddress & %v = 10.%d.%d.0: CountPkt, 0;\n", []string{"255.0.0.0", "255.255.0.0", "255.255.255.0", "255.255.255.255"}[i%4], i>>8&255, i&255)
		}
		return b.String()
	}},
	{"forms of rules on variables", func(n int) string {
		var b strings.Builder
		for _, a := range attr.All() {
			if a.Size > 0 {
				fmt.Fprintf(&b, "v1 & 0 = %s: AssignAct, Next;\n", a.Name)
			}
		}
		return b.String() + strings.Repeat("v1 & 255 = 7: Goto, Next;\n", n/26) + "Null & 0 = 0: Count, 0;"
	}},
	{"values saved", func(n int) string {
		var b strings.Builder
		for i := range n / 80 {
			fmt.Fprintf(&b, "SourcePeerAddress & 255.255.255.255 = 1.%d.%d.%d: PushRuleToAct, Next;\n", i>>16&255, i>>8&255, i&255)
		}
		return b.String() + "Null & 0 = 0: Count, 0;"
	}},
}

// TestHostileRules: no short rule file takes more memory to read, check and prepare
// than a bound that does not depend on it, nor grows with the square of its length:
// a text that was looked through so would keep this test for long, too.
func TestHostileRules(t *testing.T) {
	const most = 900 << 20 // octets allocated, all together
	use := func(t *testing.T, text string) uint64 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if rs, _, err := ruleset.ParseRules("x.rules", []byte(text)); err == nil {
			var shapes match.Shapes
			if p, err := Compile(rs, 2, &shapes); err == nil {
				var k match.FlowKey
				var pkt match.Packet
				p.Visible()
				p.Match(&pkt, &pkt.Key, false, &k)
			}
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	n := 1 << 20
	if testing.Short() {
		n = 1 << 17
	}
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			quarter, whole := use(t, h.text(n/4)), use(t, h.text(n))
			if whole > most || whole > 8*quarter+1<<20 {
				t.Errorf("%d octets take %d KB, %d take %d KB", n/4, quarter>>10, n, whole>>10)
			}
		})
	}
}
