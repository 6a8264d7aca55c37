package cmd

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands calls f for a command and all below it.
func commands(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, below := range c.Commands() {
		commands(below, f)
	}
}

// TestGroups finds options without a group in commands whose help has groups.
func TestGroups(t *testing.T) {
	commands(Program(), func(c *cobra.Command) {
		if !isGrouped(c.LocalFlags()) {
			if n := strings.Count(c.LocalFlags().FlagUsages(), "  --"); n > 20 {
				t.Errorf("%s has %d options, in no groups: see group", c.CommandPath(), n)
			}
			return
		}
		c.LocalFlags().VisitAll(func(o *pflag.Flag) {
			if g := groupOf(o); o.Name != "help" && !slices.Contains(groups, g) {
				t.Errorf("%s --%s is in group %q, which help does not have: see group", c.CommandPath(), o.Name, g)
			}
		})
	})
}

// TestBriefHelp holds --help to a screen of 80 columns and about 40 lines.
func TestBriefHelp(t *testing.T) {
	const lines = 44
	commands(Program(), func(c *cobra.Command) {
		all := helpText(c, true)
		text := helpText(c, false)
		if !isGrouped(c.Flags()) {
			if c.Name() != "completion" && c.Parent() != nil && c.Parent().Name() != "completion" && text != all {
				t.Errorf("%s: help without groups is not one", c.CommandPath())
			}
			return
		}
		if n := strings.Count(text, "\n"); n > lines {
			t.Errorf("%s --help has %d lines: leave some options to \"rtfm help\"", c.CommandPath(), n)
		}
		c.Flags().VisitAll(func(o *pflag.Flag) {
			if !strings.Contains(all, "--"+o.Name) {
				t.Errorf("%s --%s is not in rtfm help", c.CommandPath(), o.Name)
			}
			if isCommon(o) && utf8.RuneCountInString(optionText(o, true)) > helpWidth-most-4 {
				t.Errorf("%s --%s: %q is too long for a line of --help: what stands before a semicolon is shown", c.CommandPath(), o.Name, optionText(o, true))
			}
		})
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > helpWidth+1 {
				t.Errorf("%s --help: %q is wider than %d", c.CommandPath(), line, helpWidth)
			}
		}
	})
}

func TestWrapped(t *testing.T) {
	text := strings.Repeat("word ", 20)
	got := wrapped("  a  ", "     ", text)
	if want := "  a  " + strings.TrimSpace(strings.Repeat("word ", 15)) + "\n     word word word word word\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestExamples reads the examples of help as the program would: the options must
// be there, and take what they are given.
func TestExamples(t *testing.T) {
	n := 0
	commands(Program(), func(of *cobra.Command) {
		for line := range strings.Lines(of.Example) {
			for part := range strings.SplitSeq(strings.ReplaceAll(line, "&&", "|"), "|") {
				i := strings.Index(part, "rtfm ")
				if i < 0 || strings.Contains(part[:i], "'") {
					continue
				}
				args := shellWords(part[i+len("rtfm "):])
				root := Program()
				c, rest, err := root.Find(args)
				if err == nil {
					err = c.ParseFlags(rest)
				}
				if n++; err != nil || c == root {
					t.Errorf("%s: example %q: %v", of.CommandPath(), strings.TrimSpace(line), err)
				}
			}
		}
	})
	if n < 30 {
		t.Errorf("%d examples were found", n)
	}
}

// shellWords splits a command as a shell does, as far as examples need it.
func shellWords(text string) (words []string) {
	word, quoted, begun := "", false, false
	for _, r := range strings.TrimSpace(text) + " " {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case !quoted && r == '>':
			return words
		case !quoted && r == ' ':
			if begun {
				words = append(words, word)
			}
			word, begun = "", false
		default:
			word, begun = word+string(r), true
		}
	}
	return words
}

// TestNamedOptions finds options that help speaks of and that no command has.
func TestNamedOptions(t *testing.T) {
	known := map[string]bool{}
	commands(Program(), func(c *cobra.Command) {
		for _, g := range Options(c) {
			for _, o := range g.Options {
				known["--"+o.Name] = true
				if o.Shorthand != "" {
					known["-"+o.Shorthand] = true
				}
			}
		}
	})
	option := regexp.MustCompile(`(?:^|[ (])(--?[a-zA-Z][a-z-]*)`)
	commands(Program(), func(c *cobra.Command) {
		for _, m := range option.FindAllStringSubmatch(helpText(c, true), -1) {
			if !known[m[1]] && !strings.Contains(c.Example, m[1]) {
				t.Errorf("%s: help speaks of %s, which is no option", c.CommandPath(), m[1])
			}
		}
	})
}
