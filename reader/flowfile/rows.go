package flowfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// An event is what a line of rows tells.
type event uint8

const (
	eventNone event = iota
	eventHeader
	eventStart
	eventFlow
	eventEnd
	eventSkipped
)

// rowSource gives what stands in JSON lines or CSV, line by line.
type rowSource interface {
	// next reads a line. Of a flow it sets the builder, which makes it.
	next() (event, error)
	// line is the number of the line last read.
	line() int
	// told returns what the last header, start, end or skipped record tells.
	told() *jsonRecord
	builder() *builder
}

// rows makes collections of a rowSource: of start and end records, and, where there
// are none, of rows that follow each other and tell of the same interval.
type rows struct {
	src     rowSource
	pending event // read, and not yet dealt with
	head    *Head
	headed  bool  // head is that of a header
	epoch   int64 // of the last header
	skipped int
	raw     []byte   // of the identity below
	id      identity // of the row before
	b       *builder
	ahead   ahead
}

// next returns the next event.
func (r *rows) next() (event, error) {
	if e := r.pending; e != eventNone {
		r.pending = eventNone
		return e, nil
	}
	e, err := r.src.next()
	if err == nil && e == eventFlow {
		if err = r.identify(r.b.raw); err != nil {
			return e, r.fault(err)
		}
	}
	return e, err
}

// identify reads the identity of a row.
func (r *rows) identify(raw []byte) error {
	if string(raw) == string(r.raw) {
		return nil
	}
	id, err := parseIdentity(raw)
	if err != nil {
		return err
	}
	r.id, r.raw = id, append(r.raw[:0], raw...)
	return nil
}

// fault says in which line something is wrong.
func (r *rows) fault(err error) error {
	return &SyntaxError{r.src.line(), err.Error()}
}

// Next returns the next collection.
func (r *rows) Next() (record.From, error) {
	for {
		e, err := r.next()
		if err != nil {
			return nil, err
		}
		switch e {
		case eventHeader:
			if r.head, r.epoch, err = r.src.told().head(); err != nil {
				return nil, r.fault(err)
			}
			r.headed = true
		case eventSkipped:
			r.skipped += max(r.src.told().Collections, 0)
		case eventStart:
			return r.started()
		case eventFlow:
			r.pending = e
			return r.begun()
		case eventEnd:
			return nil, r.fault(errors.New("an end of a collection that has not begun"))
		}
	}
}

// started returns the collection that a start record begins.
func (r *rows) started() (record.From, error) {
	if !r.headed {
		return nil, r.fault(errors.New("a collection before the header, which tells when the meter began"))
	}
	s := r.src.told()
	f := &fromRows{rows: r, explicit: true, c: record.Collection{
		Meter: s.Meter, Boot: s.Boot, Epoch: r.epoch, From: s.StartNs, To: s.EndNs,
		First: s.From <= 1 && s.StartNs <= r.epoch, Skipped: r.skipped, Postponed: max(s.Postponed, 0), Clock: s.ClockNs,
	}}
	if s.EndNs < s.StartNs {
		return nil, r.fault(fmt.Errorf("the interval ends, at %d, before it begins, at %d", s.EndNs, s.StartNs))
	}
	r.skipped, r.b.epoch = 0, r.epoch
	// The first flow tells what is known of all.
	e, err := r.next()
	if err != nil && err != io.EOF {
		return nil, err
	}
	if r.pending = e; e == eventFlow && err == nil {
		f.have = r.b.row.have
		f.c.Missing = missing(f.have)
	}
	return f, nil
}

// begun returns the collection that a row begins which follows no start record.
func (r *rows) begun() (record.From, error) {
	if r.id.has&needed != needed {
		return nil, r.fault(errors.New("a flow outside a collection, which does not tell Meter, EpochNs, IntervalStartNs and IntervalEndNs"))
	}
	in := r.id.in
	f := &fromRows{rows: r, in: in, have: r.b.row.have, c: record.Collection{
		Meter: in.meter, Boot: in.boot, Epoch: in.epoch, From: in.start, To: in.end,
		First: in.start <= in.epoch, Skipped: r.skipped,
	}}
	f.c.Missing = missing(f.have)
	r.skipped, r.b.epoch = 0, in.epoch
	return f, nil
}

// Head returns what is known of the file beside collections.
func (r *rows) Head() *Head { return r.head }

// fromRows is a collection of rows. It is a record.From.
type fromRows struct {
	rows     *rows
	explicit bool // it has a start, and has to have an end
	in       of   // of all rows, if it has not
	have     uint16
	c        record.Collection
	flows    uint64
	sum      record.Summary
	seen     identity // of the last row
	number   int      // of its ruleset
}

// Collection implements record.From.
func (f *fromRows) Collection() *record.Collection { return &f.c }

// Flows implements record.From.
func (f *fromRows) Flows(put func(*match.Flow, *record.Counters) error) error {
	r := f.rows
	f.sum.Known = record.KnownFlows
	for {
		if err := f.ahead(put); err != nil {
			return err
		}
		e, err := r.next()
		if err == io.EOF && !f.explicit {
			return nil
		}
		switch {
		case err == io.EOF:
			return fmt.Errorf("%w: behind line %d", ErrIncomplete, r.src.line())
		case err != nil:
			return err
		case e == eventFlow && !f.explicit && r.id.in != f.in:
			r.pending = e
			return nil
		case e == eventFlow:
			if err := f.flow(put); err != nil {
				return err
			}
		case e == eventEnd && f.explicit:
			if err := r.src.told().summary(&f.sum); err != nil {
				return r.fault(err)
			}
			if f.sum.Flows != f.flows {
				return r.fault(flowsFault(f.flows, f.sum.Flows))
			}
			return nil
		case f.explicit:
			return fmt.Errorf("%w: line %d", ErrIncomplete, r.src.line())
		default:
			r.pending = e
			return nil
		}
	}
}

// flowsFault says that there are not as many flow records as the end of a collection
// says.
func flowsFault(have, said uint64) error {
	return fmt.Errorf("the collection ends with flows=%d, and has %d flow records", said, have)
}

// sureLen is how many flows of a collection without a start are read before others are
// ahead: those that belong to the next one are parsed again.
const sureLen = 1 << 10

// ahead passes flows on that can be parsed ahead.
func (f *fromRows) ahead(put func(*match.Flow, *record.Counters) error) error {
	r := f.rows
	if r.pending != eventNone || !f.explicit && f.flows < sureLen {
		return nil
	}
	return r.ahead.run(r.b, func(p *parsed) (bool, error) {
		if r.identify(p.raw) != nil || !f.explicit && r.id.in != f.in {
			return false, nil
		}
		if err := f.fits(p.have); err != nil {
			return false, err
		}
		return true, f.pass(&p.flow, p.counters(), put)
	})
}

// flow passes the flow of the present row on.
func (f *fromRows) flow(put func(*match.Flow, *record.Counters) error) error {
	if err := f.fits(f.rows.b.row.have); err != nil {
		return err
	}
	flow, counted, err := f.rows.b.flow()
	if err != nil {
		return f.rows.fault(err)
	}
	return f.pass(flow, counted, put)
}

// fits reports a row that does not belong to the collection, or does not have what the
// others have.
func (f *fromRows) fits(have uint16) error {
	r := f.rows
	if f.explicit && r.id.has&needed == needed {
		if in := r.id.in; in.meter != f.c.Meter || in.epoch != f.c.Epoch || in.start != f.c.From || in.end != f.c.To {
			return r.fault(errors.New("a flow of another meter or interval than the collection that it stands in"))
		}
	}
	if lost := (f.have ^ have) &^ deltaBits; lost != 0 {
		for i, a := range told {
			if lost&(1<<i) != 0 {
				return r.fault(fmt.Errorf("%s is told of some flows of the collection only", a))
			}
		}
	}
	return nil
}

// pass passes a flow on.
func (f *fromRows) pass(flow *match.Flow, counted *record.Counters, put func(*match.Flow, *record.Counters) error) error {
	if f.rows.id != f.seen || flow.Shape.RuleSet != f.number {
		f.learn(flow.Shape.RuleSet)
	}
	f.flows++
	return put(flow, counted)
}

// learn adds to the collection what the present row tells of its ruleset.
func (f *fromRows) learn(number int) {
	f.seen, f.number = f.rows.id, number
	if f.c.Boot == "" {
		f.c.Boot = f.seen.in.boot
	}
	if number == 0 || slices.ContainsFunc(f.c.RuleSets, func(rs record.RuleSet) bool { return rs.Number == number }) {
		return
	}
	rs := f.seen.ruleSet
	rs.Number = number
	f.c.RuleSets = append(f.c.RuleSets, rs)
}

// Summary implements record.From.
func (f *fromRows) Summary(func(ruleSet int) *uint64) (*record.Summary, error) {
	f.sum.Flows = f.flows
	return &f.sum, nil
}

// head returns what a header record tells.
func (j *jsonRecord) head() (*Head, int64, error) {
	h := &Head{Form: JSON, Statistics: j.Statistics, Header: Header{
		Version: j.Version, Parameters: j.Parameters, Meter: j.Meter, Interfaces: j.Interfaces, MaxFlows: j.MaxFlows,
		Start: time.Unix(0, j.StartNs).UTC(),
	}}
	if j.Format != "" {
		f, err := ruleset.ParseFormat(j.Format)
		if err != nil {
			return nil, 0, err
		}
		h.Format = f
	}
	return h, j.EpochNs, nil
}
