package client

import (
	"errors"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// TestShapesBound has a meter tell of flows each of which is of another kind:
// what is remembered of them has an end, whatever their number is.
func TestShapesBound(t *testing.T) {
	q := &FlowQuery{RuleSet: 2, Uptime: 100, Attrs: []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress}}
	room := 100 * 300
	q.room = &room
	var found error
	shapes := make(map[*match.Shape]bool)
	b := newFlowBuilder(q)
	field := func(a attr.Attr) int {
		for i := range b.fields {
			if b.fields[i].attr == a {
				return i
			}
		}
		t.Fatalf("%v is not read", a)
		return 0
	}
	source, dest := field(attr.SourcePeerAddress), field(attr.DestPeerAddress)
	for i := range 1000 {
		b.start()
		b.flow.Index = uint32(i + 1)
		b.Octets(source, []byte{0, 0, 0, 0})
		b.Octets(b.fields[source].mask, []byte{255, 255, byte(i >> 8), byte(i)})
		b.Octets(dest, []byte{0, 0, 0, 0})
		b.Octets(b.fields[dest].mask, []byte{255, 255, 255, 255})
		f, err := b.finish()
		if err != nil {
			found = err
			break
		}
		shapes[f.Shape] = true
	}
	if !errors.Is(found, errManyShapes) || len(shapes) < 50 || len(shapes) > 100 {
		t.Errorf("%d kinds of flows, and then %v", len(shapes), found)
	}
}
