package client

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/mib/block"
)

// parts reads flows by queries that ask for few enough measures to fit in a message
// each, one after the other: the first one for all else, too.
func (c *Client) parts(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	queries := q.split()
	if len(queries) == 1 {
		return c.read(ctx, queries[0], f)
	}
	j := joiner{ruleSet: q.RuleSet, room: queries[0].room, joined: make(map[string]*match.Shape)}
	for _, more := range queries[1:] {
		p := &part{}
		var stop func()
		p.next, stop = iter.Pull(func(yield func(*match.Flow) bool) {
			p.err = c.read(ctx, more, func(f *match.Flow) error {
				if !yield(f) {
					return errStopped
				}
				return nil
			})
		})
		defer stop()
		j.parts = append(j.parts, p)
	}
	return c.read(ctx, queries[0], func(flow *match.Flow) error {
		if whole, err := j.join(flow); err != nil || !whole {
			return err
		}
		return f(flow)
	})
}

// split returns the queries by which q is read: each has no more measures than fit in
// a block, and no more attributes than a block may name, if all else leaves room. Each
// measure is in one of them, in order of number, as shapes have them.
func (q *FlowQuery) split() []*FlowQuery {
	room := shapesOctets
	first := *q
	first.room = &room
	first.Attrs = slices.DeleteFunc(slices.Clone(q.Attrs), attr.Attr.IsMeasure)
	queries := []*FlowQuery{&first}
	fields, octets := len(fieldsFor(q.always(), first.Attrs)), 0
	measures := slices.DeleteFunc(slices.Sorted(slices.Values(q.Attrs)), func(a attr.Attr) bool { return !a.IsMeasure() })
	for _, a := range slices.Compact(measures) {
		fields, octets = fields+1, octets+block.MeasureOctets(a)
		if fields > block.MaxFields || octets > block.MaxMeasures {
			more := first
			more.Attrs = nil
			queries = append(queries, &more)
			fields, octets = len(q.always())+1, block.MeasureOctets(a)
		}
		last := queries[len(queries)-1]
		last.Attrs = append(last.Attrs, a)
	}
	for _, some := range queries {
		some.inOrder = len(queries) > 1
	}
	return queries
}

// part is a query under way.
type part struct {
	next func() (*match.Flow, bool)
	at   *match.Flow // the latest flow; nil before the first and after the last
	done bool
	err  error
}

var errStopped = fmt.Errorf("no more flows are wanted")

// find goes on to the flow with this index, nil if there is none.
func (p *part) find(index uint32) (*match.Flow, error) {
	for !p.done && (p.at == nil || p.at.Index < index) {
		flow, ok := p.next()
		p.at, p.done = flow, !ok
	}
	if p.done {
		return nil, p.err
	}
	if p.at.Index > index {
		return nil, nil
	}
	return p.at, nil
}

// joiner joins flows and their further measures.
type joiner struct {
	ruleSet int
	room    *int // octets that further shapes may take
	parts   []*part
	shapes  match.Shapes
	joined  map[string]*match.Shape // by the numbers of the parts' shapes
	key     []byte
	found   []*match.Shape // those of the parts
}

// join adds to a flow its measures of all parts. It returns false if the
// meter has recovered the flow meanwhile.
func (j *joiner) join(flow *match.Flow) (whole bool, err error) {
	j.key, j.found = binary.AppendUvarint(j.key[:0], uint64(flow.Shape.ID)), append(j.found[:0], flow.Shape)
	for _, p := range j.parts {
		more, err := p.find(flow.Index)
		if err != nil || more == nil || more.FirstTime != flow.FirstTime {
			return false, err
		}
		j.key, j.found = binary.AppendUvarint(j.key, uint64(more.Shape.ID)), append(j.found, more.Shape)
		flow.Counters = append(flow.Counters, more.Counters...)
	}
	shape := j.joined[string(j.key)]
	if shape == nil {
		if len(j.joined) >= maxShapes {
			return false, fmt.Errorf("%w: %v", ErrNonsense, errManyShapes)
		}
		var measures []attr.Measure
		for _, s := range j.found {
			measures = append(measures, s.Measures...)
		}
		shape = j.shapes.InternLengths(j.ruleSet, flow.Shape.Lengths(), flow.Shape.Saved, measures...)
		if *j.room -= octetsOfShape(shape, len(j.key)); *j.room < 0 {
			return false, fmt.Errorf("%w: %v", ErrNonsense, errManyShapes)
		}
		j.joined[string(j.key)] = shape
	}
	flow.Shape = shape
	return true, nil
}
