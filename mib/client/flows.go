package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Method is a way to read flows.
type Method uint8

// The ways, the fastest first.
const (
	// Blocks reads rtfmBlockTable: many flows in a variable.
	Blocks Method = iota
	// Packages reads flowDataPackageTable: a flow in a variable. A meter that
	// shows none that way, since it may be older than RFC 2720, is read by
	// columns.
	Packages
	// Columns reads flowDataTable: an attribute of a flow in a variable. A
	// meter's own attributes, from 1024 on, have no columns; distributions are
	// not read.
	Columns
)

// FlowQuery says which flows to read.
type FlowQuery struct {
	RuleSet int
	// Since is an Uptime in centiseconds: flows that were active then or
	// later are read, with 0 all flows. Uptime is what it is now, Epoch when
	// it was 0, in nanoseconds since 1970-01-01 00:00:00 UTC.
	Since, Uptime uint64
	Epoch         int64
	// Attrs are the attributes that flows may have saved, of which those are
	// read that can be.
	Attrs []attr.Attr
	// Exact asks for the flows' times to the nanosecond, not the centisecond,
	// and for what each flow has saved. Only meters with the extension tell.
	Exact  bool
	Method Method
	// MaxFlows is how many flows the meter may have; 0 means any number.
	MaxFlows int

	inOrder bool // flows must come in the order of their indexes
	room    *int // octets that the flows' shapes may take
}

// Flows reads flows and calls f for each, in the order of their indexes when
// they come in blocks or columns, or have many distributions. No flow comes twice. A flow is valid until f
// returns. What f returns ends the reading.
//
// The flows' shapes have what the meter tells. Unless q is Exact, an attribute
// that is no address counts as saved if it is among q.Attrs, an address if its
// mask is not 0.
func (c *Client) Flows(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	if err := c.parts(ctx, q, f); err != nil {
		return fmt.Errorf("reading the flows of ruleset %d: %w", q.RuleSet, err)
	}
	return nil
}

// read reads flows by the query's method.
func (c *Client) read(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	switch q.Method {
	case Blocks:
		return c.blocks(ctx, q, f)
	case Packages:
		return c.packages(ctx, q, f)
	}
	return c.columns(ctx, q, f)
}

// pass is what the ways to read flows have in common.
type pass struct {
	*flowBuilder
	q     *FlowQuery
	yield func(*match.Flow) error
	flows int
}

// newPass returns a pass over flows with those attributes that can be read.
func newPass(q *FlowQuery, can func(attr.Attr) bool, f func(*match.Flow) error) *pass {
	some := *q
	some.Attrs = slices.DeleteFunc(slices.Clone(q.Attrs), func(a attr.Attr) bool { return !can(a) })
	return &pass{flowBuilder: newFlowBuilder(&some), q: q, yield: f}
}

// mark is the TimeMark from which flows are read.
func (p *pass) mark() uint32 { return uint32(p.q.Since) }

// done passes a flow on whose fields are all set.
func (p *pass) done() error {
	f, err := p.finish()
	if err != nil {
		return fmt.Errorf("%w: %v", ErrNonsense, err)
	}
	if p.flows++; p.q.MaxFlows > 0 && p.flows > 2*p.q.MaxFlows {
		return fmt.Errorf("%w: more than %d flows, although the meter says that it has room for %d", ErrNonsense, 2*p.q.MaxFlows, p.q.MaxFlows)
	}
	return p.yield(f)
}

// sparing makes a GetBulk request. When there is no answer, it may have been
// too long for the network: then less is asked for, once and for all.
func (c *Client) sparing(ctx context.Context, names []smi.OID, repetitions int) ([]smi.VarBind, error) {
	if c.patient.Load() {
		return c.bulk(ctx, names, 1)
	}
	vars, err := c.bulk(ctx, names, repetitions)
	if repetitions > 1 && errors.Is(err, ErrNoAnswer) && ctx.Err() == nil {
		if vars, err = c.bulk(ctx, names, 1); err == nil {
			c.patient.Store(true)
		}
	}
	return vars, err
}

// blocksPerRequest is how many blocks of block.MaxOctets fit in a UDP datagram
// with their names.
const blocksPerRequest = 7

func (c *Client) blocks(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	p := newPass(q, attr.Attr.Readable, f)
	if len(p.fields) > block.MaxFields {
		return c.packages(ctx, q, f)
	}
	prefix := append(slices.Clone(module.RtfmBlockData.OID), 2*uint32(len(p.fields)))
	for i := range p.fields {
		prefix, _ = block.Blocks.AppendName(prefix, p.fields[i].attr)
	}
	prefix = append(prefix, uint32(q.RuleSet), p.mark())
	return readAhead(ctx, func(ctx context.Context, give func(fetched) bool) error {
		name, after := prefix, uint32(0)
		for {
			vars, err := c.sparing(ctx, []smi.OID{name}, blocksPerRequest)
			if err != nil {
				return err
			}
			for i := range vars {
				v := &vars[i]
				if v.Value.Type == smi.EndOfMibView || !v.Name.HasPrefix(prefix) {
					return nil
				}
				index := v.Name[len(prefix):]
				if len(index) != 2 || index[0] != after || index[1] <= after || v.Value.Type != smi.OctetString {
					return c.wrap(nonsense(v.Name, "not a block that follows flow %d", after))
				}
				if !give(fetched{v.Value.Octets, span{after, index[1]}}) {
					return ctx.Err()
				}
				name, after = v.Name, index[1]
			}
		}
	}, func(b fetched) error {
		if err := p.block(b.octets, b.after, b.last); err != nil {
			return c.wrap(err)
		}
		return nil
	})
}

// fetched is a block of flows that are in this span, the last of them its last.
type fetched struct {
	octets []byte
	span
}

// mostAhead is how many variables are asked for, at most, before the ones at hand
// have been dealt with.
const mostAhead = 2 * blocksPerRequest

// readAhead has use called with what fetch gives, one after the other, while fetch
// asks for more in another goroutine. Give returns false when fetch is to end.
func readAhead[T any](ctx context.Context, fetch func(ctx context.Context, give func(T) bool) error, use func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	given, fetched := make(chan T, mostAhead), make(chan error, 1)
	go func() {
		defer close(given)
		fetched <- fetch(ctx, func(v T) bool {
			select {
			case given <- v:
				return true
			case <-ctx.Done():
				return false
			}
		})
	}()
	var err error
	for v := range given {
		if err == nil {
			if err = use(v); err != nil {
				cancel()
			}
		}
	}
	if err != nil {
		return err
	}
	return <-fetched
}

// block passes on the flows of a block, which are after the flow with index
// after and end with that of index last.
func (p *pass) block(b []byte, after, last uint32) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: block of ruleset %d behind flow %d: %s", ErrNonsense, p.ruleSet, after, fmt.Sprintf(format, args...))
	}
	r := p.reader
	if err := r.Block(b); err != nil {
		return bad("%v", err)
	}
	at := after
	for r.More() {
		p.start()
		if err := r.Flow(p); err != nil {
			return bad("%v", err)
		}
		if p.flow.Index <= at || p.flow.Index > last {
			return bad("flow %d stands behind flow %d", p.flow.Index, at)
		}
		at = p.flow.Index
		if err := p.done(); err != nil {
			return err
		}
	}
	if at != last || r.Rest() != 0 {
		return bad("it ends with flow %d and %d octets, not with flow %d", at, r.Rest(), last)
	}
	return nil
}

// span is a range of flow indexes that is read: those greater than after, up to last.
type span struct{ after, last uint32 }

// maxCursors is how many ranges of flows are read at once: to snmpd each
// repetition of a GetBulk request is a round trip, however many variables it
// has.
const maxCursors = 25

// largePackages is how many packages fit in a UDP datagram if they have as many
// distributions as a query asks for, of any size.
const largePackages = 10

// packaging returns how many ranges of flows are read at once, and how many
// variables a request asks for.
func (p *pass) packaging() (cursors, variables int) {
	cursors, variables = maxCursors, bulkVariables
	if slices.ContainsFunc(p.fields, func(fd field) bool { return fd.class.IsMeasure() }) {
		cursors, variables = largePackages, largePackages
	}
	if p.q.inOrder {
		cursors = 1
	}
	return cursors, variables
}

// spans divides all flow indexes.
func (q *FlowQuery) spans(cursors int) []span {
	var s []span
	after := uint32(0)
	for i := 1; i < cursors && q.MaxFlows >= cursors; i++ {
		last := uint32(int64(q.MaxFlows) * int64(i) / int64(cursors-1))
		s = append(s, span{after, last})
		after = last
	}
	return append(s, span{after, math.MaxInt32})
}

// split divides the longest span as long as there are fewer than cursors.
func split(s []span, cursors int) []span {
	for len(s) > 0 && len(s) < cursors {
		longest := 0
		for i := range s {
			if s[i].last-s[i].after > s[longest].last-s[longest].after {
				longest = i
			}
		}
		l := &s[longest]
		if l.last-l.after < 2*bulkVariables/maxCursors {
			break
		}
		middle := l.after + (l.last-l.after)/2
		s = append(s, span{middle, l.last})
		l.last = middle
	}
	return s
}

func (c *Client) packages(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	p := newPass(q, func(a attr.Attr) bool { _, ok := block.Packages.AppendName(nil, a); return ok }, f)
	prefix := append(slices.Clone(module.FlowPackageData.OID), uint32(len(p.fields)))
	for i := range p.fields {
		prefix, _ = block.Packages.AppendName(prefix, p.fields[i].attr)
	}
	prefix = append(prefix, uint32(q.RuleSet), p.mark())
	cursors, variables := p.packaging()
	for open := q.spans(cursors); len(open) > 0; open = split(open, cursors) {
		names := make([]smi.OID, len(open))
		for i, s := range open {
			names[i] = append(slices.Clip(prefix), s.after)
		}
		vars, err := c.sparing(ctx, names, max(1, variables/len(names)))
		if err != nil {
			return err
		}
		for i := range vars {
			v, s := &vars[i], &open[i%len(open)]
			if s.after == s.last {
				continue
			}
			if v.Value.Type == smi.EndOfMibView || !v.Name.HasPrefix(prefix) {
				s.after = s.last
				continue
			}
			index := v.Name[len(prefix):]
			if len(index) != 1 || index[0] <= s.after || v.Value.Type != smi.OctetString {
				return c.wrap(nonsense(v.Name, "not a package that follows flow %d", s.after))
			}
			if index[0] > s.last {
				s.after = s.last
				continue
			}
			s.after = index[0]
			if err := p.pack(v.Value.Octets, index[0]); err != nil {
				return c.wrap(err)
			}
		}
		open = slices.DeleteFunc(open, func(s span) bool { return s.after == s.last })
	}
	if p.flows == 0 {
		return c.columns(ctx, q, f)
	}
	return nil
}

// pack passes on the flow of a package, whose index is known.
func (p *pass) pack(b []byte, index uint32) error {
	bad := func(err error) error {
		return fmt.Errorf("%w: package of flow %d of ruleset %d: %v", ErrNonsense, index, p.ruleSet, err)
	}
	p.start()
	if err := p.reader.Package(b, p); err != nil {
		return bad(err)
	}
	if p.flow.Index != index {
		return bad(fmt.Errorf("it is of flow %d", p.flow.Index))
	}
	return p.done()
}

// columns reads all columns of a flow in one repetition. Columns that are not
// of the same flow are asked for again, after the last whole flow.
func (c *Client) columns(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	public := *q
	public.Exact = false // what that takes has no columns
	p := newPass(&public, func(a attr.Attr) bool { return a <= attr.FlowKind }, f)
	// The flow's index is no column.
	columns := make([]smi.OID, len(p.fields)-1)
	for i := range columns {
		columns[i] = append(slices.Clone(module.FlowDataEntry.OID), uint32(p.fields[i+1].attr), uint32(q.RuleSet), p.mark())
	}
	n := len(columns)
	for after, tries := uint32(0), 0; ; {
		names := make([]smi.OID, n)
		for i := range names {
			names[i] = append(slices.Clip(columns[i]), after)
		}
		vars, err := c.sparing(ctx, names, max(1, bulkVariables/n))
		if err != nil {
			return err
		}
		before := after
		for ; len(vars) >= n; vars = vars[n:] {
			if vars[0].Value.Type == smi.EndOfMibView || !vars[0].Name.HasPrefix(columns[0]) {
				return nil
			}
			index := vars[0].Name[len(vars[0].Name)-1]
			if len(vars[0].Name) != len(names[0]) || index <= after || index > math.MaxInt32 {
				return c.wrap(nonsense(vars[0].Name, "not a flow that follows flow %d", after))
			}
			whole, err := p.row(columns, vars[:n], index)
			if err != nil {
				return c.wrap(err)
			}
			if !whole {
				break
			}
			after, tries = index, 0
		}
		if after == before {
			if tries++; tries > c.retries {
				return c.wrap(nonsense(names[0], "the columns behind flow %d are not of one flow", after))
			}
		}
	}
}

// row passes on the flow whose columns vars are, false if they are not all of
// the flow with this index.
func (p *pass) row(columns []smi.OID, vars []smi.VarBind, index uint32) (bool, error) {
	p.start()
	if err := p.Number(0, uint64(index)); err != nil {
		return false, fmt.Errorf("%w: %v", ErrNonsense, err)
	}
	for i := range vars {
		v := &vars[i]
		if !v.Name.HasPrefix(columns[i]) || len(v.Name) != len(columns[i])+1 || v.Name[len(columns[i])] != index {
			return false, nil
		}
		if err := p.coded[i+1].Read(i+1, &v.Value, p); err != nil {
			return false, nonsense(v.Name, "%v", err)
		}
	}
	return true, p.done()
}
