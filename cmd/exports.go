package cmd

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/spool"
)

// exports sends collections to where they are to go.
type exports struct {
	*export.Exports
	grace time.Duration
	keep  bool // the spool's folder, whatever is in it
}

// open opens the spool and begins to send what is in it.
func (o *exportOptions) open(notify func(place string, n export.Notice)) (*exports, error) {
	s, err := spool.Open(o.folder, export.SpoolConfig(int64(o.limit)<<20, o.full == "drop"))
	if err != nil {
		return nil, err
	}
	x, err := export.Start(s, o.places, exportSchemes, notify)
	if err != nil {
		s.Close()
		return nil, err
	}
	return &exports{Exports: x, grace: seconds(o.grace)}, nil
}

// sink returns what makes collections segments of the spool.
func (x *exports) sink(h flowfile.Header) *export.Sink {
	return &export.Sink{Spool: x.Spool, Header: h}
}

// finish waits until all was sent, or nothing more can be for as long as the grace lasts,
// and returns an error if something was not. A spool with nothing in it is removed.
func (x *exports) finish(ctx context.Context) error {
	unsent := x.Finish(ctx, x.grace)
	x.Stop()
	if unsent == 0 && !x.keep {
		return x.Spool.Remove()
	}
	x.Spool.Close()
	if unsent == 0 {
		return nil
	}
	err := fmt.Errorf("%d collections are still in %s; rtfm flows spool --send %s sends them", unsent, x.Spool.Folder(), x.Spool.Folder())
	return &exitError{status: StatusUnsent, err: err}
}

// printSent tells what was sent where.
func (x *exports) printSent(w io.Writer) {
	var places []string
	for _, r := range x.Runners {
		places = append(places, fmt.Sprintf("%s %d", r.Outlet.To(), r.Status().Collections))
	}
	fmt.Fprintf(w, "exported collections: %s\n", strings.Join(places, ", "))
}
