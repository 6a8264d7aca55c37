package control

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"rtfm/meter"
	"rtfm/meter/flow"
	"rtfm/meter/series"
	"rtfm/mib"
	"rtfm/ruleset"
	"rtfm/traces"
)

// Config is the configuration of a controlled meter. Everything else
// comes from its managers.
type Config struct {
	// Config is that of the engine, but for RuleSets and InactivityTimeout, which
	// managers set. Interval, if it is not 0, meters a trace in step with its
	// manager: the meter waits for a ruleset to run before it begins, and at the
	// end of each interval until it is told to go on.
	meter.Config
	// Live makes Uptime count from the call of Run by the machine's clock, or the
	// source's if it is a Clock. Else it counts from the first packet by the packets'
	// times.
	Live bool
	// Version is the version that the meter reports.
	Version string
	// Notify, if it is not nil, is called for events. It is called while the meter
	// stands still, so it must return at once and not call Do.
	Notify func(mib.Notification)
	// Prepared, if it is not nil, is told of each ruleset that is to become active,
	// with its number: what is odd about it (ruleset.RuleSet.Warnings), or why it
	// cannot. It is called by those who control the meter, while packets are metered.
	Prepared func(rs *ruleset.RuleSet, warnings []string, err error)
	// Feed says how feeds are opened.
	Feed FeedConfig
}

// Meter is a meter that is controlled and read by others while it runs.
// It implements mib.Meter.
//
// One at a time holds it: the goroutine that meters while it handles a batch of
// packets, or a function run by Do. They take turns in the order in which they
// came.
type Meter struct {
	cfg     Config
	meter   *meter.Meter
	hold    chan struct{} // has an element while nobody has hold of the meter
	wake    chan struct{} // tells Run that what it waits for may have happened
	control *mib.Control
	boot    [8]byte

	slots      [ruleset.MaxRuleSets + 1]*slot // by the number that flows bear
	numbers    [ruleset.MaxRuleSets + 1]uint8 // by index, of the slot that the ruleset has
	indexes    [ruleset.MaxRuleSets + 1]uint8 // by number, of the ruleset that had it last
	managed    bool                           // a manager has started a task
	tasks      []*meter.Task                  // that run
	doomed     int                            // slots that are being emptied
	state      mib.TraceState
	trace      meter.Collection // the latest
	ended      uint64           // collections made
	dismissed  bool             // a manager has seen the end of the trace
	running    bool             // Run meters
	ending     bool             // Run has counted its last packet
	feeds      feeds
	interfaces interfaces
	series     *series.Ring // nil without a series
	told       told
	source     traces.Stats // when the latest batch was read
	wall       func() int64 // the time of a live meter
	spent      int          // operations since somebody took hold of the meter
	// watch, unless it is nil, is called when somebody has taken hold of the meter,
	// and before it is let go of.
	watch func(held bool)
}

// New returns a meter that has seen nothing yet.
func New(cfg Config) *Meter {
	c := &Meter{
		cfg: cfg, hold: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		control: mib.NewControl(), state: mib.TraceNone,
		wall: func() int64 { return time.Now().UnixNano() },
	}
	if cfg.Series.Interval > 0 {
		c.series = new(series.Ring)
		c.cfg.Series.Take = c.takeSeries(cfg.Series.Take)
	}
	if cfg.Feed.First != (mib.Feed{}) {
		c.control.Feed = cfg.Feed.First
	}
	c.meter = meter.NewAttended(c.cfg.Config, attendant{c})
	rand.Read(c.boot[:])
	c.interfaces.init(&c.control.Interfaces)
	if !cfg.Live {
		c.interfaces.at(1) // so that a rate can be set before the first packet
	}
	if cfg.Interval > 0 {
		c.state = mib.TraceWaitingForRuleSet
	}
	c.Changed()
	c.release()
	return c
}

// mostSpent is how many operations a Do may take before it lets go of the meter,
// and clearSpent how many it is to destroy a block of flows, or to recover one.
// What is done between two calls of Spend may be as much again; BenchmarkHold shows
// for how long the meter then stands still. To let go costs whoever reads some
// microseconds when the meter is busy, since packets are metered in between.
const (
	mostSpent  = 1 << 13
	clearSpent = 1 << 13
)

func (c *Meter) release() {
	if c.watch != nil {
		c.watch(false)
	}
	c.hold <- struct{}{}
}

// acquireTries is how often acquire looks before it goes to sleep: a few
// microseconds long, in which most readers are done. To be woken would cost
// whoever meters more (BenchmarkReadingCost).
const acquireTries = 1000

func (c *Meter) acquire() {
	c.take()
	if c.spent = 0; c.watch != nil {
		c.watch(true)
	}
}

func (c *Meter) take() {
	for range acquireTries {
		select {
		case <-c.hold:
			return
		default:
		}
	}
	<-c.hold
}

// Spend implements mib.Meter.
func (c *Meter) Spend(operations int) bool {
	c.spent += operations + c.meter.Table().Passed()/rowsPassed
	if c.spent < mostSpent {
		return false
	}
	c.letGo()
	return true
}

// letGo lets those have the meter who wait for it, and comes back.
func (c *Meter) letGo() {
	c.release()
	c.acquire()
}

// Operations of what NextFlow and Scan do.
const (
	rowsPassed   = 4 // rows that are one operation to pass
	flowSpent    = 1 // to read a flow
	idSpent      = 4 // to look for a FlowID among the flows of a ruleset, or to make a Community ID
	counterSpent = 8 // counters of a flow's distributions that are one
)

// Do implements mib.Meter. It waits for one batch of packets and for earlier
// calls, at most.
func (c *Meter) Do(f func()) {
	c.acquire()
	defer c.release()
	f()
}

// Clock is a Source that knows the time by the clock that stamps its packets:
// nanoseconds since 1970-01-01 00:00:00 UTC. It must be safe for concurrent
// use.
type Clock interface{ Now() int64 }

// Run meters all packets of src. At the end of src it keeps the flows until a
// manager says that they were read, and returns. When ctx is done it waits for
// nobody; src must end then, and all packets that it has given by that time are
// metered. Damage is called with faults of src, see meter.Sink.
func (c *Meter) Run(ctx context.Context, src traces.Source, damage func(error)) error {
	c.acquire()
	defer c.release()
	c.notify(mib.Notification{Kind: mib.MeterStarted, Identity: c.Identity()})
	if c.cfg.Live {
		if clock, ok := src.(Clock); ok {
			c.wall = clock.Now
		}
		c.meter.StartClock(c.wall())
		defer c.tick(ctx)()
	}
	c.running = true
	c.settleFeed()
	if c.state == mib.TraceWaitingForRuleSet {
		c.wait(ctx, func() bool { return len(c.tasks) > 0 })
		c.state = mib.TraceReading
	}
	err := c.meter.Run(context.WithoutCancel(ctx), &heldSource{src, c}, &sink{c, ctx, damage})
	if lost := c.endFeeds(); !c.cfg.Live {
		err = errors.Join(err, lost)
	}
	c.wait(ctx, func() bool { return c.dismissed })
	c.ending = true
	return err
}

// tick keeps the meter's clock going where no packets come. It returns what
// ends that.
func (c *Meter) tick(ctx context.Context) context.CancelFunc {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		t := time.NewTicker(meter.RecoverEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				c.upkeepInParts()
			case <-ctx.Done():
				return
			}
		}
	}()
	return stop
}

// upkeepInParts does what is due without packets, a part at a time.
func (c *Meter) upkeepInParts() {
	for more := true; more; {
		c.Do(func() {
			if c.doomed > 0 {
				c.empty()
			}
			more = c.doomed > 0
		})
	}
	c.Do(func() {
		if c.feeds.leaving {
			c.turnFeed()
		}
	})
	for more := true; more; {
		c.Do(func() { more = c.meter.EndStreams(c.Now()) })
	}
	parts := 0
	c.Do(func() { parts = c.meter.RecoveryDue(c.Now()) })
	for ; parts > 0; parts-- {
		c.Do(c.meter.Recover)
	}
}

// wait lets go of the meter until done says so, or ctx is.
func (c *Meter) wait(ctx context.Context, done func() bool) {
	c.interfaces.countTo(c.meter.Metered())
	for !done() && ctx.Err() == nil {
		c.release()
		select {
		case <-c.wake:
		case <-ctx.Done():
		}
		c.acquire()
	}
}

// rouse makes wait look again.
func (c *Meter) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// heldSource lets others have the meter while a batch is read.
type heldSource struct {
	traces.Source
	c *Meter
}

// ReadBatch implements traces.Source.
func (s *heldSource) ReadBatch(b *traces.Batch) error {
	s.c.interfaces.countTo(s.c.meter.Metered())
	s.c.roomForFeed()
	s.c.release()
	err := s.Source.ReadBatch(b)
	st := s.Source.Stats()
	s.c.acquire()
	s.c.source = st
	s.c.interfaces.note(st.PerInterface)
	if err == nil {
		s.c.interfaces.admit(b)
	}
	if s.c.doomed > 0 {
		s.c.empty()
	}
	if s.c.feeds.leaving {
		s.c.turnFeed()
	}
	return err
}

// attendant is what the engine calls.
type attendant struct{ c *Meter }

// Filled implements meter.Attendant.
func (a attendant) Filled() { a.c.filled() }

// Upkeep implements meter.Attendant.
func (a attendant) Upkeep(limits *flow.Limits) { a.c.upkeep(limits) }

// Yield implements meter.Attendant.
func (a attendant) Yield() {
	a.c.interfaces.countTo(a.c.meter.Metered())
	a.c.letGo()
}

// sink is the meter.Sink of a controlled meter.
type sink struct {
	c      *Meter
	ctx    context.Context
	damage func(error)
}

// Collect implements meter.Sink: it waits until the manager says that the interval's
// flows were read.
func (s *sink) Collect(col meter.Collection) error {
	c := s.c
	c.trace = col
	if col.Last {
		c.state = mib.TraceEnded
		return nil
	}
	c.ended++
	c.state = mib.TraceWaitingForReader
	c.wait(s.ctx, func() bool { return c.state != mib.TraceWaitingForReader })
	c.state = mib.TraceReading
	return nil
}

// Damage implements meter.Sink.
func (s *sink) Damage(err error) { s.damage(err) }

// BackInTime implements meter.Sink. The packets are counted.
func (s *sink) BackInTime(string, int64, int64) {}

func (c *Meter) notify(n mib.Notification) {
	if c.cfg.Notify != nil {
		c.cfg.Notify(n)
	}
}
