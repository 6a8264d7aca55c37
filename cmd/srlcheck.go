package cmd

import (
	"errors"

	"github.com/spf13/cobra"

	"rtfm/ruleset/srl"
)

// srlCheckCommand is `rtfm srl check`.
func srlCheckCommand(opts *srl.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Check programs and rule files, and print nothing if they are right",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no FILE given ("-" is standard input)`)
			}
			if err := readOnce(args...); err != nil {
				return err
			}
			var failed error
			for _, name := range args {
				rs, err := loadRuleSet(name, cmd.InOrStdin(), *opts, cmd.ErrOrStderr())
				if err == nil {
					err = runs(rs)
				}
				if err != nil {
					cmd.PrintErrln(err)
					failed = &exitError{status: StatusFailed}
				}
			}
			return failed
		},
	}
}
