package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// programOptions say which programs and rule files are read, and how.
type programOptions struct {
	programs []program
	srl.Options
}

// A program is one that an option names, or holds.
type program struct {
	name   string // of a file, of a program that comes with rtfm, or "-e"
	text   string // of -e
	inline bool
}

// addFiles adds -r, -e and what addGiven does.
func (o *programOptions) addFiles(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(programFlag{&o.programs, false}, "rules", "r", "run this `FILE` of SRL or rules, or @flows and so on; \"rtfm srl list\"\nhas the names of programs that come with rtfm; \"-\" is standard input; may be repeated")
	o.addText(cmd, "run")
}

// addText adds -e and -D to a command that does this with programs.
func (o *programOptions) addText(cmd *cobra.Command, verb string) {
	cmd.Flags().VarP(programFlag{&o.programs, true}, "program", "e", verb+" this `TEXT`, an SRL program; may be repeated")
	cmd.Flags().VarP(givenFlag{&o.Given}, "define", "D", "`NAME=TEXT` replaces what programs DEFINE; may be repeated")
}

// named returns the programs that these arguments and the options name.
func (o *programOptions) named(args []string) []program {
	programs := make([]program, 0, len(args)+len(o.programs))
	for _, name := range args {
		programs = append(programs, program{name: name})
	}
	return append(programs, o.programs...)
}

// load reads a program, and writes the first warnings to warn.
func (o *programOptions) load(p program, stdin io.Reader, warn io.Writer) (*ruleset.RuleSet, error) {
	if !p.inline {
		return loadRuleSet(p.name, stdin, o.Options, warn)
	}
	rs, warnings, err := compile.Source(p.name, []byte(p.text), o.Options)
	if len(warnings) > 0 {
		fmt.Fprintln(warn, warnings)
	}
	return rs, err
}

// warnUnused tells of names that were given and stand in none of the programs.
func (o *programOptions) warnUnused(warn io.Writer) {
	for _, g := range o.Given {
		if !g.Used {
			fmt.Fprintf(warn, "rtfm: warning: -D %s: no program has this name\n", g.Name)
		}
	}
}

// programFiles returns the names of those that are files.
func programFiles(programs []program) (names []string) {
	for _, p := range programs {
		if !p.inline {
			names = append(names, p.name)
		}
	}
	return names
}

// programFlag is an option that names a program, or holds one. It is a pflag.Value.
type programFlag struct {
	to     *[]program
	inline bool
}

// Set implements pflag.Value.
func (f programFlag) Set(text string) error {
	p := program{name: text}
	if f.inline {
		before := len(*f.to) - len(programFiles(*f.to))
		p = program{name: "-e", text: text, inline: true}
		if before > 0 {
			p.name = fmt.Sprintf("-e#%d", before+1)
		}
	} else if text == "" {
		return errors.New("want the name of a file")
	}
	*f.to = append(*f.to, p)
	return nil
}

// String implements pflag.Value. There is no default that could be shown.
func (programFlag) String() string { return "" }

// Type implements pflag.Value.
func (programFlag) Type() string { return "program" }

// givenFlag is an option that gives a name of programs a text. It is a pflag.Value.
type givenFlag struct{ to *[]*srl.Given }

// Set implements pflag.Value.
func (f givenFlag) Set(text string) error {
	g, err := srl.ParseGiven(text)
	if err != nil {
		return err
	}
	// Whether it may be the name of a DEFINE.
	var faults ruleset.Diagnostics
	if _, _, err := compile.Source("", []byte("define "+g.Name+" = 0; count;"), srl.Options{}); errors.As(err, &faults) {
		return errors.New(faults[0].Msg)
	}
	for i, other := range *f.to {
		if strings.EqualFold(other.Name, g.Name) {
			(*f.to)[i] = g
			return nil
		}
	}
	*f.to = append(*f.to, g)
	return nil
}

// String implements pflag.Value. There is no default that could be shown.
func (givenFlag) String() string { return "" }

// Type implements pflag.Value.
func (givenFlag) Type() string { return "definition" }
