package lint

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// TestFaults has what is said of the programs of testdata/faults.txt, each with a fault
// that its first line names, and the program as Mend leaves it.
func TestFaults(t *testing.T) {
	const file = "testdata/faults.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, chunk := range strings.Split(string(text), "===\n") {
		program, _, _ := strings.Cut(chunk, "---\n")
		found, err := Source("x.srl", []byte(program), srl.Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, program)
		}
		name, is := strings.FieldsFunc(program, func(r rune) bool { return strings.ContainsRune("# :,\n", r) })[0], false
		all := program + "---\n"
		for _, f := range found {
			k, _ := KindOf(f.Number)
			is = is || k.Name == name
			all += f.String() + "\n"
		}
		if !is {
			t.Errorf("%s is not found, but %v in\n%s", name, found, program)
		}
		mended, n, left, err := Mend("x.srl", []byte(program), found, srl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			all += "--- mended\n" + string(mended)
			sameFlows(t, program, string(mended))
		}
		for _, f := range left {
			if len(f.Fix) > 0 {
				t.Errorf("left: %v in\n%s", f, mended)
			}
		}
		out = append(out, all)
	}
	got := strings.Join(out, "===\n")
	if os.Getenv("RTFM_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got != string(text) {
		g, w := strings.Split(got, "\n"), strings.Split(string(text), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("line %d: %s, want %s", i+1, g[i], w[i])
			}
		}
		t.Errorf("%d lines, want %d", len(g), len(w))
	}
}

// sameFlows has random packets go into the same flows by two programs.
func sameFlows(t *testing.T, before, after string) {
	t.Helper()
	var rs [2]*ruleset.RuleSet
	for i, text := range []string{before, after} {
		var err error
		if rs[i], _, err = compile.Source("x.srl", []byte(text), srl.Options{}); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	var shapes match.Shapes
	a := newLinter(&srl.Program{}, rs[0]).a
	p := &picker{a: a, Rand: r}
	first := &state{values: make([]*set, len(a.attrs))}
	for i, at := range a.attrs {
		first.values[i] = a.initial(at)
	}
	for range 300 {
		pkt := p.packet(first)
		for _, reversed := range []bool{false, true} {
			var v [2]pme.Verdict
			var flow [2]match.FlowKey
			for i := range rs {
				key := pkt.Key
				if reversed {
					key = key.Reverse()
				}
				v[i], flow[i] = pme.Reference(rs[i], 1, &shapes, pkt, &key, reversed)
			}
			if v[0] != v[1] || flow[0].Key != flow[1].Key || flow[0].Shape != flow[1].Shape {
				t.Fatalf("%v, then %v of\n%s\n%s", v[0], v[1], before, after)
			}
		}
	}
}
