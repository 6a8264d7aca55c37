package manager

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"rtfm/reader"
	"rtfm/reader/export"
)

// Options are for all meters.
type Options struct {
	// Log is told of unusual events, and of what is done with meters. It is
	// never told a secret.
	Log *slog.Logger
	// Remove ends the tasks and removes the rows of the manager from its
	// meters, before it ends itself.
	Remove bool
	// Grace is the time for the last collections; 0 means 30 s.
	Grace time.Duration
	// Version is that of the program, for the flow data files' headers.
	Version string
	// Schemes are those that exports may have.
	Schemes []export.Scheme
	// Watches, if set, is told of meters and their collections.
	Watches Watches
}

// Watches is told of all meters. It is to be safe for concurrent use.
type Watches interface {
	// Meter returns what is told of the meter of this name, Gone that it is managed no
	// more.
	Meter(name string) Watch
	Gone(name string)
}

// Watch is told of a meter's collections, and whether the meter answers.
type Watch interface {
	reader.Watch
	Reached(is bool)
	// Exports tells where the collections go to, nil for nowhere.
	Exports(*export.Exports)
}

// Run manages the meters of c until ctx ends, then makes a last collection from
// each. It ends by itself when all meters meter traces that have ended. What
// comes from changes takes the place of c. The error tells of meters from
// which there was no last collection.
func Run(ctx context.Context, c *Config, changes <-chan *Config, o Options) error {
	if o.Grace == 0 {
		o.Grace = 30 * time.Second
	}
	r := &runner{opts: o, keepers: make(map[string]*running), ended: make(chan *running)}
	var errs []error
	for _, m := range c.Meters {
		// A file that cannot be opened now is a mistake of the configuration.
		f, _, err := reader.OpenFile(m.Output)
		if err == nil {
			err = f.Close()
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.take(ctx, c)
	errs = nil
	for len(r.keepers) > 0 || len(r.waiting) > 0 {
		select {
		case c := <-changes:
			if ctx.Err() == nil {
				r.take(ctx, c)
			}
		case k := <-r.ended:
			if k.err != nil {
				o.Log.Error("meter given up", "error", k.err)
				errs = append(errs, k.err)
			}
			r.end(ctx, k)
		}
	}
	return errors.Join(errs...)
}

// runner runs a keeper for each meter. It belongs to one goroutine.
type runner struct {
	opts    Options
	keepers map[string]*running // by the meter's name
	waiting map[string]*Meter   // to be run when the keeper of that name has ended
	ended   chan *running
}

// running is a keeper with its goroutine.
type running struct {
	*keeper
	given *Meter // last
	stop  context.CancelFunc
	err   error // when it has ended
	going bool  // it was told to end
}

// start runs a keeper for a meter.
func (r *runner) start(ctx context.Context, m *Meter) {
	ctx, stop := context.WithCancel(ctx)
	k := &running{given: m, stop: stop, keeper: newKeeper(m, &r.opts)}
	r.keepers[m.Name] = k
	go func() {
		k.err = k.run(ctx)
		stop()
		r.ended <- k
	}()
}

// end notes that a keeper has ended.
func (r *runner) end(ctx context.Context, k *running) {
	name := k.given.Name
	delete(r.keepers, name)
	if r.opts.Watches != nil && r.waiting[name] == nil {
		r.opts.Watches.Gone(name)
	}
	if m := r.waiting[name]; m != nil {
		delete(r.waiting, name)
		if ctx.Err() == nil {
			r.start(ctx, m)
		}
	}
}

// take makes the keepers those of a configuration. A meter that is not in it
// any more is collected a last time and left clean.
func (r *runner) take(ctx context.Context, c *Config) {
	wanted := make(map[string]*Meter)
	for _, m := range c.Meters {
		wanted[m.Name] = m
	}
	r.waiting = make(map[string]*Meter)
	for name, k := range r.keepers {
		m := wanted[name]
		switch {
		case m == nil:
			r.opts.Log.Info("meter is no more in the configuration", "meter", name)
			k.end(true)
		case k.going:
			r.waiting[name] = m
		case same(k.given, m):
		case !sameRows(k.given, m) || !sameFile(k.given, m):
			r.waiting[name] = m
			k.end(!sameRows(k.given, m))
		default:
			k.give(m)
		}
	}
	for _, m := range c.Meters {
		if r.keepers[m.Name] == nil {
			r.start(ctx, m)
		}
	}
}

// end makes a keeper end.
func (k *running) end(remove bool) {
	if !k.going {
		k.remove.Store(remove)
		k.going = true
		k.stop()
	}
}

// give gives a keeper a changed configuration.
func (k *running) give(m *Meter) {
	k.given = m
	select {
	case <-k.news: // it has not seen the one before
	default:
	}
	k.news <- m
}

// same reports whether two configurations of a meter want the same.
func same(a, b *Meter) bool { return reflect.DeepEqual(a, b) }

// sameRows reports whether two configurations mean the same rows in the same
// meter.
func sameRows(a, b *Meter) bool {
	return a.Address == b.Address && a.Owner == b.Owner && a.Rows == b.Rows
}

// sameFile reports whether a keeper can go on with its meter and flow data file
// when b takes the place of a.
func sameFile(a, b *Meter) bool {
	return a.SNMP == b.SNMP && a.Output == b.Output && a.JSON == b.JSON && a.Trace == b.Trace && sameLocation(a, b) &&
		slices.Equal(a.Exports, b.Exports) && a.Spool == b.Spool
}

func sameLocation(a, b *Meter) bool { return a.Location.String() == b.Location.String() }
