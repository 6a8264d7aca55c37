package cmd

import "github.com/spf13/cobra"

// storeCommand is `rtfm store`.
func storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Keep packets in a folder, and get those of a time back",
		Long:  storeHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(storeRunCommand(), storeGetCommand(), storeInfoCommand(), storeCheckCommand(), storeExportCommand(), storeIndexCommand())
	return cmd
}

const storeHelp = `Keep packets in a folder, and get those of a time back.

A store is a folder of pcapng files, each of which any tool opens, or of pcap, ERF
or HPCAP's RAW, with NAME.marks beside each for what these cannot tell. They are made
of chunks of 1 MiB or less with a checksum, which tell what they have and what is
missing before them. A file that has ended has an index beside it, NAME.idx, by
which packets of a time, or of flows, are found without reading the rest; without it
they are found as well. A trace that there is, FILE, can have one, too: rtfm store index
makes FILE.idx. Each packet that came is in the store, or is counted as one that the
capture lost, or as unstored: one that came while the disk was too slow or full.

The same packets can be metered and stored: see --store of rtfm run and rtfm meter.`
