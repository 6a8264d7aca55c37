package cmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rtfm/ruleset/builtin"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// srlListCommand is `rtfm srl list`.
func srlListCommand(opts *srl.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the programs that come with rtfm",
		Long: `List the programs that come with rtfm: wherever a program is wanted, such as
behind -r, "@" and its name stand for one. With --strict only those that RFC 2723
allows are listed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, p := range builtin.Programs() {
				if _, _, err := compile.Source(p.Name, []byte(p.Text), *opts); err != nil {
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-15s %s\n", p.Name, p.Title)
			}
			return nil
		},
	}
}

// srlShowCommand is `rtfm srl show`.
func srlShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME...",
		Short: "Print a program that comes with rtfm, to learn from it or to change it",
		Example: `  rtfm srl show @services
  rtfm srl show @services >mine.srl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`no NAME given; "rtfm srl list" has all`)
			}
			for _, name := range args {
				p, err := builtin.Find(name)
				if err != nil {
					return err
				}
				if _, err := io.WriteString(cmd.OutOrStdout(), p.Text); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
