package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/cmd"
	"rtfm/traces/tracetest"
)

const (
	root = "../.."
	date = "November 21, 2026"
)

// TestOptions finds commands and options that are in no page.
func TestOptions(t *testing.T) {
	all, err := pages(root, date)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		text, ok := all[pageName(c)+".1"]
		if !ok {
			t.Errorf("%s has no page", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(o *pflag.Flag) {
			n++
			if !regexp.MustCompile(`(?m)^\.It .*Fl -` + o.Name + `( |$)`).MatchString(text) {
				t.Errorf("%s --%s is not in its page", c.CommandPath(), o.Name)
			}
		})
		for _, below := range c.Commands() {
			check(below)
		}
	}
	check(cmd.Program())
	if n < 100 {
		t.Errorf("%d options were looked for", n)
	}
}

// writePages writes all pages to a folder.
func writePages(t *testing.T, folder string) (names []string) {
	t.Helper()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := pages(root, date)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range all {
		names = append(names, name)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// TestLint has mandoc look for what is wrong in pages.
func TestLint(t *testing.T) {
	mandoc := tracetest.Require(t, "mandoc")
	folder := t.TempDir()
	names := writePages(t, folder)
	lint := exec.Command(mandoc, append([]string{"-T", "lint", "-W", "warning"}, names...)...)
	lint.Dir = folder
	if out, err := lint.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

var (
	target = regexp.MustCompile(`\[\w+\.md\]\([^)]*\)|\]\([^)]*\)`) // of links, and those that become names of pages
	words  = regexp.MustCompile(`[\pL\d]+`)
)

// TestWords finds words of documents that people do not see in their pages.
func TestWords(t *testing.T) {
	mandoc := tracetest.Require(t, "mandoc")
	folder := t.TempDir()
	writePages(t, folder)
	for _, d := range documents {
		page := exec.Command(mandoc, "-T", "utf8", "-O", "width=300", d.name+"."+d.section)
		page.Dir = folder
		out, err := page.Output()
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for _, w := range words.FindAllString(strings.ToLower(regexp.MustCompile(`.\x08`).ReplaceAllString(string(out), "")), -1) {
			seen[w] = true
		}
		source, err := os.ReadFile(filepath.Join(root, d.path))
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(source), "\n") // the title is another
		text = regexp.MustCompile("(?m)^```.*$").ReplaceAllString(target.ReplaceAllString(text, ""), "")
		for _, w := range words.FindAllString(strings.ToLower(text), -1) {
			if !seen[w] && w != "md" {
				t.Errorf("%s: %q is not in %s(%s)", d.path, w, d.name, d.section)
			}
		}
	}
}

func TestEscape(t *testing.T) {
	for _, tc := range [][2]string{
		{`a\b`, `a\eb`}, {"'x' `y` ^~", `\(aqx\(aq \(gay\(ga \(ha\(ti`}, {"µ…", `\[u00B5]\[u2026]`},
	} {
		if got := escape(tc[0]); got != tc[1] {
			t.Errorf("escape(%q) = %q, want %q", tc[0], got, tc[1])
		}
	}
	p := &page{}
	p.lines("One. Two (three.) Four\n.so e.g.")
	if got, want := p.String(), "One.\nTwo (three.)\nFour .so e.g.\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p = &page{}
	p.lines(".so x")
	p.literal("'a\n.b\n")
	if got, want := p.String(), "\\&.so x\n.Bd -literal -offset 2n\n\\(aqa\n\\&.b\n.Ed\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
