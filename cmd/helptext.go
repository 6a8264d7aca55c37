package cmd

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpWidth is the width of help, most that of an option's name beside which stands
// what it does, in columns.
const (
	helpWidth = 80
	most      = 26
)

// helpText returns the help on a command: all of it, or, if it has much, what fits
// a screen.
func helpText(cmd *cobra.Command, all bool) string {
	options := Options(cmd)
	brief := isGrouped(cmd.Flags()) && !all
	var b strings.Builder
	if brief || cmd.Long == "" {
		b.WriteString(cmd.Short + ".\n")
	} else {
		b.WriteString(cmd.Long + "\n")
	}
	b.WriteString("\nUsage:\n")
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND"
	}
	b.WriteString(wrapped("  ", "      ", strings.TrimSuffix(use, " [flags]")))
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-12s%s\n", c.Name(), c.Short)
			}
		}
	}
	left := writeOptions(&b, options, brief)
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	switch path := strings.TrimPrefix(cmd.CommandPath(), "rtfm "); {
	case brief:
		fmt.Fprintf(&b, "\n\"rtfm help %s\" tells more, and of %d more options.\n", path, left)
	case cmd.HasAvailableSubCommands():
		fmt.Fprintf(&b, "\n\"%s COMMAND --help\" tells more about one.\n", cmd.CommandPath())
	}
	return b.String()
}

// writeOptions writes the options of a command, by group, and returns how many are
// left out of brief help.
func writeOptions(b *strings.Builder, groups []OptionGroup, brief bool) (left int) {
	width := 0
	for i := range groups {
		all := groups[i].Options
		if brief {
			groups[i].Options = slices.DeleteFunc(slices.Clone(all), func(o *pflag.Flag) bool { return !isCommon(o) })
			left += len(all) - len(groups[i].Options)
		}
		for _, o := range groups[i].Options {
			width = max(width, utf8.RuneCountInString(optionName(o)))
		}
	}
	width = min(width, most)
	for _, g := range groups {
		if len(g.Options) == 0 {
			continue
		}
		b.WriteString("\n" + g.Name + ":\n")
		for _, o := range g.Options {
			lead := fmt.Sprintf("  %-*s  ", width, optionName(o))
			if utf8.RuneCountInString(optionName(o)) > width {
				b.WriteString("  " + optionName(o) + "\n")
				lead = strings.Repeat(" ", width+4)
			}
			b.WriteString(wrapped(lead, strings.Repeat(" ", width+4), optionText(o, brief)))
		}
	}
	return left
}

// optionName returns an option as it is given: "-r, --rules FILE".
func optionName(o *pflag.Flag) string {
	value, _ := pflag.UnquoteUsage(o)
	name := "    --" + o.Name
	if o.Shorthand != "" {
		name = "-" + o.Shorthand + ", --" + o.Name
	}
	if value != "" {
		name += " " + value
	}
	return name
}

// optionText returns what an option does, and its default. Brief help has what goes
// before a semicolon or a line end, and the default if there is room.
func optionText(o *pflag.Flag, brief bool) string {
	_, text := pflag.UnquoteUsage(o)
	if brief {
		text, _, _ = strings.Cut(strings.ReplaceAll(text, ";\n", "; "), "; ")
		text, _, _ = strings.Cut(text, "\n")
	}
	text = strings.Join(strings.Fields(text), " ")
	value := " (default " + o.DefValue + ")"
	switch o.DefValue {
	case "", "0", "false", "[]":
		value = ""
	}
	if brief && utf8.RuneCountInString(text+value) > helpWidth-most-4 {
		return text
	}
	return text + value
}
