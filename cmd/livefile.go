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
	packed  bool // it is compressed: it is read as it is

	enough context.CancelFunc
	wanted *wanted
	sink   *live.Sink
	shown  map[shownRun]int64 // the end of the last interval
}

// shownRun is one run of a meter.
type shownRun struct {
	meter, boot string
	epoch       int64
}

func (l *liveFile) name() string { return filepath.Base(l.path) }

// waits implements liveSource.
func (l *liveFile) waits() bool { return true }

// open implements liveSource.
func (l *liveFile) open(context.Context) error { return nil }

// run implements liveSource. A file that is begun anew is read from its beginning; what
// it had before is not shown again.
func (l *liveFile) run(ctx context.Context, to *live.History) error {
	ctx, l.enough = context.WithCancel(ctx)
	defer l.enough()
	// With --once the latest interval is wanted: those before it are only held.
	l.wanted = l.options.wanted(to, l.enough, func(*live.Interval) bool { return true })
	l.shown = map[shownRun]int64{}
	l.sink = l.options.sink(l.take)
	defer l.wanted.end()
	for {
		err := l.read(ctx, to)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errAnew):
			to.Tell(live.Status{State: live.Restarted, Text: "the file was begun anew", Since: time.Now().UnixNano()})
		case errors.Is(err, io.EOF):
			return nil
		default:
			return &exitError{status: StatusDamaged, err: fmt.Errorf("%s: %w", l.path, err)}
		}
	}
}

// take takes an interval, unless it was taken before.
func (l *liveFile) take(i *live.Interval) {
	run := shownRun{i.Meter, i.Boot, i.Epoch}
	if last, ok := l.shown[run]; ok && i.To <= last {
		return
	}
	l.shown[run] = i.To
	l.wanted.take(i)
}

// errAnew is for a file that is another, or shorter, than it was.
var errAnew = errors.New("the file was begun anew")

// read reads the file until it is another, or ctx is done. Of one that does not grow
// the error is io.EOF at its end.
func (l *liveFile) read(ctx context.Context, to *live.History) error {
	in, err := l.reader(ctx, to)
	if err != nil {
		return err
	}
	defer in.Close()
	all := flowfile.NewCollections(in)
	var intervals query.Intervals
	for {
		var seen query.Seen
		from, err := all.Next()
		if err == nil {
			_, err = record.Copy(l.sink, intervals.From(from, &seen))
		}
		if g, ok := in.(*growing); ok && g.another {
			return errAnew // which is not what a line that ends there is told to be
		}
		if err != nil {
			return err
		}
	}
}

// reader opens the file.
func (l *liveFile) reader(ctx context.Context, to *live.History) (io.ReadCloser, error) {
	if l.packed {
		return openFlows(l.path, nil)
	}
	f, err := os.Open(l.path)
	if err != nil {
		return nil, err
	}
	g := &growing{ctx: ctx, file: f, path: l.path, to: to}
	if l.options.once {
		g.atEnd = func() {
			if l.wanted.held != nil {
				l.enough()
			}
		}
	}
	return g, nil
}
