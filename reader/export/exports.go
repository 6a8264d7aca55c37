package export

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rtfm/reader/spool"
)

// Place is where collections go: what a URL tells, and what knows of such URLs.
type Place struct {
	*Target
	Scheme *Scheme
}

// ParsePlace reads a URL of one of the schemes.
func ParsePlace(text string, schemes []Scheme) (Place, error) {
	t, s, err := Parse(text, schemes)
	return Place{t, s}, err
}

// Check makes the exporter of a place, which reads its secrets, and has it look for the
// place if connect is set.
func (p Place) Check(ctx context.Context, connect bool) error {
	e, err := p.Scheme.New(p.Target)
	if err != nil {
		return err
	}
	defer e.Close()
	if !connect {
		return nil
	}
	if err := e.Check(ctx); err != nil {
		return fmt.Errorf("%s: %w", p.Target, err)
	}
	return nil
}

// Exports sends what a spool has to places.
type Exports struct {
	Spool   *spool.Spool
	Runners []*Runner // those of the places first, in their order
	stop    context.CancelFunc
	ended   sync.WaitGroup
}

// Start begins to send what is in a spool to places, and what waits there for others, of
// these schemes, where it was to go to before. The Exports' end is to be that of the
// spool's use. notify is told what becomes of it.
func Start(s *spool.Spool, places []Place, schemes []Scheme, notify func(place string, n Notice)) (*Exports, error) {
	ctx, stop := context.WithCancel(context.Background())
	x := &Exports{Spool: s, stop: stop}
	if err := x.prepare(places, schemes, notify); err != nil {
		x.Stop()
		return nil, err
	}
	for _, r := range x.Runners {
		x.ended.Go(func() { r.Run(ctx) })
	}
	return x, nil
}

// prepare makes the runners.
func (x *Exports) prepare(places []Place, schemes []Scheme, notify func(string, Notice)) error {
	var names []string
	for _, p := range places {
		to, err := p.Scheme.New(p.Target)
		if err != nil {
			return err
		}
		outlet, err := x.Spool.Outlet(p.OutletName(), p.String())
		if err != nil {
			to.Close()
			return err
		}
		names = append(names, outlet.Name())
		x.add(outlet, to, notify)
	}
	left, err := x.Spool.Keep(names...)
	if err != nil {
		return err
	}
	for _, outlet := range left {
		p, err := ParsePlace(outlet.To(), schemes)
		var to Exporter
		if err == nil {
			to, err = p.Scheme.New(p.Target)
		}
		if err != nil {
			notify(outlet.Name(), Notice{Err: err, Stopped: true, Waiting: outlet.Waiting()})
			continue
		}
		x.add(outlet, to, notify)
	}
	return nil
}

func (x *Exports) add(outlet *spool.Outlet, to Exporter, notify func(string, Notice)) {
	place := outlet.To()
	if n, has := to.(Noting); has {
		n.Notes(func(note string) { notify(place, Notice{Note: note}) })
	}
	x.Runners = append(x.Runners, &Runner{Outlet: outlet, Exporter: to, Notify: func(n Notice) { notify(place, n) }})
	if err := outlet.Damage(); err != nil {
		notify(place, Notice{Err: err, Waiting: outlet.Waiting()})
	}
}

// Finish waits until all was sent, or nothing more can be for so long, or ctx is done. It
// returns how many collections were not sent.
func (x *Exports) Finish(ctx context.Context, patience time.Duration) (unsent int) {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		changed := x.Spool.Changed()
		going := slices.ContainsFunc(x.Runners, func(r *Runner) bool { return !r.Status().Stopped && r.Outlet.Waiting() > 0 })
		if !going {
			return x.unsent()
		}
		select {
		case <-changed:
			end.Reset(patience)
		case <-end.C:
			return x.unsent()
		case <-ctx.Done():
			return x.unsent()
		case <-time.After(time.Second): // one may have stopped
		}
	}
}

// unsent returns how many collections wait for the place for which most do.
func (x *Exports) unsent() (most int) {
	for _, o := range x.Spool.All() {
		most = max(most, o.Waiting())
	}
	return most
}

// Stop ends the sending. The spool stays open.
func (x *Exports) Stop() {
	x.stop()
	x.ended.Wait()
	for _, r := range x.Runners {
		r.Exporter.Close()
	}
}
