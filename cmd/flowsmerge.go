package cmd

import "github.com/spf13/cobra"

const flowsMergeHelp = `Write the collections of several flow data files in order of time: those of several
meters, or of several days. Collections stay apart: each is of one meter, as it was.

The order is that of the intervals' ends; within a FILE it is left as it is. All else
is as rtfm flows convert has it, which writes one FILE after the other.`

func flowsMergeCommand() *cobra.Command {
	o := flowsConvertOptions{merge: true}
	cmd := &cobra.Command{
		Use:     "merge [--to FORM] [-F OUT] FILE...",
		Short:   "Put flow data files together, in order of time",
		Long:    flowsMergeHelp,
		Example: `  rtfm flows merge -F all.json east.json west.flows.gz`,
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	o.add(cmd, "json")
	return cmd
}
