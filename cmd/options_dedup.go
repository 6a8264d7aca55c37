package cmd

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"rtfm/traces"
)

// dedupOptions are the options of finding packets that come twice.
type dedupOptions struct {
	action, class string
	window        int // milliseconds
	records       int
}

// The values of options that nobody has given, and the longest window.
const (
	dedupWindow  = int(traces.DedupWindow / time.Millisecond)
	dedupLongest = 60_000
)

// add adds the options to a command's.
func (o *dedupOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(newChoice(&o.action, "", "mark", "drop"), "dedup", "`ACTION` on packets that come twice: mark (see SRL.md, Duplicate) or drop")
	f.Var(newChoice(&o.class, "switched", "switched", "routed", "all"), "dedup-class", "with --dedup, `CLASS` of packets to find: switched, as at mirror ports, the same again; routed, as on both sides of a router, with other stations and fewer hops to go; or all")
	f.Var(newCount(&o.window, dedupWindow, 1, dedupLongest, "a number of milliseconds"), "dedup-window", "with --dedup, how many `MS` apart, thousandths of a second, they may be")
	f.Var(newCount(&o.records, traces.DedupRecords, 1, traces.MaxDedupRecords, "a number of packets"), "dedup-count", "with --dedup, how many of the latest packets (`N`) are remembered")
	group(f, groupInput)
}

// check finds options that nothing asks for.
func (o *dedupOptions) check(cmd *cobra.Command) error {
	for _, name := range []string{"dedup-class", "dedup-window", "dedup-count"} {
		if o.action == "" && cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s needs --dedup, mark or drop", name)
		}
	}
	return nil
}

// filter returns src, with duplicates found if that is wanted.
func (o *dedupOptions) filter(src traces.Source) traces.Source {
	if o.action == "" {
		return src
	}
	return traces.Dedup(src, traces.DedupConfig{
		Switched: o.class != "routed", Routed: o.class != "switched", Drop: o.action == "drop",
		Window: int64(o.window) * int64(time.Millisecond), Records: o.records,
	})
}

// parameters returns those that were given, as NeMaC's flow data files show them.
func (o *dedupOptions) parameters() (p []string) {
	if o.action != "" {
		p = append(p, "--dedup", o.action)
	}
	if o.class != "switched" {
		p = append(p, "--dedup-class", o.class)
	}
	if o.window != dedupWindow {
		p = append(p, "--dedup-window", strconv.Itoa(o.window))
	}
	if o.records != traces.DedupRecords {
		p = append(p, "--dedup-count", strconv.Itoa(o.records))
	}
	return p
}
