package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/lint"
)

// srlLintOptions are the options of `rtfm srl lint`.
type srlLintOptions struct {
	programs *programOptions
	why      int
	fix      bool
	notes    bool
	json     bool
}

// srlLintCommand is `rtfm srl lint`.
func srlLintCommand(programs *programOptions) *cobra.Command {
	o := srlLintOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "lint {FILE... | -e TEXT} | --why NUMBER",
		Short: "Tell what a program or rule file does that was hardly meant",
		Long: `Tell what a program or rule file does that was hardly meant: tests that never hold,
networks that others have taken, directions that are ignored, SAVEs that make no
difference, and all that "rtfm srl check" warns of. Each finding has a number;
--why tells more of it. The status is 0 if there are no findings, else 1; notes, which
--notes shows, are of what may well be meant, and do not count.`,
		Example: `  rtfm srl lint flows.srl
  rtfm srl lint --why 22
  rtfm srl lint --fix flows.srl      mend what can be mended without any change of flows`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	programs.addText(cmd, "look at")
	f := cmd.Flags()
	f.Var(newCount(&o.why, 0, 0, math.MaxInt32, "the number of a finding"), "why", "explain findings with this `NUMBER`")
	f.BoolVar(&o.fix, "fix", false, "mend the FILEs, as far as that changes nothing that is counted")
	f.BoolVar(&o.notes, "notes", false, "tell what may well be meant, too")
	f.BoolVar(&o.json, "json", false, "write a JSON object a line for each finding")
	return cmd
}

func (o *srlLintOptions) run(cmd *cobra.Command, args []string) error {
	w := cmd.OutOrStdout()
	if o.why > 0 {
		return explainKind(w, o.why)
	}
	programs := o.programs.named(args)
	if len(programs) == 0 {
		return errors.New(`no FILE given ("-" is standard input)`)
	}
	if err := readOnce(args...); err != nil {
		return err
	}
	status := 0
	for _, p := range programs {
		found, err := o.lint(p, cmd.InOrStdin(), cmd.ErrOrStderr())
		if err != nil {
			cmd.PrintErrln(err)
			status = StatusFailed
		}
		for i := range found {
			if found[i].Note && !o.notes {
				continue
			}
			if err := o.write(w, &found[i]); err != nil {
				return err
			}
			if !found[i].Note {
				status = StatusFailed
			}
		}
	}
	o.programs.warnUnused(cmd.ErrOrStderr())
	if status != 0 {
		return &exitError{status: status}
	}
	return nil
}

// lint looks at a program, and mends it if that is wanted.
func (o *srlLintOptions) lint(p program, stdin io.Reader, log io.Writer) ([]lint.Finding, error) {
	text, rules := []byte(p.text), false
	if !p.inline {
		var err error
		if text, rules, err = compile.Text(p.name, stdin); err != nil {
			return nil, err
		}
	}
	if rules {
		rs, warnings, err := ruleset.ParseRules(p.name, text)
		if err != nil {
			return nil, err
		}
		return lint.Rules(rs, warnings), nil
	}
	found, err := lint.Source(p.name, text, o.programs.Options)
	if err != nil || !o.fix {
		return found, err
	}
	if p.inline || p.name == "-" || strings.HasPrefix(p.name, "@") {
		return found, fmt.Errorf("%s: --fix mends files only", p.name)
	}
	mended, n, found, err := lint.Mend(p.name, text, found, o.programs.Options)
	if err != nil || bytes.Equal(mended, text) {
		return found, err
	}
	fmt.Fprintf(log, "%s: %d mended\n", p.name, n)
	return found, replaceFile(p.name, mended)
}

// write writes a finding as a line.
func (o *srlLintOptions) write(w io.Writer, f *lint.Finding) error {
	if !o.json {
		_, err := fmt.Fprintln(w, f.String())
		return err
	}
	return json.NewEncoder(w).Encode(f.JSON())
}

// explainKind writes what there is to say of a number.
func explainKind(w io.Writer, number int) error {
	k, ok := lint.KindOf(number)
	if !ok {
		return fmt.Errorf("no finding has number %d", number)
	}
	fmt.Fprintf(w, "%d, %s: %s\n\n%s\n", k.Number, k.Name, k.Meaning, k.Why)
	if k.Example != "" {
		fmt.Fprintf(w, "\nFor example:\n\n   %s\n", strings.ReplaceAll(k.Example, "\n", "\n   "))
	}
	return nil
}
