package client

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/mib/block"
)

// parts reads flows by queries that ask for few enough distributions to fit in
// a message each, one after the other: the first one for all else, too.
func (c *Client) parts(ctx context.Context, q *FlowQuery, f func(*match.Flow) error) error {
	queries := q.split()
	if len(queries) == 1 {
		return c.read(ctx, queries[0], f)
	}
	j := joiner{ruleSet: q.RuleSet, room: queries[0].room, joined: make(map[[maxParts]*match.Shape]*match.Shape)}
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

// split returns the queries by which q is read.
func (q *FlowQuery) split() []*FlowQuery {
	first, rest := *q, []attr.Attr(nil)
	room := shapesOctets
	first.room = &room
	n := 0
	first.Attrs = slices.DeleteFunc(slices.Clone(q.Attrs), func(a attr.Attr) bool {
		if !a.IsMeasure() {
			return false
		}
		if n++; n > block.Distributions {
			rest = append(rest, a)
			return true
		}
		return false
	})
	first.inOrder = len(rest) > 0
	queries := []*FlowQuery{&first}
	for some := range slices.Chunk(rest, block.Distributions) {
		more := first
		more.Attrs = some
		queries = append(queries, &more)
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

// maxParts is how many queries a flow may take: all measures that there are.
const maxParts = 1 + 80/block.Distributions

// joiner joins flows and their further distributions.
type joiner struct {
	ruleSet int
	room    *int // octets that further shapes may take
	parts   []*part
	shapes  match.Shapes
	joined  map[[maxParts]*match.Shape]*match.Shape // by those of the parts
}

// join adds to a flow its distributions of all parts. It returns false if the
// meter has recovered the flow meanwhile.
func (j *joiner) join(flow *match.Flow) (whole bool, err error) {
	key := [maxParts]*match.Shape{flow.Shape}
	for i, p := range j.parts {
		more, err := p.find(flow.Index)
		if err != nil || more == nil || more.FirstTime != flow.FirstTime {
			return false, err
		}
		key[i+1] = more.Shape
		flow.Counters = append(flow.Counters, more.Counters...)
	}
	shape := j.joined[key]
	if shape == nil {
		if len(j.joined) >= maxShapes {
			return false, fmt.Errorf("%w: %v", ErrNonsense, errManyShapes)
		}
		var distributions []attr.Measure
		for _, s := range key[:len(j.parts)+1] {
			distributions = append(distributions, s.Measures...)
		}
		shape = j.shapes.InternLengths(j.ruleSet, flow.Shape.Lengths(), flow.Shape.Saved, distributions...)
		if *j.room -= octetsOfShape(shape, 8*maxParts); *j.room < 0 {
			return false, fmt.Errorf("%w: %v", ErrNonsense, errManyShapes)
		}
		j.joined[key] = shape
	}
	flow.Shape = shape
	return true, nil
}
