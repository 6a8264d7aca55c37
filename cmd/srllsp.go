package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

	"rtfm/ruleset"
	"rtfm/ruleset/cover"
	"rtfm/ruleset/lsp"
	"rtfm/ruleset/srl"
)

// srlLSPCommand is `rtfm srl lsp`.
func srlLSPCommand(opts *srl.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "lsp",
		Short: "Be a language server for editors",
		Long: `Be a language server for editors: they start it, and talk to it over its standard
input and output (Language Server Protocol 3.17). It tells what is wrong with a
program while it is typed, what words mean and what may follow, where names are
declared and used, and how often lines ran with a trace; it renames, lays out and
mends. docs/EDITORS.md tells how editors are set up.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := lsp.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), lsp.Options{
				Strict: opts.Strict, Version: version(), Quiet: lsp.DefaultQuiet, Cover: coverFor(cmd),
			})
			if err != nil {
				return fmt.Errorf("lsp: %w", err)
			}
			return nil
		},
	}
}

// coverFor returns what runs programs over traces for editors.
func coverFor(cmd *cobra.Command) lsp.CoverFunc {
	return func(rs *ruleset.RuleSet, p *srl.Program, source func(string) []byte, trace string) (*cover.Report, error) {
		c, err := cover.New(rs, p)
		if err != nil {
			return nil, err
		}
		damaged := coverTraces(cmd, c, []string{trace})
		if r := c.Report(source); damaged == nil || r.Packets > 0 {
			return r, nil
		}
		return nil, damaged
	}
}
