package cmd

import (
	"context"
	"io"
	"os"
	"time"

	"rtfm/reader/live"
)

// growing reads a file and waits at its end for more.
type growing struct {
	ctx  context.Context
	file *os.File
	path string
	to   *live.History
	at   int64
	gone bool
	// another is set once the path is of another file, or of this one after it was cut.
	another bool
	atEnd   func() // nil for none
}

// look is how often the end of a file is looked at.
const look = 200 * time.Millisecond

// Close implements io.Closer.
func (g *growing) Close() error { return g.file.Close() }

// Read implements io.Reader.
func (g *growing) Read(b []byte) (int, error) {
	for {
		n, err := g.file.Read(b)
		g.at += int64(n)
		if n > 0 || err != io.EOF {
			return n, err
		}
		if g.another = g.isAnother(); g.another {
			return 0, errAnew
		}
		if g.atEnd != nil {
			g.atEnd()
		}
		select {
		case <-time.After(look):
		case <-g.ctx.Done():
			return 0, io.EOF
		}
	}
}

// isAnother reports whether the path is of another file now, or of this one after it
// was cut. If there is none, it is yet to come.
func (g *growing) isAnother() bool {
	now, err := os.Stat(g.path)
	if err != nil {
		if !g.gone {
			g.gone = true
			g.to.Tell(live.Status{State: live.Away, Text: "the file is gone", Since: time.Now().UnixNano()})
		}
		return false
	}
	g.gone = false
	open, err := g.file.Stat()
	return err == nil && (!os.SameFile(now, open) || now.Size() < g.at)
}
