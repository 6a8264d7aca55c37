package cmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rtfm/ruleset/srl"
)

// srlCompileCommand is `rtfm srl compile`.
func srlCompileCommand(opts *srl.Options) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "compile FILE",
		Short: "Compile a program to rules, in the form of a rule file",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf(`%d FILEs given, want one ("-" is standard input)`, len(args))
			}
			rs, err := loadRuleSet(args[0], cmd.InOrStdin(), *opts, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return writeTo(cmd.Context(), output, args, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
				_, err := rs.WriteTo(w)
				return err
			})
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the rules to this `FILE`, not to standard output")
	return cmd
}
