package cmd

import "github.com/spf13/cobra"

// traceCommand is `rtfm trace`.
func traceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look into packet traces, and convert them",
		Long:  traceHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(traceInfoCommand(), traceConvertCommand())
	return cmd
}

const traceHelp = `Look into packet traces, and convert them.

A trace is a file in one of these formats, plain or compressed with gzip, bzip2,
xz or zstd, or "-", standard input. Its content tells which, not its name; and
where there is no magic number, the look of its records, if there are several.
To be sure, or where that fails, put the format before the name: tsh:FILE.

  pcap             with microseconds or nanoseconds, of any byte order and
                   version, Kuznetzov's modified one; frame check sequences
  pcapng           any number of sections, interfaces and clocks
  snoop            of Solaris (RFC 1761)
  ipfix            messages of IPFIX in a file (RFC 5655): each is a datagram; no
                   magic number, as all that follow
  erf              of Endace's DAG cards
  tsh              NLANR's time sequenced headers, of IPv4
  hpcap            RAW files of HPCAP, of Ethernet
  legacy-ethernet  of DAG cards before ERF, as the next two, 64 octets a record
  legacy-pos       packets over SONET: PPP, Cisco HDLC or frame relay
  legacy-atm       cells of AAL5; the first of each packet counts`
