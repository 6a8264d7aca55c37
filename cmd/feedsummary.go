package cmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"rtfm/reader/feed"
)

// feedProgress shows on a terminal what is being received.
type feedProgress struct {
	to      io.Writer // nil if that is no terminal
	at      time.Time
	records uint64
	shows   bool
}

func newFeedProgress(stderr io.Writer, quiet bool) feedProgress {
	if f, ok := stderr.(*os.File); ok && !quiet && term.IsTerminal(int(f.Fd())) {
		return feedProgress{to: f, at: time.Now()}
	}
	return feedProgress{}
}

// show shows it each second.
func (p *feedProgress) show(r *feed.Receiver, b *feed.Book) {
	took := time.Since(p.at)
	if p.to == nil || took < time.Second {
		return
	}
	s := feedSums(r)
	fmt.Fprintf(p.to, "%s%s, %s packets, %s records/s, %s flows open, %s ended, %s records missing\r",
		clearLine, counted(uint64(s.heard), "meter"), prefixed(float64(b.Packets), ""), prefixed(float64(s.records-p.records)/took.Seconds(), ""),
		prefixed(float64(b.Open), ""), prefixed(float64(b.Flows), ""), prefixed(float64(s.missing), ""))
	p.at, p.records, p.shows = time.Now(), s.records, true
}

func (p *feedProgress) clear() {
	if p.shows {
		fmt.Fprint(p.to, clearLine)
	}
	p.shows = false
}

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
		s := feedSums(r.receiver)
		fmt.Fprintf(w, "%s of %s, %d octets, in %s that have ended, %s that go on; %s\n",
			counted(b.Packets, "packet"), counted(uint64(len(r.receiver.Meters)), "meter"), b.Octets, counted(b.Flows, "flow"), counted(b.Open, "flow"), counted(s.records, "record"))
	}
	r.tellMeters(fault)
	for _, in := range r.receiver.Inputs() {
		if in.Dropped > 0 {
			fault("%s: the socket had no room for %s: it keeps %d octets (--buffer, net.core.rmem_max)", in.Name, counted(in.Dropped, "datagram"), in.Buffer)
		}
	}
	if n := r.receiver.Refused; n > 0 {
		fault("%s passed over of further meters: there may be %d (--max-meters)", counted(n, "message"), r.options.meters)
	}
	if n := r.receiver.Strange; n > 0 {
		fault("%s passed over that are none of a feed", counted(n, "message"))
	}
	for _, c := range []struct {
		n    uint64
		what string
	}{
		{b.Lacking, fmt.Sprintf("lack %s that their meter has told", counted(b.LackingPackets, "packet"))},
		{b.Wrong, "have other packets than their meter has counted"},
		{b.Unended, "have no end: their meter is gone, or it is among the missing records"},
		{b.NamelessFlows, fmt.Sprintf("are known by %s alone: nothing has told what they are", counted(b.Nameless, "packet"))},
		{b.Unproved, "had no room (--max-flows): it is not known whether their packets are there"},
	} {
		if c.n > 0 {
			fault("%s %s", counted(c.n, "flow"), c.what)
		}
	}
	r.tellFeatures(w)
	if faulty {
		return &exitError{status: StatusMissing}
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
		fault("%s: %s were made before the first that came", m.Name, counted(m.Before, "record"))
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
