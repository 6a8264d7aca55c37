package cmd

import (
	"fmt"

	"github.com/spf13/cobra"

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
declared and used, and renames them. docs/EDITORS.md tells how editors are set up.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := lsp.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), lsp.Options{
				Strict: opts.Strict, Version: version(), Quiet: lsp.DefaultQuiet,
			})
			if err != nil {
				return fmt.Errorf("lsp: %w", err)
			}
			return nil
		},
	}
}
