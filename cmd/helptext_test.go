package cmd

import (
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

// TestBriefHelp holds --help to a screen of 80 columns and about 45 lines.
func TestBriefHelp(t *testing.T) {
	const lines = 46
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
			if isCommon(o) && utf8.RuneCountInString(optionText(o, true)) > screen-most-4 {
				t.Errorf("%s --%s: %q is too long for a line of --help: what stands before a semicolon is shown", c.CommandPath(), o.Name, optionText(o, true))
			}
		})
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > screen+1 {
				t.Errorf("%s --help: %q is wider than %d", c.CommandPath(), line, screen)
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
