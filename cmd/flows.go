package cmd

import "github.com/spf13/cobra"

const flowsHelp = `Work on flow data files.

A FILE is NeMaC's text of any version, or JSON lines or CSV of rtfm; its content
tells which, not its name. It may be compressed with gzip, bzip2, xz or zstd, or be
"-", standard input.`

// flowsCommand is `rtfm flows`.
func flowsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "Work on flow data files",
		Long:  flowsHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(flowsTopCommand(), flowsFilterCommand(), flowsExtractCommand(), flowsDiffCommand(), flowsPlotCommand(),
		flowsConvertCommand(), flowsMergeCommand(), flowsInfoCommand(), flowsCheckCommand(), flowsSchemaCommand(), flowsSpoolCommand())
	return cmd
}
