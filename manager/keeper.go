package manager

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"

	"rtfm/mib/client"
	"rtfm/reader"
	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/spool"
)

// Times that are the same for all meters.
const (
	firstRetry   = time.Second
	longestRetry = time.Minute
)

// keeper keeps one meter as it should be, and collects its flows. All it does
// it does in one goroutine.
type keeper struct {
	meter   *Meter
	log     *slog.Logger
	version string
	watch   Watch // nil if nobody does
	schemes []export.Scheme
	news    chan *Meter   // a changed configuration; has room for one
	remove  atomic.Bool   // whether the meter's rows are to be removed at the end
	grace   time.Duration // for the last collection

	control   *control
	file      *reader.File
	exports   *export.Exports // nil if the meter has none
	opened    *Meter          // as it was when file was opened
	collector *reader.Collector
	managed   bool    // the meter was as it should be, since the keeper began
	collected bool    // since the keeper began
	parted    [8]byte // the meter's boot identifier when it was collected before it ended
	state     condition
	due       time.Time // of the next collection
	failing   time.Time // since when the meter gives no proper answers, zero if it does
	reason    string    // that was logged for it
	again     time.Time // when a session was last begun as soon as one had ended
}

func newKeeper(m *Meter, o *Options) *keeper {
	k := &keeper{
		meter: m, log: o.Log.With("meter", m.Name), version: o.Version, schemes: o.Schemes, news: make(chan *Meter, 1), grace: o.Grace,
	}
	k.remove.Store(o.Remove)
	if o.Watches != nil {
		k.watch = o.Watches.Meter(m.Name)
	}
	return k
}

// open opens the flow data file, which must not be open.
func (k *keeper) open() error {
	file, known, err := reader.OpenFile(k.meter.Output)
	if err != nil {
		return err
	}
	k.file, k.opened = file, k.meter
	if err := file.Damage(); err != nil {
		k.log.Warn("what was known of the flow data file is lost", "error", err)
	}
	if err := k.export(known); err != nil {
		k.close()
		return err
	}
	timeout := int(k.meter.ReaderTimeout / time.Second)
	if k.meter.Trace {
		timeout = 0 // it would be seconds of the trace
	}
	var room *spool.Spool
	if k.exports != nil {
		room = k.exports.Spool
	}
	config := reader.Config{
		Spool: room,
		Header: flowfile.Header{
			Version: flowfile.Release(k.version), Parameters: k.meter.parameters(), Meter: k.meter.Name,
		},
		JSON: k.meter.JSON, Statistics: k.meter.statistics(),
		Owner: k.meter.Owner, FirstRow: k.meter.Rows.Readers.First, LastRow: k.meter.Rows.Readers.Last,
		Timeout: timeout, MaxFlows: k.meter.MaxFlows,
		Warn: func(err error) { k.log.Warn("collection", "warning", err) },
	}
	if k.watch != nil {
		config.Watch = k.watch
	}
	k.collector = reader.New(config, file, known)
	return nil
}

// close closes the flow data file.
func (k *keeper) close() {
	k.endExports()
	if k.file == nil {
		return
	}
	if err := k.file.Close(); err != nil {
		k.log.Error("flow data file", "error", err)
	}
	k.file, k.collector = nil, nil
}

// run keeps the meter until ctx ends, or the trace that the meter meters has.
// Then it makes a last collection: if the meter gave no answers, or fails it,
// in one more attempt, unless it never gave any.
func (k *keeper) run(ctx context.Context) error {
	defer k.close()
	work, cancel := k.withGrace(ctx)
	defer cancel()
	retry := firstRetry
	k.log.Info("waiting for the meter to answer", "address", k.meter.Address)
	for {
		last := ctx.Err() != nil
		err := k.session(ctx, work)
		switch {
		case err == nil:
			k.deliver()
			return nil
		case ctx.Err() != nil && !k.managed:
			if k.reason != "" {
				err = errors.New(k.reason)
			}
			return fmt.Errorf("%s could not be managed: %w", k.meter.Name, err)
		case last || work.Err() != nil:
			return fmt.Errorf("the last collection from %s could not be made: %w", k.meter.Name, err)
		case ctx.Err() != nil:
			continue
		}
		if k.failing.IsZero() {
			retry = firstRetry
		}
		if k.failed(err) && time.Since(k.again) > longestRetry {
			// But not for a meter that seems to be restarted all the time.
			k.again = time.Now()
			continue
		}
		k.knock(ctx, err, retry)
		retry = min(2*retry, longestRetry)
	}
}

// failed logs why a session has ended, once while it stays the same. It tells
// whether the next one should begin at once.
func (k *keeper) failed(err error) bool {
	switch {
	case errors.Is(err, errRestarted):
		k.log.Warn("the meter was restarted: it gets its rulesets and tasks again")
		return true
	case errors.Is(err, errRowsChanged):
		k.log.Warn("the meter's tasks are not as they were left: they are made anew")
		return true
	}
	if k.failing.IsZero() {
		k.failing = time.Now()
	}
	if !inFile(err) {
		k.reached(false)
	}
	if text := err.Error(); text != k.reason {
		k.reason = text
		what := "the meter cannot be managed; it is tried again until it answers, at least once a minute"
		if inFile(err) {
			what = "flow data cannot be written, and stay in the meter; it is tried again at least once a minute"
		}
		k.log.Warn(what, "address", k.meter.Address, "error", err)
	}
	return false
}

// inFile reports whether an error is of the flow data file, not of the meter.
func inFile(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) || errors.Is(err, reader.ErrSpoolFull)
}

// session speaks to the meter until there is an error; nil means that all was
// done. When ctx ends it makes a last collection and ends, as work does later.
// But a meter that gave no answers before is not waited for any longer then.
func (k *keeper) session(ctx, work context.Context) error {
	if k.file == nil {
		if err := k.open(); err != nil {
			return err
		}
	}
	bringing := work
	if !k.failing.IsZero() && ctx.Err() == nil {
		bringing = ctx
	}
	c, err := client.Dial(bringing, k.meter.SNMP.config(k.meter.Address))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := k.bring(bringing, c); err != nil {
		return err
	}
	k.managed = true
	k.reached(true)
	if k.meter.Trace {
		return k.inStep(ctx, work)
	}
	return k.byClock(ctx, work)
}

// well notes that the meter can be managed and its flows be collected.
func (k *keeper) well() {
	if !k.failing.IsZero() {
		k.log.Info("the meter can be managed again", "after", time.Since(k.failing).Round(time.Second))
		k.failing, k.reason = time.Time{}, ""
	}
	k.reached(true)
}

// reached tells whether the meter can be managed.
func (k *keeper) reached(is bool) {
	if k.watch != nil {
		k.watch.Reached(is)
	}
}

// withGrace returns a context that ends the grace time later than ctx.
func (k *keeper) withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(k.grace, cancel) })
	return work, cancel
}

// bring makes the meter as it should be, whatever it was before.
func (k *keeper) bring(ctx context.Context, c *client.Client) error {
	fresh := &control{meter: k.meter, client: c, log: k.log}
	if k.control != nil {
		fresh.ruleSets, fresh.retired, fresh.kept = k.control.ruleSets, k.control.retired, k.control.kept
		fresh.holds, fresh.entered = k.control.holds, k.control.entered
	}
	if err := fresh.settings(ctx); err != nil {
		return err
	}
	fresh.floodsSince(k.control)
	k.control = fresh
	return k.apply(ctx)
}

// apply makes rulesets, readers and tasks those of the configuration, and
// collects what goes before it does.
func (k *keeper) apply(ctx context.Context) error {
	if err := k.control.download(ctx); err != nil {
		return err
	}
	sets := k.control.collected()
	if err := k.collector.Register(ctx, k.control.client, sets); err != nil {
		return err
	}
	if err := k.control.run(ctx, k.now()); err != nil {
		return err
	}
	if (!k.collected || len(k.control.retired) > 0) && !k.meter.Trace {
		if err := k.collectNow(ctx); err != nil {
			return err
		}
	}
	a, b := k.opened, k.meter
	if a.parameters() == b.parameters() && a.statistics() == b.statistics() && a.ReaderTimeout == b.ReaderTimeout && a.MaxFlows == b.MaxFlows {
		return nil
	}
	k.close()
	return k.open()
}

// collectNow makes a collection, and removes the rulesets that have none to
// come.
func (k *keeper) collectNow(ctx context.Context) error {
	if _, err := k.collector.Collect(ctx, k.control.client, k.control.collected()); err != nil {
		return k.why(ctx, err)
	}
	k.collected = true
	return k.control.removeRetired(ctx, false)
}

// why returns the cause of a failed collection.
func (k *keeper) why(ctx context.Context, err error) error {
	if errors.Is(err, client.ErrNoAnswer) || ctx.Err() != nil {
		return err
	}
	if _, found := k.control.watch(ctx, k.now()); errors.Is(found, errRestarted) || errors.Is(found, errRowsChanged) {
		return found
	}
	return err
}

// now is the time by the clock that the meter's times of day go by.
func (k *keeper) now() time.Time { return time.Now().In(k.meter.Location) }

// interval is the present one between collections.
func (k *keeper) interval() time.Duration {
	if k.state != (condition{}) {
		return k.meter.FloodInterval
	}
	return k.meter.Interval
}

// byClock makes collections at their times, and looks after the meter between
// them, until ctx ends.
func (k *keeper) byClock(ctx, work context.Context) error {
	// What was due while the meter could not be reached is made up for at once.
	now := k.now()
	if k.due.IsZero() {
		k.due = reader.Next(now, k.interval())
	}
	look, pulse := now.Add(k.keepalive()), now.Add(client.PulseEvery)
	turn := reader.Next(now, time.Minute) // schedules are in minutes
	for {
		select {
		case <-ctx.Done():
			return k.finish(work)
		case m := <-k.news:
			if err := k.change(work, m); err != nil {
				return err
			}
			look = k.now().Add(k.keepalive())
			continue
		case <-time.After(time.Until(earliest(k.due, look, turn, pulse))):
		}
		now := k.now()
		if !now.Before(turn) {
			turn = reader.Next(now, time.Minute)
			if err := k.takeTurns(work, now); err != nil {
				return err
			}
		}
		if !now.Before(k.due) {
			if err := k.collect(work, k.due); err != nil {
				return err
			}
		}
		if !now.Before(pulse) {
			if err := k.feelPulse(work); err != nil {
				return err
			}
			pulse = k.now().Add(client.PulseEvery)
		}
		if !now.Before(look) {
			if err := k.look(work); err != nil {
				return err
			}
			look = k.now().Add(k.keepalive())
		}
	}
}

func earliest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first
}

// keepalive is the present interval between looks at the meter.
func (k *keeper) keepalive() time.Duration {
	if k.state != (condition{}) {
		return min(k.meter.Keepalive, k.meter.FloodInterval)
	}
	return k.meter.Keepalive
}

// change makes the meter as a changed configuration wants it.
func (k *keeper) change(ctx context.Context, m *Meter) error {
	k.meter, k.control.meter = m, m
	k.control.feed, k.control.feedRefused = nil, false
	if err := k.control.settings(ctx); err != nil {
		return err
	}
	if err := k.apply(ctx); err != nil {
		return err
	}
	k.due = reader.Next(k.now(), k.interval())
	return nil
}

// collect makes the collection that was due at a time.
func (k *keeper) collect(ctx context.Context, at time.Time) error {
	if err := k.collectNow(ctx); err != nil {
		return err
	}
	k.well()
	now := k.now()
	k.log.Debug("collection made", "due", at, "late", now.Sub(at))
	if late := now.Sub(at); late > k.interval() {
		k.log.Warn("a collection ended when the next one was due already", "due", at, "late", late)
	}
	k.due = reader.Next(now, k.interval())
	return nil
}

// takeTurns changes the rulesets that tasks run to those of the time.
func (k *keeper) takeTurns(ctx context.Context, now time.Time) error {
	for i := range k.meter.Tasks {
		if len(k.meter.Tasks[i].Turns) > 0 {
			return k.control.run(ctx, now)
		}
	}
	return nil
}

// look sees whether the meter is well.
func (k *keeper) look(ctx context.Context) error {
	before := k.state
	now, err := k.control.watch(ctx, k.now())
	if err != nil {
		return err
	}
	k.state = now
	k.well()
	st := k.control.status
	switch entered := k.control.entered; {
	case now.flood && (!before.flood || entered > 0):
		k.log.Warn("the meter's flow table is flooded: it runs its built-in ruleset only", "flows", st.ActiveFlows, "of", st.MaxFlows, "times", entered)
	case entered > 0:
		k.log.Warn("the meter's flow table was flooded: it ran its built-in ruleset only", "flows", st.ActiveFlows, "of", st.MaxFlows, "times", entered)
	}
	k.control.entered = 0
	if now.standby && !before.standby {
		k.log.Warn("the meter runs a standby ruleset", "flows", st.ActiveFlows, "of", st.MaxFlows)
	}
	if now == (condition{}) && before != now {
		k.log.Info("the meter runs as it should again", "flows", st.ActiveFlows, "of", st.MaxFlows)
	}
	if now != before {
		k.due = reader.Next(k.now(), k.interval())
	}
	return nil
}

// finish makes the last collection, and removes what was put into the meter if
// that is asked for.
func (k *keeper) finish(ctx context.Context) error {
	if !k.remove.Load() {
		return k.collectNow(ctx)
	}
	// First nothing more is counted, so that the collection has all.
	if err := k.control.endTasks(ctx); err != nil {
		return err
	}
	k.control.retireAll()
	if err := k.collectNow(ctx); err != nil {
		return err
	}
	if err := k.control.removeRetired(ctx, true); err != nil {
		return err
	}
	if err := k.control.endFeed(ctx); err != nil {
		return err
	}
	return k.control.leaveBuiltIn(ctx)
}

// SNMPOf returns what a client's configuration says of how to reach a meter.
func SNMPOf(c *client.Config) SNMP {
	s := SNMP{
		Community: NewSecret(c.Community), User: c.User, Context: c.ContextName,
		AuthPassword: NewSecret(c.AuthPassphrase), PrivPassword: NewSecret(c.PrivPassphrase),
		Timeout: c.Timeout, Retries: max(c.Retries, 0),
	}
	if c.Version == client.V3 {
		s.AuthProtocol, s.PrivProtocol = c.Auth, c.Priv
	}
	return s
}

// config returns what a client needs to be told.
func (s *SNMP) config(address string) client.Config {
	cfg := client.Config{Address: address, Timeout: s.Timeout, Retries: s.Retries}
	if s.Retries == 0 {
		cfg.Retries = -1
	}
	if s.User == "" {
		cfg.Version, cfg.Community = client.V2c, s.Community.Reveal()
		return cfg
	}
	cfg.Version, cfg.User, cfg.ContextName = client.V3, s.User, s.Context
	cfg.Auth, cfg.AuthPassphrase = s.AuthProtocol, s.AuthPassword.Reveal()
	cfg.Priv, cfg.PrivPassphrase = s.PrivProtocol, s.PrivPassword.Reveal()
	return cfg
}
