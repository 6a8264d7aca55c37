package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"rtfm/reader/flowfile"
	"rtfm/reader/live"
	"rtfm/reader/query"
	"rtfm/reader/record"
)

// liveFile is a flow data file, which may grow.
type liveFile struct {
	options *liveOptions
	path    string
}

func (l *liveFile) name() string { return filepath.Base(l.path) }

// open implements liveSource.
func (l *liveFile) open(context.Context) error { return nil }

// run implements liveSource. A file that is begun anew is read from its beginning.
func (l *liveFile) run(ctx context.Context, to *live.History) error {
	for {
		err := l.read(ctx, to)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errAnew):
			to.Tell(live.Status{State: live.Restarted, Text: "the file was begun anew", Since: time.Now().UnixNano()})
		default:
			return err
		}
	}
}

// errAnew is for a file that is another, or shorter, than it was.
var errAnew = errors.New("the file was begun anew")

// read reads the file until it is another, or ctx is done.
func (l *liveFile) read(ctx context.Context, to *live.History) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	all := flowfile.NewCollections(&growing{ctx: ctx, file: f, path: l.path})
	sink := l.options.sink(to)
	var intervals query.Intervals
	for {
		var seen query.Seen
		from, err := all.Next()
		if err == nil {
			_, err = record.Copy(sink, intervals.From(from, &seen))
		}
		if errors.Is(err, errAnew) || ctx.Err() != nil {
			return err
		} else if err != nil {
			return fmt.Errorf("%s: %w", l.path, err)
		}
	}
}

// growing reads a file and waits at its end for more.
type growing struct {
	ctx  context.Context
	file *os.File
	path string
	at   int64
}

// look is how often the end of a file is looked at.
const look = 200 * time.Millisecond

// Read implements io.Reader.
func (g *growing) Read(b []byte) (int, error) {
	for {
		n, err := g.file.Read(b)
		g.at += int64(n)
		if n > 0 || err != io.EOF {
			return n, err
		}
		now, err := os.Stat(g.path)
		open, err2 := g.file.Stat()
		if err == nil && err2 == nil && (!os.SameFile(now, open) || now.Size() < g.at) {
			return 0, errAnew
		}
		select {
		case <-time.After(look):
		case <-g.ctx.Done():
			return 0, io.EOF
		}
	}
}
