package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rtfm/cmd"
)

// commandPage returns the page of a command, with all of its options.
func commandPage(date string, c *cobra.Command) *page {
	p := newPage(date, pageName(c), "1", c.Short)
	p.macro("Sh", "SYNOPSIS")
	p.macro("Nm", quoted(c.CommandPath()))
	use := strings.TrimSpace(strings.TrimPrefix(strings.TrimSuffix(c.UseLine(), "[flags]"), c.CommandPath()))
	if c.HasAvailableSubCommands() {
		use = "COMMAND"
	}
	if use != "" {
		p.lines(synopsis(use))
	}
	p.macro("Sh", "DESCRIPTION")
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	var status string
	for i, paragraph := range strings.Split(about, "\n\n") {
		if rest, ok := strings.CutPrefix(paragraph, "Exit status: "); ok {
			status = rest
			continue
		}
		if i > 0 && !strings.HasPrefix(paragraph, "  ") {
			p.macro("Pp")
		}
		p.paragraph(paragraph)
	}
	p.subcommands(c)
	p.options(c)
	if status != "" {
		p.macro("Sh", "EXIT STATUS")
		p.paragraph("The status is " + status)
	}
	if c.Example != "" {
		p.macro("Sh", "EXAMPLES")
		p.literal(strings.ReplaceAll("\n"+c.Example, "\n  ", "\n")[1:])
	}
	p.seeAlso(c)
	return p
}

// pageName returns the name of a command's page.
func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// word matches what of a synopsis is given as it is, or stands for something.
var word = regexp.MustCompile(`--?[a-z][a-z-]*|-[A-Z]\b|[A-Z][A-Z0-9-]*`)

// synopsis returns what a command takes, its options bold, what is to be filled in
// italic.
func synopsis(use string) string {
	use = word.ReplaceAllStringFunc(escape(use), func(w string) string {
		if w[0] == '-' {
			return bold(strings.ReplaceAll(w, "-", `\-`))
		}
		return italic(w)
	})
	return strings.ReplaceAll(use, "...", `...\&`) // which ends no sentence
}

// code matches what stands between backquotes, and options.
var code = regexp.MustCompile("`([^`]*)`|(^|[ (])(--?[a-zA-Z][a-z-]*)")

// prose returns text of help, escaped, with commands and options bold.
func prose(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range code.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(escape(text[at:m[0]]))
		if m[2] >= 0 {
			b.WriteString(bold(escape(text[m[2]:m[3]])))
		} else {
			b.WriteString(text[m[4]:m[5]] + bold(strings.ReplaceAll(escape(text[m[6]:m[7]]), "-", `\-`)))
		}
		at = m[1]
	}
	return b.String() + escape(text[at:])
}

// paragraph writes a paragraph of help. Lines that are set off stay as they are.
func (p *page) paragraph(text string) {
	lines := strings.Split(text, "\n")
	for len(lines) > 0 {
		n := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "  ") != strings.HasPrefix(lines[0], "  ") })
		if n < 0 {
			n = len(lines)
		}
		if strings.HasPrefix(lines[0], "  ") {
			p.literal(strings.ReplaceAll("\n"+strings.Join(lines[:n], "\n"), "\n  ", "\n")[1:])
		} else {
			p.lines(prose(strings.Join(lines[:n], "\n")))
		}
		lines = lines[n:]
	}
}

// subcommands lists what a command is made of.
func (p *page) subcommands(c *cobra.Command) {
	if !c.HasAvailableSubCommands() {
		return
	}
	p.macro("Sh", "COMMANDS")
	p.macro("Bl", "-tag", "-width", "completionx")
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			p.macro("It", "Xr", pageName(below), "1")
			p.lines(escape(below.Short + "."))
		}
	}
	p.macro("El")
}

// options tells what the options of a command do.
func (p *page) options(c *cobra.Command) {
	groups := cmd.Options(c)
	if len(groups) == 0 {
		return
	}
	p.macro("Sh", "OPTIONS")
	for _, g := range groups {
		if len(groups) > 1 {
			p.macro("Ss", g.Name)
		}
		p.macro("Bl", "-tag", "-width", "Ds")
		for _, o := range g.Options {
			value, _ := pflag.UnquoteUsage(o)
			var args []string
			if o.Shorthand != "" {
				args = append(args, "Fl", escape(o.Shorthand), ",")
			}
			args = append(args, "Fl", "-"+escape(o.Name))
			if value != "" {
				args = append(args, "Ar", quoted(value))
			}
			p.macro("It", args...)
			p.lines(prose(cmd.OptionText(o)))
		}
		p.macro("El")
	}
}

// seeAlso names the pages that belong to a command's.
func (p *page) seeAlso(c *cobra.Command) {
	var names []string
	add := func(c *cobra.Command) { names = append(names, pageName(c)) }
	if parent := c.Parent(); parent != nil {
		add(parent)
		for _, beside := range parent.Commands() {
			if beside != c && beside.IsAvailableCommand() {
				add(beside)
			}
		}
	} else {
		for _, below := range c.Commands() {
			if below.IsAvailableCommand() {
				add(below)
			}
		}
	}
	slices.Sort(names)
	p.macro("Sh", "SEE ALSO")
	for _, name := range names {
		p.macro("Xr", name, "1", ",")
	}
	for i, d := range documents {
		args := []string{d.name, d.section}
		if i < len(documents)-1 {
			args = append(args, ",")
		}
		p.macro("Xr", args...)
	}
}
