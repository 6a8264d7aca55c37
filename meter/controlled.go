package meter

import (
	"context"
	"crypto/rand"
	"math"
	"runtime/metrics"
	"time"

	"rtfm/ruleset/match"

	"rtfm/meter/flow"
	"rtfm/meter/stream"
	"rtfm/mib"
	"rtfm/ruleset"
	"rtfm/traces"
)

// ControlConfig is the configuration of a controlled meter. Everything else
// comes from its managers.
type ControlConfig struct {
	// MaxFlows is the size of the flow table.
	MaxFlows int
	// IPOctets counts the octets of IP datagrams instead of those of frames.
	IPOctets bool
	// Live makes Uptime count from the call of Run by the machine's clock, or the
	// source's if it is a Clock. Else it counts from the first packet by the packets'
	// times.
	Live bool
	// Interval, if it is not 0, meters a trace in step with its manager: the
	// meter waits for a ruleset to run before it begins, and at the end of
	// each interval until it is told to go on.
	Interval time.Duration
	// Intervals is the number of intervals after which metering ends; 0 means
	// with the source.
	Intervals int
	// Streams limits what is kept for distributions of streams.
	Streams stream.Config
	// Version is the version that the meter reports.
	Version string
	// Notify, if it is not nil, is called for events. It is called while the meter
	// stands still, so it must return at once and not call Do.
	Notify func(mib.Notification)
	// Prepared, if it is not nil, is told of each ruleset that is to become active,
	// with its number: what is odd about it (ruleset.RuleSet.Warnings), or why it
	// cannot. It is called by those who control the meter, while packets are metered.
	Prepared func(rs *ruleset.RuleSet, warnings []string, err error)
}

// Controlled is a meter that is controlled and read by others while it runs.
// It implements mib.Meter.
//
// One at a time holds it: the goroutine that meters while it handles a batch of
// packets, or a function run by Do. They take turns in the order in which they
// came.
type Controlled struct {
	cfg     ControlConfig
	meter   *Meter
	hold    chan struct{} // has an element while nobody has hold of the meter
	wake    chan struct{} // tells Run that what it waits for may have happened
	control *mib.Control
	boot    [8]byte

	slots     [ruleset.MaxRuleSets + 1]*slot // by the number that flows bear
	numbers   [ruleset.MaxRuleSets + 1]uint8 // by index, of the slot that the ruleset has
	managed   bool                           // a manager has started a task
	doomed    int                            // slots that are being emptied
	state     mib.TraceState
	trace     Collection // the latest
	ended     uint64     // collections made
	dismissed bool       // a manager has seen the end of the trace
	ending    bool       // Run has counted its last packet
	ports     ports
	told      told
	source    traces.Stats // when the latest batch was read
	wall      func() int64 // the time of a live meter
	spent     int          // operations since somebody took hold of the meter
	// watch, unless it is nil, is called when somebody has taken hold of the meter,
	// and before it is let go of.
	watch func(held bool)
}

// NewControlled returns a meter that has seen nothing yet.
func NewControlled(cfg ControlConfig) *Controlled {
	c := &Controlled{
		cfg: cfg, hold: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		control: mib.NewControl(), state: mib.TraceNone,
		wall: func() int64 { return time.Now().UnixNano() },
		meter: &Meter{
			cfg:   Config{MaxFlows: cfg.MaxFlows, IPOctets: cfg.IPOctets, Interval: cfg.Interval, Intervals: cfg.Intervals, Streams: cfg.Streams},
			table: flow.New(cfg.MaxFlows), alarm: math.MaxInt,
		},
	}
	c.meter.control = c
	rand.Read(c.boot[:])
	c.ports.init(&c.control.Interfaces)
	if !cfg.Live {
		c.ports.port(1) // so that a rate can be set before the first packet
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

func (c *Controlled) release() {
	if c.watch != nil {
		c.watch(false)
	}
	c.hold <- struct{}{}
}

// acquireTries is how often acquire looks before it goes to sleep: a few
// microseconds long, in which most readers are done. To be woken would cost
// whoever meters more (BenchmarkReadingCost).
const acquireTries = 1000

func (c *Controlled) acquire() {
	c.take()
	if c.spent = 0; c.watch != nil {
		c.watch(true)
	}
}

func (c *Controlled) take() {
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
func (c *Controlled) Spend(operations int) bool {
	c.spent += operations + c.meter.table.Passed()/rowsPassed
	if c.spent < mostSpent {
		return false
	}
	c.letGo()
	return true
}

// letGo lets those have the meter who wait for it, and comes back.
func (c *Controlled) letGo() {
	c.release()
	c.acquire()
}

// Operations of what NextFlow and Scan do.
const (
	rowsPassed   = 4 // rows that are one operation to pass
	flowSpent    = 1 // to read a flow
	counterSpent = 8 // counters of a flow's distributions that are one
)

// Do implements mib.Meter. It waits for one batch of packets and for earlier
// calls, at most.
func (c *Controlled) Do(f func()) {
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
// metered. Damage is called with faults of src, see Sink.
func (c *Controlled) Run(ctx context.Context, src traces.Source, damage func(error)) error {
	c.acquire()
	defer c.release()
	c.notify(mib.Notification{Kind: mib.MeterStarted, Identity: c.Identity()})
	if c.cfg.Live {
		if clock, ok := src.(Clock); ok {
			c.wall = clock.Now
		}
		now := c.wall()
		c.meter.clock = clock{started: true, start: now, now: now}
		c.meter.next = collection{from: math.MinInt64, end: math.MaxInt64}
		defer c.tick(ctx)()
	}
	if c.state == mib.TraceWaitingForRuleSet {
		c.wait(ctx, func() bool { return len(c.meter.tasks) > 0 })
		c.state = mib.TraceReading
	}
	err := c.meter.Run(context.WithoutCancel(ctx), &heldSource{src, c}, &controlSink{c, ctx, damage})
	c.wait(ctx, func() bool { return c.dismissed })
	c.ending = true
	return err
}

// tick keeps the meter's clock going where no packets come. It returns what
// ends that.
func (c *Controlled) tick(ctx context.Context) context.CancelFunc {
	ctx, stop := context.WithCancel(ctx)
	go func() {
		t := time.NewTicker(recoverEvery)
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
func (c *Controlled) upkeepInParts() {
	for more := true; more; {
		c.Do(func() {
			if c.doomed > 0 {
				c.empty()
			}
			more = c.doomed > 0
		})
	}
	for more := true; more; {
		c.Do(func() { more = c.meter.streams != nil && c.meter.streams.AdvanceSome(c.Now(), partStreams) })
	}
	parts := 0
	c.Do(func() {
		if c.Now() >= c.meter.clock.recoverAt {
			parts = c.meter.recoverParts()
		}
	})
	for ; parts > 0; parts-- {
		c.Do(c.meter.recover)
	}
}

// wait lets go of the meter until done says so, or ctx is.
func (c *Controlled) wait(ctx context.Context, done func() bool) {
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
func (c *Controlled) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// heldSource lets others have the meter while a batch is read.
type heldSource struct {
	traces.Source
	c *Controlled
}

// ReadBatch implements traces.Source.
func (s *heldSource) ReadBatch(b *traces.Batch) error {
	s.c.meter.batch = nil // a task that starts meanwhile has nothing to see
	s.c.release()
	err := s.Source.ReadBatch(b)
	st := s.Source.Stats()
	s.c.acquire()
	s.c.source = st
	s.c.ports.note(st.PerInterface)
	if err == nil {
		s.c.ports.admit(b)
	}
	if s.c.doomed > 0 {
		s.c.empty()
	}
	return err
}

// controlSink is the Sink of a controlled meter.
type controlSink struct {
	c      *Controlled
	ctx    context.Context
	damage func(error)
}

// Collect implements Sink: it waits until the manager says that the interval's
// flows were read.
func (s *controlSink) Collect(col Collection) error {
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

// Damage implements Sink.
func (s *controlSink) Damage(err error) { s.damage(err) }

// BackInTime implements Sink. The packets are counted.
func (s *controlSink) BackInTime(string, int64, int64) {}

func (c *Controlled) notify(n mib.Notification) {
	if c.cfg.Notify != nil {
		c.cfg.Notify(n)
	}
}

// The methods below implement mib.Meter.

// Control implements mib.Meter.
func (c *Controlled) Control() *mib.Control { return c.control }

// Start implements mib.Meter.
func (c *Controlled) Start() int64 { return c.meter.clock.start }

// Now implements mib.Meter. The clock of a live meter never goes back to before
// a time that was reported: packets that were captured before but not yet
// metered count at that time, so that no reading misses them.
func (c *Controlled) Now() int64 {
	clock := &c.meter.clock
	switch {
	case c.cfg.Live && clock.started:
		clock.now = max(clock.now, c.wall())
	case c.state == mib.TraceWaitingForReader, c.state == mib.TraceEnded:
		return c.trace.To
	}
	return clock.now
}

// Ending implements mib.Meter.
func (c *Controlled) Ending() bool { return c.ending }

// NextFlow implements mib.Meter.
func (c *Controlled) NextFlow(index int, row uint32, since int64, f *match.Flow) int {
	number := 0
	if index != 0 {
		if number = c.number(index); number == 0 || c.meter.table.ActiveOf(number) == 0 {
			return 0
		}
	}
	t := c.meter.table
	if row = t.NextOf(number, row, since); row == 0 {
		return 0
	}
	c.meter.read(row, c.Now, f)
	c.spent += flowSpent
	for _, counters := range f.Counters {
		c.spent += len(counters) / counterSpent
	}
	return c.slots[t.Owner(row)].index
}

// Scan implements mib.Meter.
func (c *Controlled) Scan(index int, row uint32, since int64, f *match.Flow, yield func() bool) {
	number := c.number(index)
	switch {
	case number == 0:
	case c.meter.streams == nil:
		c.meter.table.Scan(number, row, since, f, yield)
	default:
		for c.NextFlow(index, row, since, f) != 0 && yield() {
			row = f.Index + 1
		}
	}
}

// Expect implements mib.Meter.
func (c *Controlled) Expect(rows []uint32) { c.meter.table.Expect(rows) }

// Flows implements mib.Meter.
func (c *Controlled) Flows(index int) int {
	if index != 0 {
		return c.meter.table.ActiveOf(c.number(index))
	}
	n := c.meter.table.Active()
	for number, s := range c.slots {
		if s != nil && s.doomed {
			n -= c.meter.table.ActiveOf(number)
		}
	}
	return n
}

// MaxFlows implements mib.Meter.
func (c *Controlled) MaxFlows() int { return c.meter.table.Max() }

// Identity implements mib.Meter.
func (c *Controlled) Identity() mib.Identity {
	return mib.Identity{Version: c.cfg.Version, Boot: c.boot}
}

// Counts implements mib.Meter.
func (c *Controlled) Counts() mib.Counts {
	s := &c.meter.stats
	counts := mib.Counts{
		Packets: s.Packets, Octets: s.Octets, CutShort: s.CutHeaders, Malformed: s.Malformed,
		BackInTime: s.BackInTime, Lost: c.source.Lost, Duplicates: c.source.Duplicates, SampledOut: c.ports.sampledOut,
		Outliers: s.Outliers, Clamped: c.source.Clamped,
		Memory: processMemory(),
		Floods: c.told.floods, FlowsCreated: c.meter.table.Created(), FlowsRecovered: c.meter.table.Recovered(),
	}
	if c.meter.streams != nil {
		st := c.meter.streams.Stats()
		counts.StreamsActive, counts.StreamsCreated, counts.StreamsEnded = uint64(st.Active), st.Created, st.Ended()
		counts.Unstreamed = st.Unstreamed
	}
	for _, n := range s.UnknownLinks {
		counts.UnknownLink += n
	}
	return counts
}

// processMemory returns what the process has from the operating system, in octets.
func processMemory() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// RuleSetCounts implements mib.Meter.
func (c *Controlled) RuleSetCounts(index int) mib.RuleSetCounts {
	s := c.slots[c.number(index)]
	if s == nil {
		return mib.RuleSetCounts{}
	}
	sum := s.past
	if s.task != nil {
		sum.add(c.meter.taskStats(s.task))
	}
	return mib.RuleSetCounts{
		Packets: sum.Packets, Matched: sum.Counted, Ignored: sum.Ignored, Unmatched: sum.Unmatched,
		Stopped: sum.Stopped, Uncounted: sum.Uncounted,
	}
}

// Trace implements mib.Meter.
func (c *Controlled) Trace() mib.Trace {
	collected := c.ended
	switch {
	case c.state == mib.TraceWaitingForReader:
		collected--
	case c.dismissed:
		collected++
	}
	return mib.Trace{
		State: c.state, Collections: c.ended, Collected: collected,
		From: max(c.trace.From, c.trace.Start), To: c.trace.To, PassedOver: c.trace.PassedOver,
	}
}
