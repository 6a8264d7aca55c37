package cmd

import (
	"github.com/spf13/cobra"

	"rtfm/traces/format"
)

// tell tells what was written to the file of this name, and what to know of it.
func (o *traceConvertOptions) tell(cmd *cobra.Command, done *format.Converted, name string, notes []string) {
	cmd.PrintErrf("%d packets written", done.Packets)
	if cmd.Context().Err() != nil || done.Damage != nil {
		cmd.PrintErrf(" to %s", name)
	}
	if done.Outside > 0 {
		cmd.PrintErrf(", %d left out by their times", done.Outside)
	}
	if done.Filtered > 0 {
		cmd.PrintErrf(", %d left out by the filter", done.Filtered)
	}
	cmd.PrintErrln()
	for _, text := range o.sample.notes() {
		cmd.PrintErrln(text)
	}
	for _, note := range append(notes, o.hide.notes()...) {
		cmd.PrintErrf("note: %s\n", note)
	}
}
