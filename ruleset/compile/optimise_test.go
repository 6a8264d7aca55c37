package compile

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	decode "rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/rulesettest"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// both compiles a program as it stands and optimised.
func both(t *testing.T, path string) (plain, optimised *ruleset.RuleSet) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var to [2]*ruleset.RuleSet
	for i := range to {
		if to[i], _, err = Source(path, text, srl.Options{Plain: i == 0}); err != nil {
			return nil, nil // some of those from outside are fragments
		}
	}
	return to[0], to[1]
}

// TestOptimised has the optimised rules of the programs of testdata/optimised.txt.
func TestOptimised(t *testing.T) {
	inFile(t, "testdata/optimised.txt", func(program string) string {
		rs, _, err := Source("optimised.srl", []byte(program), srl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return rulesOf(t, rs)
	})
}

// ourPrograms returns the files of the examples and of the programs that come with
// rtfm.
func ourPrograms(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, dir := range []string{"../examples", "../builtin/programs"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.srl"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no programs in %s (%v)", dir, err)
		}
		all = append(all, files...)
	}
	return all
}

// TestOptimiserDocument: OPTIMISER.md has the rules of each of our programs.
func TestOptimiserDocument(t *testing.T) {
	const file, begin = "../OPTIMISER.md", "|---|---|---|\n"
	var table strings.Builder
	total := [2]int{}
	for _, path := range ourPrograms(t) {
		plain, optimised := both(t, path)
		if plain == nil {
			t.Fatalf("%s has faults", path)
		}
		name := strings.TrimPrefix(path, "../")
		if at, ok := strings.CutPrefix(name, "builtin/programs/"); ok {
			name = "@" + strings.TrimSuffix(at, ".srl")
		}
		fmt.Fprintf(&table, "| %s | %d | %d |\n", name, len(plain.Rules), len(optimised.Rules))
		total[0] += len(plain.Rules)
		total[1] += len(optimised.Rules)
	}
	fmt.Fprintf(&table, "| all | %d | %d |\n", total[0], total[1])
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), begin)
	if !ok {
		t.Fatal("there is no table")
	}
	tail := ""
	if end := strings.Index(rest, "\n\n"); end >= 0 {
		tail = rest[end+1:]
	}
	want := head + begin + table.String() + tail
	if want == string(text) {
		return
	}
	if !*update {
		t.Errorf("the table of %s is another one; go test -update writes\n%s", file, table.String())
	} else if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSameFlows: of the packets of traces each program counts the same ones, the
// same way round, in the same flows, whether it is optimised or not.
func TestSameFlows(t *testing.T) {
	programs := ourPrograms(t)
	t.Run("sample", func(t *testing.T) { sameFlows(t, programs, []string{"../../traces/testdata/sample.pcap"}) })
	t.Run("traces", func(t *testing.T) {
		dir := tracetest.Require(t, "traces")
		more, err1 := filepath.Glob(filepath.Join(dir, "rulesets", "*.srl"))
		files, err2 := filepath.Glob(filepath.Join(dir, "traces", "*", "*.pcap*"))
		if err1 != nil || err2 != nil || len(more) == 0 || len(files) == 0 {
			t.Fatalf("%d programs, %d traces in %s (%v, %v)", len(more), len(files), dir, err1, err2)
		}
		if !tracetest.Long() { // some of each kind
			const step = 25
			some := files[:0]
			for i := 0; i < len(files); i += step {
				some = append(some, files[i])
			}
			files = some
		}
		sameFlows(t, append(programs, more...), files)
	})
}

func sameFlows(t *testing.T, programs, files []string) {
	t.Helper()
	type pair struct {
		name  string
		rules [2]*pme.Program
	}
	shapes := new(match.Shapes)
	var pairs []pair
	for i, path := range programs {
		plain, optimised := both(t, path)
		if plain == nil {
			continue
		}
		p := pair{name: path}
		for k, rs := range []*ruleset.RuleSet{plain, optimised} {
			var err error
			if p.rules[k], err = pme.Compile(rs, i+1, shapes); err != nil {
				t.Fatal(err)
			}
		}
		pairs = append(pairs, p)
	}
	counted := 0
	for _, file := range files {
		eachPacket(file, func(pkt *match.Packet) {
			for _, p := range pairs {
				var said [2][2]pme.Verdict
				var flows [2]match.FlowKey
				for k, engine := range p.rules {
					key := pkt.Key
					said[k][0] = engine.Match(pkt, &key, false, &flows[k])
					if said[k][0] == pme.NoMatch {
						key = pkt.Key.Reverse()
						said[k][1] = engine.Match(pkt, &key, true, &flows[k])
					}
					if said[k][0] == pme.Success || said[k][1] == pme.Success {
						counted++
					} else {
						flows[k] = match.FlowKey{}
					}
				}
				if said[0] != said[1] || flows[0] != flows[1] {
					t.Fatalf("%s, %s: %v %v, optimised %v %v", p.name, file, said[0], flows[0], said[1], flows[1])
				}
			}
		})
	}
	if counted < 1000 {
		t.Errorf("only %d were counted", counted)
	}
}

// eachPacket calls use for the packets of a trace, as far as it can be read.
func eachPacket(file string, use func(*match.Packet)) {
	src, err := format.Open(file)
	if err != nil {
		return // some are damaged
	}
	defer src.Close()
	for b := new(traces.Batch); src.ReadBatch(b) == nil; {
		for i := range b.Packets {
			var p match.Packet
			decode.Decode(&p, b.Packets[i].Link, b.Packets[i].Data, b.Packets[i].Wire)
			p.Key.SetInterface(attr.Source, 1)
			p.Key.SetInterface(attr.Dest, 1)
			use(&p)
		}
	}
}

// faults are what an optimiser could do wrong: each changes a rule, and reports
// whether it could.
var faults = []struct {
	name string
	make func(r *rand.Rand, rs *ruleset.RuleSet, rule *ruleset.Rule) bool
}{
	{"a save is dropped", func(_ *rand.Rand, _ *ruleset.RuleSet, rule *ruleset.Rule) bool {
		if !rule.Op.Pushes() || !rule.Op.HasTarget() {
			return false
		}
		rule.Op = ruleset.OpGoto + (rule.Op-ruleset.OpPushRuleTo)&1
		return true
	}},
	{"a save is not taken back", func(_ *rand.Rand, _ *ruleset.RuleSet, rule *ruleset.Rule) bool {
		if rule.Op != ruleset.OpPopTo && rule.Op != ruleset.OpPopToAct {
			return false
		}
		rule.Op -= ruleset.OpPopTo - ruleset.OpGoto
		return true
	}},
	{"a prefix is too wide", func(_ *rand.Rand, _ *ruleset.RuleSet, rule *ruleset.Rule) bool {
		w, is := rule.Mask.Width()
		if !is || w == 0 || rule.Attr == attr.Null || rule.Op.Pushes() {
			return false
		}
		rule.Mask = attr.WidthMask(w-1, rule.Mask.Len())
		rule.Value = rule.Value.And(rule.Mask)
		return true
	}},
	{"a test is passed by", func(_ *rand.Rand, rs *ruleset.RuleSet, rule *ruleset.Rule) bool {
		to := rule.Param - 1
		if !rule.Op.TestsNext() || to >= len(rs.Rules)-1 || rs.Rules[to].Attr == attr.Null {
			return false
		}
		rule.Param++
		return true
	}},
	{"another tail is shared", func(r *rand.Rand, rs *ruleset.RuleSet, rule *ruleset.Rule) bool {
		if !rule.Op.HasTarget() {
			return false
		}
		to := rs.Rules[r.IntN(len(rs.Rules))].Param
		if to <= rule.Param || to > len(rs.Rules) {
			return false
		}
		rule.Param = to
		return true
	}},
	{"it returns elsewhere", func(_ *rand.Rand, _ *ruleset.RuleSet, rule *ruleset.Rule) bool {
		if rule.Op != ruleset.OpReturn {
			return false
		}
		rule.Param = 3 - min(rule.Param, 2)
		return true
	}},
	{"NoMatch becomes Ignore", func(_ *rand.Rand, _ *ruleset.RuleSet, rule *ruleset.Rule) bool {
		if rule.Op != ruleset.OpNoMatch {
			return false
		}
		rule.Op = ruleset.OpIgnore
		return true
	}},
}

// TestFaultsAreFound breaks optimised rules in ways in which an optimiser could:
// the comparison with the program itself finds each of them, often enough that a
// thousand programs do not miss it.
func TestFaultsAreFound(t *testing.T) {
	const programs = 300
	made, found := make([]int, len(faults)), make([]int, len(faults))
	for seed := range uint64(programs) {
		r := rand.New(rand.NewPCG(seed, 2722))
		p, err := srl.Parse("random.srl", []byte(rulesettest.Extended(r)), srl.Options{})
		if err != nil {
			t.Fatal(err)
		}
		good, _, err := Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		for i := range faults {
			rs := *good
			rs.Rules = slices.Clone(good.Rules)
			at, could := r.IntN(len(rs.Rules)), false
			for range rs.Rules {
				at = (at + 1) % len(rs.Rules)
				if could = faults[i].make(r, &rs, &rs.Rules[at]); could {
					break
				}
			}
			if !could {
				continue
			}
			shapes := new(match.Shapes)
			engine, err := pme.Compile(&rs, 1, shapes)
			if err != nil {
				continue // it goes on for ever
			}
			made[i]++
			bad := rulesAndEngine{&rs, engine, shapes}
			for range 40 {
				pkt, reversed := randomPacket(r), r.IntN(2) == 0
				want, items := run(p, pkt, reversed)
				if _, fault := bad.match(pkt, reversed, want, items); fault != "" {
					found[i]++
					break
				}
			}
		}
	}
	for i := range faults {
		t.Logf("%s: %d of %d found", faults[i].name, found[i], made[i])
		if found[i] == 0 {
			t.Errorf("%s: none of %d is found", faults[i].name, made[i])
		}
	}
}
