package reader

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/mib/client"
	"rtfm/reader/flowfile"
	"rtfm/reader/spool"
	"rtfm/ruleset"
)

// Config says what a Collector is to its meter and how it writes.
type Config struct {
	// Header is what the flow data begins with. MaxFlows and Start are the
	// meter's, and are filled in.
	Header flowfile.Header
	// JSON, CSV, ISO and Statistics are those of flowfile.Options. CSV does not tell
	// where collections end: it is for an Output that is no file. Format is the
	// columns of the text; nil means those of the rulesets.
	JSON, CSV, ISO, Statistics bool
	Format                     *ruleset.Format
	// Sink, if set, returns what takes a collection instead of flow data. What it
	// writes to w is in the Output whole or not at all. It gets differences if JSON
	// or CSV is set.
	Sink func(w io.Writer) record.Sink
	// Watch, if set, sees each collection, too, once it is written.
	Watch Watch

	// Spool, if set, has each collection as a segment beside the Output: both have it, or
	// neither. A full one has no collection be made (ErrSpoolFull).
	Spool *spool.Spool

	// Passive keeps the Collector from writing anything into the meter. The
	// meter then may recover flows before they are read.
	Passive bool
	// Owner is what the Collector's rows in flowReaderInfoTable are known by;
	// no other reader may have it. The rows get indexes from FirstRow to
	// LastRow.
	Owner             string
	FirstRow, LastRow int
	// Timeout is after how many seconds without a collection the meter may
	// forget the reader, and recover flows that it has not read; 0 means
	// never. For a trace in step it has to be 0: these are seconds of the
	// trace.
	Timeout int
	// MaxFlows is how many flows a collection may have, of all rulesets
	// together; 0 means DefaultMaxFlows. It bounds what a meter can make the
	// Collector write, 4096 octets for each of them, and with JSON remember, 128
	// octets. A collection that is larger fails with ErrLimit.
	MaxFlows int
	// Once is set when only one collection is made: then nothing is remembered
	// for the next.
	Once bool

	// Warn is told what is unusual but keeps no collection from being made.
	Warn func(error)
}

// Watch sees collections as they are made.
type Watch interface {
	// Beside returns a sink that gives a collection to another one, and to the Watch.
	Beside(record.Sink) record.Sink
	// Written tells that the collection that came last is in the Output, of a meter whose
	// flow table has this size.
	Written(maxFlows uint64)
	// Differences reports whether it wants what flows count in each interval.
	Differences() bool
}

// RuleSet is a ruleset whose flows are collected.
type RuleSet struct {
	Index int // in the meter
	Rules *ruleset.RuleSet
	// Beside is set if text has no columns on its account.
	Beside bool
}

// Output is where collections are written.
type Output interface {
	// Append writes a collection; see File.Append.
	Append(write func(w io.Writer, fresh bool) error) error
	// Remember is called after each collection, before one that begins
	// something new, and just before the end of one is written: then State.Next
	// is set.
	Remember(*State) error
}

// Collector collects the flows of one meter.
type Collector struct {
	cfg    Config
	out    Output
	state  *State // nil before the first collection
	rows   rows
	deltas *record.Deltas
	beside *beside // nil without a spool
	// alone is the Uptime from which on new flows were read by nobody else who
	// wrote to this output.
	alone  uint64
	known  *State // found at the beginning, nil after the first collection
	header string // the columns of the last header, empty if a new one is due
	// differs is set if the present collection tells what flows counted in its interval.
	differs bool
	sets    map[*ruleset.RuleSet]record.RuleSet // what rows tell of them
	warned  bool                                // that the meter has room for more flows than a collection may have
	ended   bool                                // the trace's last interval was collected
	idle    bool                                // the last Step found nothing that was not collected
	sleep   func(context.Context, time.Duration) error
}

// New returns a Collector that writes to out. known is what was known of the
// collections that are there, nil if nothing.
func New(cfg Config, out Output, known *State) *Collector {
	if cfg.Warn == nil {
		cfg.Warn = func(error) {}
	}
	k := &Collector{cfg: cfg, out: out, state: known, known: known, sleep: sleep}
	k.deltas = k.newDeltas()
	if cfg.Spool != nil {
		k.beside = &beside{spool: cfg.Spool, header: cfg.Header}
	}
	if known != nil {
		k.alone = math.MaxUint64
	}
	return k
}

// Result is what a collection has found.
type Result struct {
	// Status is the meter's state when the collection began.
	Status *client.Status
	// Restarted tells that the meter was started since the last collection.
	Restarted bool
	// Flows is the number of flow records, From and To the Uptimes in
	// centiseconds between which the flows were active.
	Flows, From, To uint64
	// Summary is of what was written, nil if nothing was.
	Summary *record.Summary
}

// interval is what one collection is to read.
type interval struct {
	status    *client.Status
	to        uint64         // the Uptime at which it ends
	at        int64          // the same in nanoseconds since 1970, 0 if no more is known
	collected map[int]uint64 // those at which the next one begins, by ruleset
	restarted bool           // the meter was, since the last one
	number    uint64         // of a trace's interval, from 1
	skipped   int            // empty collections that were passed over
}

// Collect makes a collection: it reads the flows of these rulesets that were
// active since the last one that succeeded, and writes them out. If there is
// an error, nothing was written and nothing is lost. Nothing is written either
// of a meter whose time has not begun.
func (k *Collector) Collect(ctx context.Context, c *client.Client, sets []RuleSet) (*Result, error) {
	if err := k.beside.room(); err != nil {
		return nil, err
	}
	st, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	if !st.Begun() {
		if !k.cfg.Passive {
			err = k.Register(ctx, c, sets)
		}
		return &Result{Status: st}, err
	}
	in := &interval{status: st, collected: make(map[int]uint64)}
	ticks := st.Uptime
	if !st.Extension {
		ticks = st.SysUpTime
	}
	begun := make(map[int]uint32)
	if !k.cfg.Passive {
		for i, s := range sets {
			row, pending, err := k.begin(ctx, c, st, s.Index)
			if err != nil {
				return nil, err
			}
			if !pending || !st.Extension {
				begun[s.Index] = uint32(row.LastTime)
				if i == 0 {
					ticks = uint32(row.LastTime)
				}
			}
		}
	}
	if err := k.clock(in, ticks); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Address(), err)
	}
	for _, s := range sets {
		in.collected[s.Index] = in.to
		if last, ok := begun[s.Index]; ok {
			in.collected[s.Index] = in.to + uint64(max(0, int32(last-uint32(in.to))))
		}
	}
	return k.write(ctx, c, in, sets)
}

// clock works out the Uptime in 64 bits at which the collection ends, given
// its lower 32, and whether the meter was started again.
func (k *Collector) clock(in *interval, ticks uint32) error {
	in.restarted = k.restarted(in.status)
	st := in.status
	switch {
	case st.Extension && st.Now > 0:
		now := match.Uptime(st.Now, st.Start)
		in.to = uint64(max(0, int64(now)+int64(int32(ticks-uint32(now)))))
	case !in.restarted && int32(ticks-uint32(k.state.To)) >= 0:
		in.to = k.state.To + uint64(ticks-uint32(k.state.To))
	case !in.restarted && st.Extension:
		return wentBack(k.state.To, uint64(ticks))
	default:
		in.restarted = true
		in.to = firstUptime(st, ticks, time.Now())
	}
	return k.forward(in)
}

// forward makes sure that the collection does not end before the last one.
func (k *Collector) forward(in *interval) error {
	if !in.restarted && in.to < k.state.To {
		return wentBack(k.state.To, in.to)
	}
	return nil
}

func wentBack(from, to uint64) error {
	return fmt.Errorf("%w: the meter's Uptime went back from %d to %d centiseconds", client.ErrNonsense, from, to)
}

// restarted reports whether no collection was made of the meter's present run. Of
// meters without the extension clock knows more.
func (k *Collector) restarted(st *client.Status) bool {
	return k.state == nil || k.state.To == 0 || k.state.Boot != boot(st)
}

// boot returns the meter's boot identifier as a State has it.
func boot(st *client.Status) string {
	if !st.Extension {
		return ""
	}
	return hex.EncodeToString(st.Boot[:])
}

// firstUptime returns the Uptime whose lower 32 bits are known, of a meter
// that is seen for the first time and tells no more: the one that is right by the time now, or
// if none is, because the meter's time is another, the number itself.
func firstUptime(st *client.Status, ticks uint32, now time.Time) uint64 {
	if !st.Extension {
		return uint64(ticks)
	}
	const near = 3600 * 100 // how far clocks may differ
	up := match.Uptime(now.UnixNano(), st.Start)
	if d := int32(ticks - uint32(up)); -near < d && d < near && int64(up)+int64(d) >= 0 {
		return uint64(int64(up) + int64(d))
	}
	return uint64(ticks)
}

// states returns what is to be remembered before and after the collection.
func (k *Collector) states(in *interval, counts record.Counts, sets []RuleSet) (before, next *State) {
	epoch := in.status.Start
	switch {
	case in.status.Extension:
	case in.restarted:
		epoch = time.Now().UnixNano() - int64(in.to)*match.Centisecond
	default:
		epoch = k.state.Epoch
	}
	before = &State{Boot: boot(in.status), Epoch: epoch, Collected: make(map[int]uint64)}
	if in.at == 0 {
		in.at = epoch + int64(in.to)*match.Centisecond
	}
	next = &State{Boot: before.Boot, Epoch: epoch, To: in.to, ToNs: in.at, Collected: in.collected, Counts: counts, Intervals: in.number}
	if !in.restarted {
		before.To, before.ToNs, before.Counts, before.Intervals = k.state.To, k.state.ToNs, k.state.Counts, k.state.Intervals
	}
	for _, s := range sets {
		before.Collected[s.Index] = 0
		if !in.restarted {
			before.Collected[s.Index] = k.state.Collected[s.Index]
		}
	}
	return before, next
}

// write reads the flows and writes the collection.
func (k *Collector) write(ctx context.Context, c *client.Client, in *interval, sets []RuleSet) (*Result, error) {
	counts, levels, err := k.counts(ctx, c, in.status, sets)
	if err != nil {
		return nil, err
	}
	before, next := k.states(in, counts, sets)
	result := &Result{Status: in.status, From: before.To, To: in.to}
	// A first collection that was begun only tells of the same run.
	result.Restarted = in.restarted && k.state != nil && (k.state.To != 0 || k.state.Boot != before.Boot)
	if in.restarted || !maps.Equal(before.Collected, k.state.Collected) {
		// What is found after this in the file is to be known for what it is.
		if err := k.out.Remember(before); err != nil {
			return nil, fmt.Errorf("remembering what is collected: %w", err)
		}
	}
	k.differs = k.asRows() || flowfile.Differs(k.columns(sets)) || k.cfg.Watch != nil && k.cfg.Watch.Differences()
	k.remind(in.restarted)
	k.state = before
	k.warnOfLimit(c, in.status)
	from := &reading{
		Collector: k, ctx: ctx, client: c, in: in, sets: sets, before: before, next: next, levels: levels,
		alone: min(k.alone, in.to), read: k.deltas.Readings(),
	}
	var sum *record.Summary
	err = k.out.Append(func(w io.Writer, fresh bool) (err error) {
		most := fileOctets * int64(k.maxFlows())
		to := k.sink(&limited{w, most, most}, fresh, in, sets)
		if k.cfg.Watch != nil {
			to = k.cfg.Watch.Beside(to)
		}
		sum, err = record.Copy(to, from)
		return err
	})
	if err != nil {
		k.header = ""
		return nil, err
	}
	if k.beside != nil {
		k.beside.ready, k.beside.postponed = true, 0
	}
	result.Flows, result.Summary = sum.Flows, sum
	if k.cfg.Watch != nil {
		k.cfg.Watch.Written(uint64(in.status.MaxFlows))
	}
	// Who comes late to a trace has not seen the flows that are gone.
	k.tell(sum, in.number > 0 && (!in.restarted || in.number == 1))
	k.state, k.alone = next, from.alone
	if !k.deltas.KeepAll(&from.read) {
		k.alone = in.to // flows that began before may have been read and forgotten
		k.cfg.Warn(fmt.Errorf("%s: there are more flows, or larger ones, than can be remembered: what some of them count until the next collection is not known; max-flows allows more", c.Address()))
	}
	if err := k.out.Remember(next); err != nil {
		k.cfg.Warn(fmt.Errorf("the collection is written, but not what is to be remembered of it: %w", err))
	}
	if err := k.beside.seal(); err != nil {
		k.cfg.Warn(fmt.Errorf("the collection is written, but not exported yet: %w", err))
	}
	return result, nil
}

// remind sets what is known of the flows' counters: nothing of a meter that was
// restarted, what the file tells at the beginning.
func (k *Collector) remind(restarted bool) {
	if restarted {
		k.header = ""
		k.deltas, k.alone = k.newDeltas(), 0
	} else {
		k.recall()
	}
	k.known = nil
}

// newDeltas returns memory of what flows had counted, with a bound.
func (k *Collector) newDeltas() *record.Deltas {
	return record.NewDeltas(int(min(memoryOctets*int64(k.maxFlows()), math.MaxInt)))
}

// sink returns what takes a collection and goes on after those there are.
func (k *Collector) sink(w io.Writer, fresh bool, in *interval, sets []RuleSet) record.Sink {
	if k.cfg.Sink != nil {
		return k.cfg.Sink(w)
	}
	format := k.columns(sets)
	h := k.cfg.Header
	h.MaxFlows = in.status.MaxFlows
	opts := flowfile.Options{
		JSON: k.cfg.JSON, CSV: k.cfg.CSV, ISO: k.cfg.ISO, Statistics: k.cfg.Statistics,
		Append: !fresh && format.String() == k.header,
	}
	k.header = format.String()
	to := flowfile.NewSink(w, h, format, opts)
	if k.beside != nil {
		k.beside.header = h
		return k.beside.with(to)
	}
	return to
}

// asRows reports whether flows are written as rows, with all that is known of them.
func (k *Collector) asRows() bool { return k.cfg.JSON || k.cfg.CSV || k.beside != nil }

// columns returns the columns of the text, or of CSV.
func (k *Collector) columns(sets []RuleSet) *ruleset.Format {
	if k.cfg.Format != nil && !k.cfg.CSV {
		return k.cfg.Format
	}
	var rules []*ruleset.RuleSet
	for _, s := range sets {
		if !s.Beside || k.cfg.CSV {
			rules = append(rules, s.Rules)
		}
	}
	if k.cfg.CSV {
		return flowfile.TableFor(rules...)
	}
	return flowfile.FormatFor(rules...)
}
