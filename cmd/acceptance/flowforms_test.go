package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// otherPrograms matches the commands of other programs in FORMAT.md, with what they
// print.
var otherPrograms = regexp.MustCompile(`(?m)^\$ ((jq|python3) .*)\n((?:[^$\x60].*\n)*)`)

// TestOtherPrograms runs the commands in FORMAT.md by which other programs read rows.
func TestOtherPrograms(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("reader/flowfile/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	json, csv := filepath.Join(dir, "services.json"), filepath.Join(dir, "services.csv")
	succeed(t, "run", "-q", "-r", "ruleset/examples/services.srl", "-T", "60", "--json", "-F", json, "traces/testdata/sample.pcap")
	succeed(t, "flows", "convert", "--to", "csv", "-F", csv, json)
	commands := otherPrograms.FindAllStringSubmatch(string(text), -1)
	if len(commands) != 3 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, m := range commands {
		t.Run(m[2], func(t *testing.T) {
			line := m[1]
			switch m[2] {
			case "jq":
				tracetest.Require(t, "jq")
			case "python3":
				line = tracetest.Require(t, "pandas") + strings.TrimPrefix(line, "python3")
			}
			shell := exec.CommandContext(t.Context(), "sh", "-c", line)
			shell.Dir = dir
			if out, err := shell.CombinedOutput(); err != nil || string(out) != m[3] {
				t.Errorf("%s: %v\n%s\nwant\n%s", line, err, out, m[3])
			}
		})
	}
}

// succeed runs the program and returns what it prints.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := runMain(args, nil, &out, &errs); status != 0 {
		t.Fatalf("%q: exit status %d\n%s", args, status, &errs)
	}
	return out.String()
}

// TestFormsOfTraces meters real traces and has their flows go through all forms: what
// is written from another form is what the run writes.
func TestFormsOfTraces(t *testing.T) {
	t.Parallel()
	root := filepath.Join(tracetest.Require(t, "traces"), "traces")
	names, every, least := filesBelow(t, root), 60, 100
	if testing.Short() {
		every, least = 200, 20
	}
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) []byte {
		b, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	rules := []string{"-r", "ruleset/examples/all-flows.srl", "-r", "ruleset/examples/packet-sizes.srl", "-r", "ruleset/examples/networks.srl"}
	flows := 0
	for i := 7; i < len(names); i += every {
		run := append([]string{"run", "-q", "--unordered", "--name", "m", "-T", "5", "--align", "none"}, rules...)
		trace := filepath.Join(root, names[i])
		for _, form := range [][]string{{"-F", file("a.flows")}, {"--json", "-F", file("a.json")}, {"--csv", "-F", file("a.csv")}} {
			var errs bytes.Buffer
			if status := runMain(append(append(slices.Clone(run), form...), trace), nil, &errs, &errs); status == 1 || status == 4 {
				t.Fatalf("%s: exit status %d\n%s", trace, status, &errs)
			}
		}
		if len(read("a.json")) == 0 {
			continue // no trace, or no packets in it
		}
		convert := func(to, in, out, want string) {
			t.Helper()
			succeed(t, "flows", "convert", "--to", to, "-F", file(out), file(in))
			if want != "" && !bytes.Equal(read(out), read(want)) {
				t.Errorf("%s: %s of %s is not %s", trace, out, in, want)
			}
		}
		convert("text", "a.json", "b.flows", "a.flows")
		convert("json", "a.flows", "b.json", "")
		convert("text", "b.json", "c.flows", "a.flows")
		convert("json", "a.json", "c.json", "a.json")
		convert("json", "a.csv", "d.json", "")
		isFlow := func(line []byte) bool { return bytes.HasPrefix(line, []byte(`{"record":"flow"`)) }
		if !bytes.Equal(only(read("d.json"), isFlow), only(read("a.json"), isFlow)) {
			t.Errorf("%s: the rows of d.json are not those of a.json", trace)
		}
		// CSV of a run has columns for what no flow has saved.
		convert("csv", "a.json", "b.csv", "")
		convert("csv", "d.json", "c.csv", "b.csv")
		succeed(t, "flows", "check", file("a.flows"), file("a.json"))
		flows += bytes.Count(read("a.json"), []byte(`{"record":"flow"`))
	}
	t.Logf("%d flow records", flows)
	if flows < least {
		t.Errorf("only %d flow records", flows)
	}
}

// only returns the lines of which keep is true.
func only(text []byte, keep func([]byte) bool) (kept []byte) {
	for line := range bytes.Lines(text) {
		if keep(line) {
			kept = append(kept, line...)
		}
	}
	return kept
}
