package cmd

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"rtfm/meter"
	"rtfm/reader/record"
	"rtfm/traces"
)

// printSummary tells what a run has counted, how long it took, and for how much of that
// it had nothing to do but wait for packets to be read and decompressed, or to come.
// What its tables have told is left out.
func printSummary(w io.Writer, s *meter.Stats, took, waited time.Duration, told bool) {
	switch {
	case !told || s.Packets == 0: // without packets there are no tables
		fmt.Fprintf(w, "%s, %d octets, %d cut short, %d lost\n", packets(s.Packets), s.Octets, s.Trace.Cut, s.Trace.Lost)
	case s.Trace.Cut > 0:
		fmt.Fprintf(w, "%d packets are cut short\n", s.Trace.Cut)
	}
	if s.Filtered > 0 {
		fmt.Fprintf(w, "%d packets did not pass the filter\n", s.Filtered)
	}
	counted := traceCounts(&s.Trace)
	for _, n := range counted.Rare(new(record.Counts)) {
		at, lost := strings.CutPrefix(n.Name, "lost-")
		switch {
		case lost:
			fmt.Fprintf(w, "%d packets lost at interface %s\n", n.Value, at)
		case strings.HasPrefix(n.Name, "duplicates-"): // told below
		case n.Name == "clamped":
			fmt.Fprintf(w, "%d packets are of times before 1970 or after 2262, and count at the nearest in between\n", n.Value)
		default:
			fmt.Fprintf(w, "%d packets are %s\n", n.Value, n.Name)
		}
	}
	printDuplicates(w, &s.Trace)
	printStamps(w, &s.Trace)
	if s.CutHeaders > 0 {
		fmt.Fprintf(w, "%d packets were cut within their headers: attributes are missing\n", s.CutHeaders)
	}
	if s.Malformed > 0 {
		fmt.Fprintf(w, "%d packets have malformed headers: attributes are missing\n", s.Malformed)
	}
	printTunnels(w, &s.Tunnels)
	if s.Outliers > 0 {
		fmt.Fprintf(w, "%d packets are outliers: more than an hour ahead of those behind them, they count at the time before\n", s.Outliers)
	}
	if s.Trace.Skipped > 0 {
		fmt.Fprintf(w, "%d records that are no packets were skipped\n", s.Trace.Skipped)
	}
	for _, link := range slices.Sorted(maps.Keys(s.UnknownLinks)) {
		fmt.Fprintf(w, "%d packets of link type %v, which is not decoded\n", s.UnknownLinks[link], link)
	}
	if s.BackInTime > 0 {
		fmt.Fprintf(w, "%d packets were earlier than one before them\n", s.BackInTime)
	}
	for _, t := range s.Tasks {
		if told {
			break
		}
		fmt.Fprintf(w, "ruleset %d %s: %d counted, %d ignored, %d unmatched", t.RuleSet, t.Name, t.Counted, t.Ignored, t.Unmatched)
		if t.Stopped > 0 {
			fmt.Fprintf(w, ", %d stopped by a limit of the engine", t.Stopped)
		}
		if t.Uncounted > 0 {
			fmt.Fprintf(w, ", %d uncounted", t.Uncounted)
		}
		fmt.Fprintln(w)
	}
	if s.Streams.Created > 0 {
		fmt.Fprintf(w, "%d streams", s.Streams.Created)
		if s.Streams.Unstreamed > 0 {
			fmt.Fprintf(w, ", %d packets in none", s.Streams.Unstreamed)
		}
		fmt.Fprintln(w)
	}
	if s.Packets > 0 && !told {
		fmt.Fprintf(w, "%d flows, from %s to %s\n", s.Created, utc(s.First), utc(s.Last))
	}
	share := min(100*waited.Seconds()/max(took.Seconds(), 1e-9), 100)
	fmt.Fprintf(w, "%s packets/s in %s, of which %.0f %% went into metering and %.0f %% into waiting for input\n",
		number(uint64(float64(s.Packets)/max(took.Seconds(), 1e-9))), briefly(took), 100-math.Round(share), math.Round(share))
}

// printDuplicates tells where duplicates were seen.
func printDuplicates(w io.Writer, s *traces.Stats) {
	for _, p := range s.Duplicates.Pairs {
		fmt.Fprintf(w, "%d duplicates are %v, seen first at interface %s, again at %s\n", p.Packets, p.Class, interfaceName(s, p.First), interfaceName(s, p.Again))
	}
}

// printTunnels tells what was found of tunnels.
func printTunnels(w io.Writer, s *meter.TunnelStats) {
	for _, line := range []struct {
		n    uint64
		what string
	}{
		{s.Opened, "counted as what they carry in a tunnel"},
		{s.Fragments, "counted as they are: fragments of what a tunnel carries, or of UDP that may be that"},
		{s.Cut, "counted as they are: tunnels that were not captured as far as the headers within"},
		{s.Unknown, "counted as they are: tunnels of a version or with a payload that is not known"},
	} {
		if line.n > 0 {
			fmt.Fprintf(w, "%s %s\n", packets(line.n), line.what)
		}
	}
}

// packets returns a number of them in words.
func packets(n uint64) string {
	if n == 1 {
		return "1 packet"
	}
	return fmt.Sprintf("%d packets", n)
}

// briefly returns a time that something took with three digits, or in seconds.
func briefly(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	case d < 100*time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// utc returns a time in nanoseconds since 1970 as text.
func utc(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z") }
