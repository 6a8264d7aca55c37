package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"rtfm/ruleset/attr"

	"github.com/spf13/cobra"

	"rtfm/ruleset/srl"
)

// srlCommand is `rtfm srl`.
func srlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "srl",
		Short: "Check and compile SRL programs",
		Long: `Check and compile SRL programs (RFC 2723). All errors of a program are shown at
once, as file:line:col: message. "-" stands for standard input. The language is
told in ruleset/SRL.md, with examples in ruleset/examples.`,
		Example: `  rtfm srl check flows.srl          look for faults
  rtfm srl compile flows.srl        print the rules that it becomes
  rtfm srl attributes               what programs can test and save
  echo 'save SourcePeerAddress; count;' | rtfm run -r - TRACE`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	var opts srl.Options
	cmd.PersistentFlags().BoolVar(&opts.Strict, "strict", false, "refuse what RFC 2723 does not have")

	check := &cobra.Command{
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
				rs, err := loadRuleSet(name, cmd.InOrStdin(), opts, cmd.ErrOrStderr())
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

	var output string
	compileCmd := &cobra.Command{
		Use:   "compile FILE",
		Short: "Compile a program to rules, in the form of a rule file",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf(`%d FILEs given, want one ("-" is standard input)`, len(args))
			}
			rs, err := loadRuleSet(args[0], cmd.InOrStdin(), opts, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return writeTo(cmd.Context(), output, args, cmd.InOrStdin(), cmd.OutOrStdout(), func(w io.Writer) error {
				_, err := rs.WriteTo(w)
				return err
			})
		},
	}
	compileCmd.Flags().StringVarP(&output, "output", "o", "", "write the rules to this `FILE`, not to standard output")
	cmd.AddCommand(check, compileCmd, attributesCommand(), namesCommand())
	return cmd
}

// attributesCommand is `rtfm srl attributes`.
func attributesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "attributes",
		Short: "List the attributes that programs can test or save",
		Long:  "List the attributes that programs can test or save: name, octets, meaning.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, in := range attr.All() {
				if meaning := in.Attr.Meaning(); meaning != "" {
					if in.Class == attr.ClassDistrib {
						meaning = "distribution of " + meaning
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%-22s %2d  %s\n", in.Name, in.Size, meaning)
				}
			}
			return nil
		},
	}
}

// namesCommand is `rtfm srl names`.
func namesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "names",
		Short: "List the values that have names",
		Long:  "List the values that have names: those of SourcePeerType are those of DestPeerType too, and so on.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range attr.Named() {
				for _, v := range attr.NamedValues(a) {
					fmt.Fprintf(cmd.OutOrStdout(), "%-18s %5d  %s\n", a, v.Value, strings.Join(v.Names, ", "))
				}
			}
			return nil
		},
	}
}
