package compile

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/srl"
)

// each returns what format makes of each number below n, one behind the other.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// nestedOrs is an IF whose two ways of different lengths multiply at each of k
// levels.
func nestedOrs(k int, test, then string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "define f0 = (%s || %s && %[1]s);\n", test, test)
	for i := 1; i <= k; i++ {
		fmt.Fprintf(&b, "define f%d = (f%d && f%[2]d || %s);\n", i, i-1, test)
	}
	fmt.Fprintf(&b, "if f%d save, %s;\n", k, then)
	return b.String()
}

// hostile are programs of about n octets that ask for far more than their
// length; err is what becomes of them, "" if they are harmless.
var hostile = []struct {
	name string
	text func(n int) string
	err  string
}{
	{"names and hyphens", func(n int) string { return strings.Repeat("abcd-", 4*n) }, `"-" is no part of SRL`},
	{"open quotes", func(n int) string { return strings.Repeat("'\\", 4*n) }, "x.srl:1:1: expected ' to close"},
	{"colons", func(n int) string { return "if ecn==" + strings.Repeat("a:", n/2) }, "too long"},
	{"unknown names", func(n int) string { return each(n/40, "define abc%06d = 1;\n") + each(n/40, "save abd%06d;\n") },
		`no attribute "abd`},
	{"unknown subroutines", func(n int) string {
		return each(n/50, "subroutine abc%06d() ; endsub;\n") + each(n/50, "abd%06d;\n")
	}, "no statement or subroutine"},
	{"DEFINEs without end", func(n int) string { return strings.Repeat("define a =\n", n/11) }, "found DEFINE"},
	{"DEFINE of a DEFINE", func(n int) string { return each(n/30, "define a%d = b;") + "define b = a0; if ecn == a1 count;" }, "uses itself"},
	{"list by DEFINEs", func(n int) string {
		k := n / 4
		return "define a = " + strings.Repeat("1,", k) + "1; define b = " + strings.Repeat("a,", k) + "a; if ecn == (b) count;"
	}, "this list has more than 1048576 values"},
	{"statements by DEFINEs", func(n int) string {
		k := n / 4
		return `define a = ` + strings.Repeat(`;\;`[1:], k) + `; define b = ` + strings.Repeat("a ", k) + `; b count;`
	}, "words or more"},
	{"nested braces", func(n int) string {
		return strings.Repeat("{", 240) + strings.Repeat(";", n) + strings.Repeat("};", 240) + "count;"
	}, ""},
	{"nested parentheses", func(n int) string {
		return "if " + strings.Repeat("(", 240) + strings.Repeat("ecn==1||", n/8) + "ecn==1" + strings.Repeat("||ecn==2)", 240) + " count;"
	}, ""},
	{"nested lists", func(n int) string {
		return "if ecn==" + strings.Repeat("(1,", 240) + strings.Repeat("1,", n/2) + "1" + strings.Repeat(")", 240) + " count;"
	}, ""},
	{"saving ORs", func(int) string { return nestedOrs(6, "SourceTransType == 6", "count") }, "takes more than 1048576 rules"},
	{"saving ORs, too many saves", func(int) string { return nestedOrs(8, "SourceTransType == 6", "count") }, "x.srl:10:1: this IF saves more than 255"},
	{"saving ORs without rules", func(int) string { return nestedOrs(6, "SourcePeerAddress == 0/0", "ignore") }, "x.srl:8:1: the program takes more than 8388608 steps"},
	{"saving ORs that never match", func(int) string { return nestedOrs(6, "SourcePeerAddress == 1/0", "count") }, ""},
	{"saving negated ANDs", func(int) string { return nestedOrs(6, "!(SourceTransType == 6)", "count") }, "takes more than 1048576 rules"},
	{"ranges", func(n int) string {
		return "if SourcePeerAddress == (" + strings.Repeat("::1..7fff:ffff:ffff:ffff:ffff:ffff:ffff:fffe,", n/10) + "::1) count;"
	}, "takes more than 1048576 rules"},
	{"ranges that differ", func(n int) string {
		return "if SourcePeerAddress == (" + each(n/80, "%x:1::1..%[1]x:ffff:ffff:ffff:ffff:ffff:ffff:fffe,") + "::1) count;"
	}, ""},
	{"negations", func(n int) string { return "if " + strings.Repeat("!", n) + "(ecn==1) count;" }, "nested more than 250 deep"},
	{"negations of lists", func(n int) string {
		return "if " + strings.Repeat("!(", 120) + "ecn!=(1" + strings.Repeat(",2..3", n/5) + ")" + strings.Repeat(")", 120) + " count;"
	}, ""},
	{"comments", func(n int) string { return strings.Repeat("/* ", n) + "*/" + strings.Repeat("/**/", n) + "count;" }, ""},
	{"open comments", func(n int) string { return "count;" + strings.Repeat("/* ", n) }, "x.srl:1:7: expected */"},
	{"saving both ends", func(int) string { return nestedOrs(5, "Port != 6", "count") }, "takes more than 1048576 rules"},
	{"save list", func(n int) string { return "save " + strings.Repeat("ecn,", n) + "ecn; count;" }, ""},
	{"returns by calls", func(n int) string {
		k := n / 40
		return strings.Repeat("f;", n/2) + "call f()" + each(k, " %d1: count;") + " endcall; subroutine f()" +
			each(k, " if ecn==1 return %d1;") + " endsub;"
	}, "most of them behind its CALLs"},
	{"labels by copies", func(int) string {
		var calls strings.Builder
		for _, a := range attr.All() {
			if usable(a) && a.Class != attr.ClassComputed {
				calls.WriteString("call f(" + a.Name + ") endcall; ")
			}
		}
		return calls.String() + "call f(SourcePeerType)" + each(30_000, " %d1: count;") + " endcall; count; subroutine f(address a) ; endsub;"
	}, "most of them behind its CALLs"},
	{"copies by parameters", func(int) string {
		const depth, params = 12, 12
		var b strings.Builder
		names := []string{"SourcePeerType", "DestPeerType", "SourcePeerAddress", "DestPeerAddress", "SourceTransType", "DestTransType",
			"SourceTransAddress", "DestTransAddress", "SourceInterface", "DestInterface", "SourceAdjacentType", "DestAdjacentType"}
		b.WriteString("call s0(" + strings.Join(names, ",") + ") endcall; count;\n")
		formal := strings.TrimSuffix(each(params, "address p%d,"), ",")
		p := strings.Split(strings.TrimSuffix(each(params, "p%d,"), ","), ",")
		for k := range depth {
			fmt.Fprintf(&b, "subroutine s%d(%s) ", k, formal)
			for i := range params {
				q := append(append([]string{}, p[i:]...), p[:i]...)
				q[0], q[1] = q[1], q[0]
				fmt.Fprintf(&b, "call s%d(%s) endcall; ", k+1, strings.Join(q, ","))
			}
			b.WriteString("endsub;\n")
		}
		fmt.Fprintf(&b, "subroutine s%d(%s) ; endsub;", depth, formal)
		return b.String()
	}, "steps to compile"},
	{"format", func(n int) string { return "count; format" + strings.Repeat(" ecn", n/4) + ";" }, ""},
}

// TestHostile: no short program takes more memory than a bound that does not
// depend on it, and what is scanned or compiled in more than proportion to its
// length is given up soon: a text looked through in the square of its length
// would keep this test for hours.
func TestHostile(t *testing.T) {
	const most = 900 << 20 // octets allocated, all together
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			n := 1 << 18
			if testing.Short() {
				n = 1 << 16
			}
			text := h.text(n)
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Source("x.srl", []byte(text), srl.Options{})
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("%d octets take %d MB", len(text), used>>20)
			}
			switch {
			case err == nil && h.err != "":
				t.Errorf("no error, want %s", h.err)
			case err != nil && (h.err == "" || !strings.Contains(err.Error(), h.err)):
				msg := err.Error()
				t.Errorf("got %s, want %q", msg[:min(len(msg), 300)], h.err)
			}
		})
	}
}

// FuzzHostile compiles programs made of pieces of hostile ones: whatever they
// are, steps and rules stay within their bounds.
func FuzzHostile(f *testing.F) {
	for _, h := range hostile {
		if text := h.text(1 << 10); len(text) < 1<<12 {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		p, err := srl.Parse("x.srl", []byte(text), srl.Options{})
		if err != nil {
			return
		}
		const maxRules = 2000
		c := newCompiler(p, maxRules)
		rs, _, err := c.compile()
		if err == nil && len(rs.Rules) > maxRules {
			t.Errorf("%d rules", len(rs.Rules))
		}
		// One more list or copy may be begun when they are reached.
		if over := len(text) + 1<<20; c.steps > stepsPerRule*maxRules+over || c.nodes > maxRules+over || c.pads > maxRules+over {
			t.Errorf("%d steps, %d rules, %d of them behind calls", c.steps, c.nodes, c.pads)
		}
	})
}
