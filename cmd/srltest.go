package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter/testfile"
	"rtfm/ruleset/compile"
)

// srlTestOptions are the options of `rtfm srl test`.
type srlTestOptions struct {
	programs        *programOptions
	run, junit      string
	update, verbose bool
}

const srlTestHelp = `Test programs: packets, in words or of a trace, and the flows that are to come of
them. The tests of ports.srl stand beside it in ports_test.txt:

  test requests and answers are one flow
     tcp 10.0.0.1:1234 > 10.0.0.2:443 [syn]
     tcp 10.0.0.1:1234 < 10.0.0.2:443 [syn ack]
  flows
     DestTransAddress  ToPDUs  FromPDUs
     https             1       1

FILE is one of these, or a program; of a DIR those in it and in folders below it are
run; without either, those of the working folder. --update writes what has come of
tests that fail into their files. ruleset/SRL.md has the whole language.

Exit status: 0 if all tests pass, 1 if one fails, or a file or program is faulty.`

// srlTestCommand is `rtfm srl test`.
func srlTestCommand(programs *programOptions) *cobra.Command {
	o := srlTestOptions{programs: programs}
	cmd := &cobra.Command{
		Use:   "test [FILE... | DIR...]",
		Short: "Test programs: which flows come of which packets",
		Long:  srlTestHelp,
		Example: `  rtfm srl test                     all tests here and below
  rtfm srl test -v ports.srl        those of one program, each told
  rtfm srl test --update ports.srl  take what comes of them as what is expected`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.start(cmd, args) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell of tests that pass too")
	f.StringVar(&o.run, "run", "", "run only tests whose names match this `REGEXP`")
	f.BoolVar(&o.update, "update", false, "write what has come of tests that fail into their files")
	f.StringVar(&o.junit, "junit", "", "write the results to this `FILE` too, as JUnit's XML")
	return cmd
}

func (o *srlTestOptions) start(cmd *cobra.Command, args []string) error {
	only, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("--run: %w", err)
	}
	names, err := testFiles(args)
	if err != nil {
		return err
	}
	report := testReport{w: cmd.OutOrStdout(), verbose: o.verbose}
	for _, name := range names {
		suite, err := o.file(cmd.Context(), name, only, cmd.OutOrStdout(), cmd.ErrOrStderr())
		if err != nil {
			if cmd.Context().Err() != nil {
				return err
			}
			cmd.PrintErrln(err)
		}
		report.add(name, suite, err)
	}
	if o.junit != "" {
		if err := writeTo(cmd.Context(), o.junit, names, cmd.InOrStdin(), cmd.OutOrStdout(), report.junit); err != nil {
			return err
		}
	}
	return report.end()
}

// file runs the tests of a file, as far as they are wanted, and returns what came of
// them.
func (o *srlTestOptions) file(ctx context.Context, name string, only *regexp.Regexp, stdout, warn io.Writer) ([]*testfile.Result, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := testfile.Parse(name, text)
	if err != nil {
		return nil, err
	}
	opts := o.programs.Options
	opts.Given = f.Given
	rs, _, err := compile.Load(f.Program, strings.NewReader(""), opts)
	if err != nil {
		return nil, err
	}
	(&programOptions{Options: opts}).warnUnused(warn)
	var results []*testfile.Result
	for _, t := range f.Tests {
		if !only.MatchString(t.Name) {
			continue
		}
		r := t.Run(ctx, rs)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		results = append(results, r)
	}
	updated := f.Update(results)
	if !o.update || string(updated) == string(text) {
		return results, nil
	}
	for _, r := range results {
		if r.Err == nil && r.Failed() {
			fmt.Fprintf(stdout, "%s:%d: updated: %s\n", name, r.Test.Line, r.Test.Name)
			r.Updated()
		}
	}
	return results, replaceFile(name, updated)
}
