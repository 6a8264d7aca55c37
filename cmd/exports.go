package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/spool"
)

// exports sends collections to where they are to go.
type exports struct {
	spool   *spool.Spool
	runners []*export.Runner
	names   []string // of the places
	stop    context.CancelFunc
	ended   sync.WaitGroup
	grace   time.Duration
}

// open opens the spool and begins to send what is in it.
func (o *exportOptions) open(notify func(place string, n export.Notice)) (*exports, error) {
	s, err := spool.Open(o.folder, spool.Config{Limit: int64(o.limit) << 20, Drop: o.full == "drop"})
	if err != nil {
		return nil, err
	}
	x := &exports{spool: s, grace: seconds(o.grace)}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	var names []string
	for _, t := range o.targets {
		to, err := t.scheme.New(t.Target)
		if err != nil {
			x.close()
			return nil, err
		}
		name := t.OutletName()
		outlet, err := s.Outlet(name, t.String())
		if err != nil {
			x.close()
			return nil, err
		}
		names = append(names, name)
		place := t.String()
		if n, has := to.(export.Noting); has {
			n.Notes(func(note string) { notify(place, export.Notice{Note: note}) })
		}
		x.names = append(x.names, place)
		x.runners = append(x.runners, &export.Runner{
			Outlet: outlet, Exporter: to, Notify: func(n export.Notice) { notify(place, n) },
		})
	}
	if err := s.Keep(names...); err != nil {
		x.close()
		return nil, err
	}
	for _, r := range x.runners {
		x.ended.Go(func() { r.Run(ctx) })
	}
	return x, nil
}

// sink returns what makes collections segments of the spool.
func (x *exports) sink(h flowfile.Header) *export.Sink {
	return &export.Sink{Spool: x.spool, Header: h}
}

// finish waits until all was sent, or nothing more can be for as long as the grace lasts,
// and returns an error if something was not.
func (x *exports) finish(ctx context.Context) error {
	defer x.close()
	end := time.NewTimer(x.grace)
	defer end.Stop()
	for {
		changed := x.spool.Changed()
		waiting := 0
		for _, r := range x.runners {
			if st := r.Status(); !st.Stopped {
				waiting += r.Outlet.Waiting()
			}
		}
		if waiting == 0 {
			return x.unsent()
		}
		select {
		case <-changed:
			end.Reset(x.grace)
		case <-end.C:
			return x.unsent()
		case <-ctx.Done():
			return x.unsent()
		}
	}
}

// unsent returns an error if something was not sent.
func (x *exports) unsent() error {
	most := 0
	for _, r := range x.runners {
		most = max(most, r.Outlet.Waiting())
	}
	if most == 0 {
		return nil
	}
	err := fmt.Errorf("%d collections are still in %s; rtfm flows spool --send %s sends them", most, x.spool.Folder(), x.spool.Folder())
	return &exitError{status: StatusUnsent, err: err}
}

// close ends the sending, and removes the spool if nothing is left in it.
func (x *exports) close() {
	x.stop()
	x.ended.Wait()
	for _, r := range x.runners {
		r.Exporter.Close()
	}
	empty := x.spool.Status().Segments == 0
	x.spool.Close()
	if empty {
		os.RemoveAll(x.spool.Folder())
	}
}

// printSent tells what was sent where.
func (x *exports) printSent(w io.Writer) {
	var places []string
	for i, r := range x.runners {
		places = append(places, fmt.Sprintf("%s %d", x.names[i], r.Status().Collections))
	}
	fmt.Fprintf(w, "exported collections: %s\n", strings.Join(places, ", "))
}
