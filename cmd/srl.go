package cmd

import (
	"github.com/spf13/cobra"
)

// srlCommand is `rtfm srl`.
func srlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "srl",
		Short: "Check and compile SRL programs",
		Long: `Check and compile SRL programs (RFC 2723). All errors of a program are shown at
once, as file:line:col: message. "-" stands for standard input. Begin with
ruleset/TUTORIAL.md (rtfm-tutorial(7)); ruleset/SRL.md is the whole language, and
ruleset/examples has programs for many questions.`,
		Example: `  rtfm srl check flows.srl          look for faults
  rtfm srl lint flows.srl           look for what was hardly meant
  rtfm srl compile flows.srl        print the rules that it becomes
  rtfm srl fmt -w flows.srl         lay it out in the usual form
  rtfm srl test                     test the programs here
  rtfm srl diff old.srl new.srl TRACE
                                    which traffic changes its flow
  rtfm srl list                     the programs that come with rtfm
  rtfm srl attributes               what programs can test and save
  rtfm run -e 'save SourcePeerAddress; count;' TRACE`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	var opts programOptions
	cmd.PersistentFlags().BoolVar(&opts.Strict, "strict", false, "refuse what RFC 2723 does not have")

	cmd.AddCommand(
		srlCheckCommand(&opts),
		srlCompileCommand(&opts),
		srlListCommand(&opts.Options),
		srlShowCommand(),
		srlExplainCommand(&opts),
		srlCoverCommand(&opts),
		srlFmtCommand(&opts),
		srlTestCommand(&opts),
		srlDiffCommand(&opts),
		srlLintCommand(&opts),
		srlLSPCommand(&opts.Options),
		attributesCommand(),
		namesCommand(),
	)
	return cmd
}
