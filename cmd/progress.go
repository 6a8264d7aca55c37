package cmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"rtfm/traces"
)

// progressEvery is how often progress is shown.
const progressEvery = 100 * time.Millisecond

// progress shows how much of the traces was read.
type progress struct {
	traces.Source
	bar   *progressbar.ProgressBar
	calls int
}

// withProgress returns src with a line on stderr that tells how far it was read, if
// that is a terminal: a bar if it is known how much there is to read, and what was
// read if it is not.
func withProgress(src traces.Source, names []string, stderr io.Writer) traces.Source {
	f, ok := stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return src
	}
	var size int64
	for _, path := range tracePaths(names) {
		st, err := os.Stat(path)
		if path == "-" || err == nil && !st.Mode().IsRegular() {
			return &pipeProgress{Source: src, to: f, began: time.Now(), looked: time.Now()}
		}
		if err != nil {
			return src
		}
		size += st.Size()
	}
	return &progress{Source: src, bar: progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(f), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(progressEvery), progressbar.OptionClearOnFinish())}
}

// ReadBatch implements traces.Source.
func (p *progress) ReadBatch(b *traces.Batch) error {
	err := p.Source.ReadBatch(b)
	switch p.calls++; {
	case err != nil:
		p.bar.Finish()
	case p.calls%256 == 0:
		p.bar.Set64(int64(p.Stats().Bytes))
	}
	return err
}

// pipeProgress shows how much was read where nobody knows how much there will be.
type pipeProgress struct {
	traces.Source
	to              io.Writer
	began, looked   time.Time
	shows           bool // there is something in the line
	packets, octets uint64
}

// clearLine returns to the begin of a terminal's line, and clears it.
const clearLine = "\r\x1b[K"

// ReadBatch implements traces.Source.
func (p *pipeProgress) ReadBatch(b *traces.Batch) error {
	err := p.Source.ReadBatch(b)
	p.packets += uint64(len(b.Packets))
	for i := range b.Packets {
		p.octets += uint64(b.Packets[i].Wire)
	}
	now := time.Now()
	switch {
	case err != nil && p.shows:
		p.shows = false
		fmt.Fprint(p.to, clearLine)
	case err == nil && len(b.Packets) > 0 && now.Sub(p.looked) >= progressEvery:
		p.looked, p.shows = now, true
		// A message that comes meanwhile is written over the line.
		fmt.Fprint(p.to, clearLine, p.line(b.Packets[len(b.Packets)-1].Time, now.Sub(p.began)), "\r")
	}
	return err
}

// line tells what was read in a time, up to a packet that was captured at another.
func (p *pipeProgress) line(at int64, in time.Duration) string {
	return fmt.Sprintf("%s packets, %sB, %s packets/s, up to %s",
		prefixed(float64(p.packets), ""), prefixed(float64(p.octets), " "), prefixed(float64(p.packets)/max(in.Seconds(), 1e-9), ""),
		time.Unix(0, at).UTC().Format(time.DateTime))
}

// prefixed returns a number with three digits and, behind a separator, the prefix of
// its unit: 1.23 M.
func prefixed(x float64, separator string) string {
	prefixes := []string{"", "k", "M", "G", "T", "P", "E"}
	i, digits := 0, 0
	for ; x >= 999.5 && i < len(prefixes)-1; i++ {
		x /= 1000
	}
	switch {
	case i == 0:
	case x < 9.995:
		digits = 2
	case x < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%.*f%s%s", digits, x, separator, prefixes[i])
}
