package cmd

import (
	"fmt"
	"io"

	"rtfm/reader/feed"
)

// feedNumbers are the sums over all meters.
type feedNumbers struct {
	heard                              int
	records, missing, dropped, damaged uint64
}

func feedSums(r *feed.Receiver) (s feedNumbers) {
	for _, m := range r.Meters {
		if !m.Gone {
			s.heard++
		}
		s.records += m.Records
		s.missing += m.Missing
		s.dropped += m.Stats.DroppedRecords
		s.damaged += m.Damaged
	}
	return s
}

// counted returns a number of things.
func counted(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// tell tells what was received and what is missing, and returns the exit status.
func (r *feedRun) tell() error {
	w, b, faulty := r.stderr, r.book, false
	fault := func(format string, args ...any) {
		faulty = true
		fmt.Fprintf(w, format+"\n", args...)
	}
	if !r.options.quiet {
		fmt.Fprintf(w, "%s, %d octets, told by %s; %s have ended", counted(b.Packets, "packet"), b.Octets, counted(uint64(len(r.receiver.Meters)), "meter"), counted(b.Flows, "flow"))
		if b.Open > 0 {
			fmt.Fprintf(w, ", %d go on", b.Open)
		}
		fmt.Fprintln(w)
	}
	r.tellMeters(fault)
	if f := &r.receiver.Forgotten; f.Missing+f.Before+f.Damaged > 0 {
		fault("%s more, which are gone: %s missing, %d told before the first that came, %d messages damaged",
			counted(f.Meters, "meter"), counted(f.Missing, "record"), f.Before, f.Damaged)
	}
	for _, in := range r.receiver.Inputs() {
		if in.Dropped > 0 {
			fault("%s: the socket had no room for %s: it keeps %d octets (--buffer, net.core.rmem_max)", in.Name, counted(in.Dropped, "datagram"), in.Buffer)
		}
	}
	status := StatusMissing
	for _, d := range r.receiver.Damages() {
		status = StatusDamaged
		fault("%s: %s of no message passed over, in %s, from octet %d on: the file is damaged", d.Name, counted(uint64(d.Octets), "octet"), counted(uint64(d.Places), "place"), d.First)
	}
	if n := r.receiver.Refused; n > 0 {
		fault("%s passed over of further meters: there may be %d (--max-meters)", counted(n, "message"), r.options.meters)
	}
	if n := r.receiver.Strange; n > 0 {
		fault("%s passed over, which no feed has", counted(n, "message"))
	}
	for _, c := range []struct {
		n    uint64
		what string
	}{
		{b.Lacking, fmt.Sprintf("without %s that were told", counted(b.LackingPackets, "packet"))},
		{b.Wrong, "with other packets than the meter has counted"},
		{b.Unended, "without an end: the meter is gone, or the end is among the missing records"},
		{b.NamelessFlows, fmt.Sprintf("known by %s alone: what was told of them did not come", counted(b.Nameless, "packet"))},
		{b.Unproved, "without room (--max-flows): it is not known whether all packets are there"},
	} {
		if c.n > 0 {
			fault("%s %s", counted(c.n, "flow"), c.what)
		}
	}
	r.tellFeatures(w)
	if faulty {
		return &exitError{status: status}
	}
	switch {
	case r.options.quiet:
	case len(r.receiver.Meters) == 0:
		fmt.Fprintln(w, "no meter was heard")
	default:
		fmt.Fprintln(w, "nothing is missing: each flow that has ended has the packets and octets that its meter has counted")
	}
	return nil
}

// tellMeter tells what is missing of a meter's records.
func tellMeter(w io.Writer, m *feed.Meter, fault func(string, ...any)) {
	if m.Missing > 0 {
		fault("%s: %s missing of %d%s", m.Name, counted(m.Missing, "record"), m.Missing+m.Records, ownDrops(m))
	}
	if m.Before > 0 {
		fault("%s: %s told before the first that came", m.Name, counted(m.Before, "record"))
	}
	if m.Damaged > 0 {
		fault("%s: %s damaged: %v", m.Name, counted(m.Damaged, "message"), m.Fault)
	}
	if s := &m.Stats; s.Lost > 0 || s.Uncounted > 0 {
		fmt.Fprintf(w, "%s: before the feed, %s were lost, and the flow table had no room for %d\n", m.Name, counted(s.Lost, "packet"), s.Uncounted)
	}
}

// ownDrops says how many records the meter has dropped itself.
func ownDrops(m *feed.Meter) string {
	if m.Stats.DroppedRecords == 0 {
		return ""
	}
	return fmt.Sprintf(": it has dropped %d itself, its queue was full", m.Stats.DroppedRecords)
}
