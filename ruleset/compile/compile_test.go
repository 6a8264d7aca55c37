package compile

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// source compiles a program that must have no faults.
func source(t *testing.T, text string) *ruleset.RuleSet {
	t.Helper()
	rs, _, err := Source("x.srl", []byte(text), srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// packet makes an IPv4 packet.
func packet(protocol uint8, from, to string) *match.Packet {
	p := &match.Packet{PeerLen: 4}
	p.Key.SetPeerType(1)
	p.Key.SetTransType(protocol)
	for end, s := range []string{from, to} {
		a := netip.MustParseAddrPort(s)
		copy(p.Key.Peer(end)[:], a.Addr().AsSlice())
		*p.Key.Trans(end) = [2]byte{byte(a.Port() >> 8), byte(a.Port())}
	}
	return p
}

// TestAnswers runs programs over packets and compares with what a reader of
// RFC 2723 expects.
func TestAnswers(t *testing.T) {
	const services = `
		define web = (80, 443);
		if SourcePeerType == ipv4 save; else ignore;
		if (SourceTransType == tcp || SourceTransType == udp) save, {
			if SourceTransAddress == (web, 53) nomatch;
			if DestTransAddress == web save, store FlowKind := 'W';
			else if DestTransAddress == 53 save, store FlowKind := 'D';
			else { save DestTransAddress; store FlowKind := '?'; }
		}
		else save SourceTransType = 0;
		save SourcePeerAddress/24;
		count;`
	const groups = `
		define ours = 10.1/16;
		call kind (DestPeerAddress, DestKind) 1: nomatch; endcall;
		call kind (SourcePeerAddress, SourceKind) 1: { save MatchingKind; } endcall;
		count;
		define MatchingKind = DestTransAddress;
		subroutine kind (address a, variable k)
			if a == ours save, { store k := 10; return 1; }
			if a == (10.2.3/24, 10.2/16) save, { store k := 20; return 2; }
			save a/8; store k := 30; return 3;
		endsub;`
	for _, tt := range []struct {
		name, program string
		protocol      uint8
		source, dest  string
		verdict       pme.Verdict
		saved         string
	}{
		{"a port of a list, as destination", services, 6, "10.1.2.3:1025", "10.9.9.9:443", pme.Success,
			"SourcePeerType/8=1 SourcePeerAddress/24=10.1.2.0 SourceTransType/8=6 DestTransAddress/16=1.187 FlowKind/8=87"},
		{"the same, as source", services, 6, "10.9.9.9:443", "10.1.2.3:1025", pme.NoMatch, ""},
		{"a port of none", services, 17, "10.1.2.3:1025", "10.9.9.9:4000", pme.Success,
			"SourcePeerType/8=1 SourcePeerAddress/24=10.1.2.0 SourceTransType/8=17 DestTransAddress/16=15.160 FlowKind/8=63"},
		{"another protocol", services, 1, "10.1.2.3:53", "10.9.9.9:0", pme.Success,
			"SourcePeerType/8=1 SourcePeerAddress/24=10.1.2.0 SourceTransType/8=0"},
		{"from us to others", groups, 6, "10.1.2.3:5", "10.2.3.4:6", pme.Success,
			"SourcePeerAddress/16=10.1.0.0 DestPeerAddress/24=10.2.3.0 DestTransAddress/16=0.6 SourceKind/8=10 DestKind/8=20"},
		{"the wider network of a list", groups, 6, "10.2.4.5:5", "172.16.1.1:6", pme.Success,
			"SourcePeerAddress/16=10.2.0.0 DestPeerAddress/8=172.0.0.0 SourceKind/8=20 DestKind/8=30"},
		{"to us", groups, 6, "10.2.3.4:5", "10.1.2.3:6", pme.NoMatch, ""},
		{"the end of the program is no match", "if SourceTransType == 6 count;", 17, "1.2.3.4:5", "1.2.3.4:6", pme.NoMatch, ""},
		{"a program that ends in a subroutine call", "f; subroutine f () if SourceTransType == 6 count; endsub;", 17, "1.2.3.4:5", "1.2.3.4:6", pme.NoMatch, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := packet(tt.protocol, tt.source, tt.dest)
			key := p.Key
			verdict, flow := pme.Reference(source(t, tt.program), 1, new(match.Shapes), p, &key, false)
			if verdict != tt.verdict {
				t.Fatalf("verdict %v, want %v", verdict, tt.verdict)
			}
			if verdict != pme.Success {
				return
			}
			var got []string
			for _, s := range flow.Shape.Saved {
				w, ok := s.Mask.Width()
				if !ok {
					t.Errorf("mask %v", s.Mask)
				}
				got = append(got, fmt.Sprintf("%v/%d=%s", s.Attr, w, attr.MakeValue(flow.Value(s.Attr)...)))
			}
			if g := strings.Join(got, " "); g != tt.saved {
				t.Errorf("got  %s\nwant %s", g, tt.saved)
			}
		})
	}
}

// TestLength: programs of twice the length have twice the rules and take
// twice the work, counted as allocated pieces.
func TestLength(t *testing.T) {
	chain := func(n int, arm string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, arm, i>>8, i&255)
		}
		return b.String()
	}
	for _, tt := range []struct {
		name string
		text func(n int) string
		// rules has the rules for one arm, and those besides.
		each, more int
	}{
		{"list", func(n int) string {
			return "if SourcePeerAddress == (1.1.1.1" + chain(n, ", 10.%d.%d/24") + ") save, count;"
		}, 1, 2},
		{"list of a define, used twice", func(n int) string {
			return "define l = 1.1.1.1" + chain(n, ", 10.%d.%d/24") + "; if SourcePeerAddress == (l) save; if DestPeerAddress == (l) save; count;"
		}, 2, 3},
		{"chain", func(n int) string {
			return chain(n, "if SourcePeerAddress == 10.%d.%d/24 save, count; else ") + "ignore;"
		}, 1, 1},
		{"chain of &&", func(n int) string {
			return chain(n, "if SourcePeerAddress == 10.%d.%d/24 && SourceTransType == 6 save, count; else ") + "ignore;"
		}, 3, 1},
		{"&&", func(n int) string {
			return "if SourcePeerType == 1" + chain(n, " && SourceTransAddress == %d.%d") + " count;"
		}, 2, 3},
		{"||", func(n int) string {
			return "if SourcePeerType == 1" + chain(n, " || SourceTransAddress == %d.%d") + " count;"
		}, 1, 3},
		{"statements", func(n int) string { return chain(n, "save SourceTransAddress = %d.%d;") + "count;" }, 1, 1},
		{"calls", func(n int) string {
			return chain(n, "call f() 1: save SourceTransAddress = %d.%d; endcall;") +
				"count; subroutine f () return 1; endsub;"
		}, 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const n = 2000
			var allocs [2]float64
			for i := range allocs {
				text := tt.text(n << i)
				rs, _, err := Source("x.srl", []byte(text), srl.Options{Plain: true})
				if err != nil {
					t.Fatal(err)
				}
				if got, want := len(rs.Rules), n<<i*tt.each+tt.more; got != want {
					t.Errorf("%d rules for %d, want %d", got, n<<i, want)
				}
				if got := len(source(t, text).Rules); got > len(rs.Rules) {
					t.Errorf("%d rules for %d, %d if not optimised", got, n<<i, len(rs.Rules))
				}
				allocs[i] = testing.AllocsPerRun(1, func() { source(t, text) })
			}
			if allocs[1] > 2.3*allocs[0] {
				t.Errorf("%v allocations for %d, %v for twice as many", allocs[0], n, allocs[1])
			}
		})
	}
}

// TestMaxRules: programs that grow beyond all bounds by few words are
// refused, and soon.
func TestMaxRules(t *testing.T) {
	// Every subroutine calls the next one with its parameters as they are,
	// and with two of them changed over.
	const depth, params = 40, 16
	list := func(format string, a, b int) string {
		var l []string
		for i := range params {
			switch i {
			case a:
				i = b
			case b:
				i = a
			}
			l = append(l, fmt.Sprintf(format, i))
		}
		return strings.Join(l, ", ")
	}
	var copies strings.Builder
	copies.WriteString("call s0 (SourcePeerType" + strings.Repeat(", SourceTransType, DestTransType, DestPeerType", 5) + ") endcall; count;\n")
	for k := range depth {
		fmt.Fprintf(&copies, "subroutine s%d (%s) call s%d (%s) endcall; call s%d (%s) endcall; endsub;\n",
			k, list("address p%d", 0, 0), k+1, list("p%d", 0, 0), k+1, list("p%d", k%params, (k+1)%params))
	}
	fmt.Fprintf(&copies, "subroutine s%d (%s) save p0; endsub;", depth, list("address p%d", 0, 0))
	var nested strings.Builder
	nested.WriteString("if SourcePeerType == 1")
	for range 120 {
		nested.WriteString(" && (SourceTransType == 6 || SourceTransType == 17 && DestTransType == 17)")
	}
	nested.WriteString(" save, count;")
	for _, tt := range []struct{ name, text, want string }{
		{"copies", copies.String(), "x.srl:41:215: the program takes more than 40000 steps to compile: its IFs, lists or CALLs multiply each other"},
		{"ways", nested.String(), "x.srl:1:1: the program takes more than 5000 rules"},
	} {
		p, err := srl.Parse("x.srl", []byte(tt.text), srl.Options{})
		if err != nil {
			t.Fatal(tt.name, err)
		}
		_, _, err = newCompiler(p, 5000).compile()
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestMaxSaves: what one IF saves fits into what a match can save.
func TestMaxSaves(t *testing.T) {
	for n, want := range map[int]string{
		maxSaves:     "",
		maxSaves + 1: "x.srl:1:1: this IF saves more than 255 attributes",
	} {
		text := "if SourcePeerType == 1" + strings.Repeat(" && SourcePeerType == 1", n-1) + " save; count;"
		rs, _, err := Source("x.srl", []byte(text), srl.Options{})
		if want != "" {
			if err == nil || err.Error() != want {
				t.Errorf("%d: got %v, want %s", n, err, want)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		p := packet(6, "1.1.1.1:1", "1.1.1.1:1")
		key := p.Key
		if v, _ := pme.Reference(rs, 1, new(match.Shapes), p, &key, false); v != pme.Success {
			t.Errorf("%d saves: %v", n, v)
		}
	}
}

// TestMaxCalls: calls nest as deep as a match can, and no deeper.
func TestMaxCalls(t *testing.T) {
	// The innermost subroutine stands first in the text, so that copies made
	// earlier are called from deeper ones.
	program := func(n int) string {
		var b strings.Builder
		b.WriteString("s0; s40; s200; count;")
		for i := n - 1; i >= 0; i-- {
			if i == n-1 {
				fmt.Fprintf(&b, "subroutine s%d () save SourcePeerType; endsub;\n", i)
			} else {
				fmt.Fprintf(&b, "subroutine s%d () s%d; endsub;\n", i, i+1)
			}
		}
		return b.String()
	}
	p := packet(6, "1.1.1.1:1", "1.1.1.1:1")
	key := p.Key
	if v, _ := pme.Reference(source(t, program(maxCalls)), 1, new(match.Shapes), p, &key, false); v != pme.Success {
		t.Errorf("%d calls: %v", maxCalls, v)
	}
	_, _, err := Source("x.srl", []byte(program(maxCalls+1)), srl.Options{})
	if err == nil || !strings.Contains(err.Error(), "calls nest more than 256 deep") {
		t.Errorf("%d calls: %v", maxCalls+1, err)
	}
}

func FuzzSource(f *testing.F) {
	for _, s := range []string{
		"define net = (10/8, 11.2/16); if SourcePeerAddress == (net, 2001:db8::/32) && (SourceTransType == tcp || FlowKind == 'a') save, count; else ignore;",
		"call f (SourcePeerAddress, FlowKind) 1: 2: { x: { exit x; } } endcall; count; subroutine f (address p, variable q) store q := 1; if p == 5/3 return 2; save p & 7; endsub;",
		"set 3; format FlowIndex \" \" ToPDUs; statistics; save ToPacketSize = 1.2!3 & 5; f; subroutine f () f; endsub;",
		"if MatchingStoD == (0, 2 & 1) nomatch; if SourceAdjacentAddress == FF-00 & FF-FF-FF && DestTransAddress == 1 & 0.3 save; save SourceKind & 3; count;",
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, strict bool) {
		const limit = 3000
		p, grammar := srl.Parse("x.srl", []byte(text), srl.Options{Strict: strict})
		rs, _, err := newCompiler(p, limit).compile()
		if grammar != nil || err != nil {
			return
		}
		if err := rs.Check(); err != nil {
			t.Fatal(err)
		}
		if len(rs.Rules) > limit {
			t.Fatalf("%d rules", len(rs.Rules))
		}
		again, err := srl.Parse("x.srl", []byte(p.String()), srl.Options{Strict: strict})
		if err != nil {
			t.Fatal(err)
		}
		same, _, err := newCompiler(again, limit).compile()
		if err != nil || rulesOf(t, same) != rulesOf(t, rs) {
			t.Fatalf("what is printed compiles to something else: %v", err)
		}
	})
}

// rulesOf returns the rules as a rule file.
func rulesOf(t *testing.T, rs *ruleset.RuleSet) string {
	var b strings.Builder
	if _, err := rs.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// BenchmarkCompile compiles a list of 100,000 networks.
func BenchmarkCompile(b *testing.B) {
	var list strings.Builder
	list.WriteString("if SourcePeerAddress == (9/8")
	for i := range 100_000 {
		fmt.Fprintf(&list, ", %d.%d.%d.0/24", 11+i>>16, i>>8&255, i&255)
	}
	list.WriteString(") save, count;")
	text := []byte(list.String())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Source("x.srl", text, srl.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLoadText: a byte order mark is no part of a program or rule file, what is
// no text is told as such, and of many faults the first are shown.
func TestLoadText(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, text, want string }{
		{"bom.srl", "\ufeffcount;", ""},
		{"bom.rules", "\ufeffNull & 0 = 0: Ignore, 0;", ""},
		{"x.pcap", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00@@@@", "x.pcap: no text, which an SRL program and a rule file are; is it a trace?"},
		{"nul.srl", "count;\x00", "nul.srl: no text, which an SRL program and a rule file are; is it a trace?"},
		{"many.srl", strings.Repeat("save;\n", 25), "many.srl:20:5: expected an attribute behind SAVE, found \";\"\nmany.srl: and 5 more"},
		{"many.rules", strings.Repeat("x;\n", 25), "many.rules: and 6 more"},
	} {
		path := filepath.Join(dir, tt.name)
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := Load(path, nil, srl.Options{})
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.HasSuffix(strings.ReplaceAll(err.Error(), dir+"/", ""), tt.want)):
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
