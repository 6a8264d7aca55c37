package cmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// srlCompileCommand is `rtfm srl compile`.
func srlCompileCommand(opts *programOptions) *cobra.Command {
	var output string
	var listing bool
	cmd := &cobra.Command{
		Use:   "compile {FILE | -e TEXT}",
		Short: "Compile a program to rules, in the form of a rule file",
		Example: `  rtfm srl compile flows.srl >flows.rules
  rtfm srl compile -S @services       what each line becomes
  rtfm srl compile -S -O0 @services   before the rules are made fewer`,
		RunE: func(cmd *cobra.Command, args []string) error {
			programs := opts.named(args)
			if len(programs) != 1 {
				return fmt.Errorf(`%d FILEs given, want one ("-" is standard input)`, len(programs))
			}
			rs, err := opts.load(programs[0], cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			opts.warnUnused(cmd.ErrOrStderr())
			return writeTo(cmd.Context(), output, args, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
				if listing {
					return rs.WriteListing(w, programs[0].source)
				}
				_, err := rs.WriteTo(w)
				return err
			})
		},
	}
	opts.addText(cmd, "compile")
	opts.addOptimise(cmd)
	cmd.Flags().BoolVarP(&listing, "source", "S", false, "put the program's lines in front of their rules, as comments")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write the rules to this `FILE`, not to standard output")
	return cmd
}
