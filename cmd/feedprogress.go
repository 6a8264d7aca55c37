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
