package cmd

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"rtfm/traces/feed"
)

// feedReceiverOptions are the options of `rtfm feed`.
type feedReceiverOptions struct {
	listen    urlList
	flows     string
	packets   string
	json      bool
	interval  float64 // seconds
	untilEnd  bool
	pair      bool
	pairState string
	quiet     bool
	maxFlows  int
	meters    int
	queue     size
	buffer    size
	features  featureOptions
}

const feedHelp = `Receive what meters tell of every packet (rtfm run --feed, rtfm meter --feed), and
prove that it is all there.

Meters are told from each other by their address and observation domain. Of each flow
that ends, the packets that came are compared with what its meter has counted; sequence
numbers tell how many records did not come. What is missing is told on standard error,
and by the exit status.

FILEs and file: are feeds that were written to files. With -l, feeds are received until
a signal comes (or see --until-end), and the FILEs are read too. UDP may lose messages
where a socket has no room for them: see --buffer.

-F appends a row of JSON for each flow that has ended, as flow data has it: rtfm flows
reads it (rtfm flows top flows.jsonl). Beside what the flow has saved, it has its
FlowID and CommunityID, when it began and ended and why (EndReason), how many packets
its meter has told (Told) and came (Received). A flow whose meter is gone before it has
ended has no EndReason, and the packets that came. Flows that go on when the receiver
ends are not in the file.

--packets appends a line of JSON for each packet: its number among the records of its
meter (Number), the flow's FlowID, TimeNs, Octets, TCPFlags and Direction ("to" is from
the flow's source to its destination). Lines of "missing" stand where records are.

Exit status: 0 if nothing is missing, 1 for wrong usage or files that cannot be read or
written, 2 if a file is damaged: what is no message is passed over and told; 4 if
something is missing otherwise.`

func feedCommand() *cobra.Command {
	var o feedReceiverOptions
	cmd := &cobra.Command{
		Use:   "feed [-l URL]... [-F FLOWS] [--packets PACKETS] [FILE...]",
		Short: "Receive what meters tell of every packet",
		Long:  feedHelp,
		Example: `  rtfm run --feed file:x.ipfix trace.pcap; rtfm feed x.ipfix
  rtfm feed -l udp://:4739 -F flows.jsonl
  rtfm feed -l unix:/run/feed.sock --json
  rtfm feed -l tcp://:4739 -l tcp://:4740 --pair --packets packets.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.VarP(&o.listen, "listen", "l", "receive feeds at this `URL`; repeated for several:\nudp://[HOST]:PORT, tcp://[HOST]:PORT, unix:PATH, or file:PATH to read one (file:- is standard input)")
	f.BoolVar(&o.untilEnd, "until-end", false, "end when all meters that were heard are gone; over UDP one is that has told nothing for 30 seconds, or 5 if it had no flows")
	f.BoolVar(&o.pair, "pair", false, "make one stream, each packet once, of two -l; of two meters that see the same packets, see docs/FEED.md")
	f.StringVar(&o.pairState, "pair-state", "", "with --pair, go on from this `FILE`, and write it; in it is what one meter has told and the other may tell yet")
	group(f, groupInput, "listen", "until-end", "pair", "pair-state")
	f.StringVarP(&o.flows, "flows", "F", "", "append the flows that have ended to this `FILE`; as JSON lines (- is standard output)")
	f.StringVar(&o.packets, "packets", "", "append the packets to this `FILE`; as JSON lines (- is standard output)")
	f.BoolVar(&o.json, "json", false, "write packets and flows to standard output; as JSON lines, in the order in which they are told")
	f.VarP(newSeconds(&o.interval, 10, 0.1, 86400), "interval", "c", "with -F, write the flows that have ended each so many `SECONDS`; by the meter's time")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "tell only what is missing")
	group(f, groupOutput, "flows", "packets", "json", "quiet")
	o.features.add(cmd)
	f.Var(newCount(&o.maxFlows, 1<<20, 1, math.MaxInt32, "a number of flows"), "max-flows", "keep so many `FLOWS` that have not ended; what further ones lack is not known")
	f.Var(newCount(&o.meters, 4096, 1, 1<<20, "a number of meters"), "max-meters", "hear so many `METERS` at a time")
	o.queue = 64 << 20
	f.Var(&o.queue, "queue", "`SIZE` of what waits while files are written slowly; then sockets are not read")
	o.buffer = 16 << 20
	f.Var(&o.buffer, "buffer", "`SIZE` that each socket of UDP is asked to keep; net.core.rmem_max limits it unless CAP_NET_ADMIN is there")
	group(f, groupLimits)
	return cmd
}

// check finds arguments and options that do not fit each other.
func (o *feedReceiverOptions) check(files []string) error {
	outputs := 0
	for _, name := range []string{o.flows, o.packets} {
		if name == "-" {
			outputs++
		}
	}
	if o.json {
		outputs++
	}
	for _, name := range files {
		if u, err := feed.ParseURL(name); err == nil && !isThere(name) {
			return fmt.Errorf("%s is no file: want -l %s to receive there", name, u)
		}
	}
	stdin := 0
	for _, u := range o.urls(files) {
		if u == (feed.URL{Network: "file", Address: "-"}) {
			stdin++
		}
		if u.IsFile() && u.Address != "-" && (sameFile(u.Address, o.flows) || sameFile(u.Address, o.packets)) {
			return fmt.Errorf("%s is read: writing to it would destroy it", u.Address)
		}
	}
	switch {
	case len(o.listen) == 0 && len(files) == 0:
		return errors.New(`nothing to receive: want -l URL, or a FILE; "rtfm feed --help" tells more`)
	case outputs > 1:
		return errors.New("standard output is for one of -F -, --packets - and --json: --json has flows and packets")
	case stdin > 1:
		return errors.New("standard input is read once only")
	case o.flows != "" && o.flows != "-" && sameFile(o.flows, o.packets):
		return fmt.Errorf("-F and --packets would both write to %s", o.flows)
	}
	return o.checkPair(files)
}

// length returns the length of intervals.
func (o *feedReceiverOptions) length() time.Duration { return seconds(o.interval) }
