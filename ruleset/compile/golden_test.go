package compile

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestRules compiles the programs of testdata/rules.txt, which stand there
// each with its rules: program, line of ---, rules, line of ===.
func TestRules(t *testing.T) {
	inFile(t, "testdata/rules.txt", func(program string) string { return outcomeOf(t, "rules.srl", program) })
}

// TestMistakes has what is said to the programs of testdata/mistakes.txt, in which
// stands what people get wrong, or nothing if it is right by now.
func TestMistakes(t *testing.T) {
	inFile(t, "testdata/mistakes.txt", func(program string) string {
		_, warnings, err := Source("m.srl", []byte(program), srl.Options{})
		said := ""
		for _, w := range warnings {
			said += w.Error() + "\n"
		}
		if err != nil {
			said += err.Error() + "\n"
		}
		return said
	})
}

// inFile compares the outcomes of programs with those that stand in a file behind
// each.
func inFile(t *testing.T, file string, outcome func(program string) string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, chunk := range strings.Split(string(text), "===\n") {
		program, want, _ := strings.Cut(chunk, "---\n")
		name, _, _ := strings.Cut(program, "\n")
		got := outcome(program)
		if i > 0 {
			out.WriteString("===\n")
		}
		out.WriteString(program + "---\n" + got)
		if got != want && !*update {
			t.Errorf("%s\ngot:\n%swant:\n%s", name, got, want)
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPublishedPrograms compiles programs from outside, which the folder
// rulesets of RTFM_TRACES holds.
func TestPublishedPrograms(t *testing.T) {
	dir := tracetest.Require(t, "traces")
	files, err := filepath.Glob(filepath.Join(dir, "rulesets", "*.srl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs in %s (%v)", dir, err)
	}
	for _, f := range files {
		name := filepath.Base(f)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			got := outcomeOf(t, name, string(text))
			golden := filepath.Join("testdata", "published", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// outcomeOf compiles a program and returns warnings, faults and rules as
// text. Rules must be such that a rule file of them is read without doubts.
func outcomeOf(t *testing.T, name, program string) string {
	t.Helper()
	var b strings.Builder
	rs, warnings, err := Source(name, []byte(program), srl.Options{Plain: true})
	if len(warnings) > 0 {
		b.WriteString(warnings.Error() + "\n")
	}
	if err != nil {
		b.WriteString(err.Error() + "\n")
		return b.String()
	}
	before := b.Len()
	if _, err := rs.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	rules := b.String()[before:]
	read, doubts, err := ruleset.ParseRules(name, []byte(rules))
	if err != nil || len(doubts) > 0 {
		t.Fatalf("the rules are not read back: %v %v\n%s", err, doubts, rules)
	}
	if len(read.Rules) != len(rs.Rules) {
		t.Fatalf("%d rules are read back as %d", len(rs.Rules), len(read.Rules))
	}
	for i, r := range rs.Rules {
		q := read.Rules[i]
		if q.Attr != r.Attr || q.Op != r.Op || q.Param != r.Param ||
			q.Mask.Padded() != r.Mask.Padded() || q.Value.Padded() != r.Value.Padded() {
			t.Fatalf("rule %d, %v, is read back as %v", i+1, r, q)
		}
	}
	return b.String()
}

// TestReference compiles the programs of the documents.
func TestReference(t *testing.T) {
	for _, name := range []string{"SRL.md", "MATCHING.md"} {
		text, err := os.ReadFile("../" + name)
		if err != nil {
			t.Fatal(err)
		}
		programs := strings.Split(string(text), "```srl\n")[1:]
		if len(programs) == 0 {
			t.Fatal("there are no programs")
		}
		for _, p := range programs {
			p, _, _ = strings.Cut(p, "```")
			if got := outcomeOf(t, name, p); !strings.HasPrefix(got, "RULES\n") {
				t.Errorf("%s%s", p, got)
			}
		}
	}
}
