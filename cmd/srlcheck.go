package cmd

import (
	"errors"

	"github.com/spf13/cobra"
)

// srlCheckCommand is `rtfm srl check`.
func srlCheckCommand(opts *programOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check {FILE... | -e TEXT}",
		Short: "Check programs and rule files, and print nothing if they are right",
		RunE: func(cmd *cobra.Command, args []string) error {
			programs := opts.named(args)
			if len(programs) == 0 {
				return errors.New(`no FILE given ("-" is standard input)`)
			}
			if err := readOnce(args...); err != nil {
				return err
			}
			var failed error
			for _, p := range programs {
				rs, err := opts.load(p, cmd.InOrStdin(), cmd.ErrOrStderr())
				if err == nil {
					err = runs(rs)
				}
				if err != nil {
					cmd.PrintErrln(err)
					failed = &exitError{status: StatusFailed}
				}
			}
			opts.warnUnused(cmd.ErrOrStderr())
			return failed
		},
	}
	opts.addText(cmd, "check")
	return cmd
}
