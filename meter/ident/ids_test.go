package ident

import (
	"cmp"
	"crypto/sha1"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// shapeOf returns a shape of these attributes, saved whole, that has identifiers.
func shapeOf(shapes *match.Shapes, ruleSet int, peerLen uint8, attrs ...attr.Attr) *match.Shape {
	var saved []match.Saved
	for _, a := range attrs {
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(attr.MaxAddress)})
	}
	return shapes.Intern(ruleSet, peerLen, 0, saved, attr.Measure{Attr: attr.FlowID}, attr.Measure{Attr: attr.CommunityID})
}

var fiveTuple = []attr.Attr{
	attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress,
}

// tcpFlow returns flow number i of a shape with the 5-tuple.
func tcpFlow(s *match.Shape, i int) match.FlowKey {
	k := match.FlowKey{Shape: s}
	binary.BigEndian.PutUint32(k.Value(attr.SourcePeerAddress), 10<<24|uint32(i))
	binary.BigEndian.PutUint32(k.Value(attr.DestPeerAddress), 192<<24|2<<8|1)
	k.Value(attr.SourceTransType)[0] = tcp
	binary.BigEndian.PutUint16(k.Value(attr.SourceTransAddress), uint16(i)|0x8000)
	binary.BigEndian.PutUint16(k.Value(attr.DestTransAddress), 443)
	return k
}

// read returns the identifiers of the flow in a row.
func read(x *IDs, row uint32, k match.FlowKey) (uint64, Community) {
	f := match.Flow{FlowKey: k, Index: row}
	x.Read(&f)
	var c Community
	binary.BigEndian.PutUint64(c[:], f.Counters[1][0])
	binary.BigEndian.PutUint64(c[8:], f.Counters[1][1])
	binary.BigEndian.PutUint32(c[16:], uint32(f.Counters[1][2]))
	return f.Counters[0][0], c
}

// TestFlowIDOfTuple makes the FlowID of a 5-tuple the beginning of its Community ID,
// whatever the direction, the ruleset's number and the types that are saved beside it.
func TestFlowIDOfTuple(t *testing.T) {
	// The flow that TestTshark has from a trace, written down octet by octet.
	sum := sha1.Sum([]byte{0, 0, 10, 0, 0, 7, 192, 0, 2, 1, tcp, 0, 0x80, 7, 443 >> 8, 443 & 0xff})
	want := binary.BigEndian.Uint64(sum[:])
	for n, more := range [][]attr.Attr{nil, {attr.SourcePeerType}, {attr.DestTransType}, {attr.DestPeerType, attr.SourcePeerType}} {
		var shapes match.Shapes
		x := New(64)
		k := tcpFlow(shapeOf(&shapes, n+2, 4, append(more, fiveTuple...)...), 7)
		if n == 1 {
			k.Value(attr.SourcePeerType)[0] = 1
		}
		x.Create(1, &k, n%2 == 1)
		if id, c := read(x, 1, k); id != want || c != sum {
			t.Errorf("saved %v too: %016x, %x; want %016x, %x", more, id, c, want, sum)
		}
		x.Remove(1, n+2)
		r := k.Reverse()
		x.Create(1, &r, n%2 == 0)
		if id, c := read(x, 1, r); id != want || c != sum {
			t.Errorf("saved %v too, reversed: %016x, %x; want %016x, %x", more, id, c, want, sum)
		}
	}
}

// TestFlowIDOfOthers makes FlowIDs of keys that are no 5-tuple: the same for a flow and
// its reverse, and others if an attribute, its mask or its value is.
func TestFlowIDOfOthers(t *testing.T) {
	var all []attr.Attr
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			all = append(all, in.Attr)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	seen := make(map[uint64][]byte)
	var shapes match.Shapes
	x := NewNamer(64)
	for range 2000 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		k := match.FlowKey{Shape: shapeOf(&shapes, 1+r.IntN(9), []uint8{3, 4, 16}[r.IntN(3)], all[:1+r.IntN(len(all))]...)}
		for _, s := range k.Shape.Saved {
			for i := range k.Value(s.Attr) {
				k.Value(s.Attr)[i] = byte(r.Uint32())
			}
		}
		id, _ := x.Assign(1, &k, nil)
		reverse := k.Reverse()
		x.Remove(id)
		if other, _ := x.Assign(1, &reverse, nil); other != id {
			t.Fatalf("%+v: %016x, reversed %016x", k, id, other)
		}
		form := slices.Clone(x.room.former.form(&k))
		if before := seen[id]; before != nil && !slices.Equal(before, form) {
			t.Errorf("%x and %x: the same FlowID", before, form)
		}
		seen[id] = form
		x.Remove(id)
	}
}

// TestFlowIDForm writes down what the FlowID of a pair of networks is the SHA-1 of.
func TestFlowIDForm(t *testing.T) {
	var shapes match.Shapes
	k := match.FlowKey{Shape: shapes.Intern(3, 4, 0, []match.Saved{
		{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(16, 4)}, {Attr: attr.SourcePeerAddress, Mask: attr.WidthMask(24, 4)},
	}, attr.Measure{Attr: attr.FlowID})}
	copy(k.Value(attr.SourcePeerAddress), []byte{10, 1, 2, 0})
	copy(k.Value(attr.DestPeerAddress), []byte{192, 168, 0, 0})
	// Attribute 9 is the address of the source, 19 that of the dest: of the reverse the mask is lower.
	want := []byte{0, 0, 0, 9, 4, 255, 255, 0, 0, 192, 168, 0, 0, 0, 19, 4, 255, 255, 255, 0, 10, 1, 2, 0}
	if got := new(former).form(&k); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestFlowIDsDiffer makes flows whose FlowIDs would mostly be those of others, since they
// are short, and takes some out: those of live flows of a ruleset are never the same, and
// are told by the order in which the flows were made and taken out alone.
func TestFlowIDsDiffer(t *testing.T) {
	for _, bits := range []int{12, 16, 32, 64} {
		history := func(seed uint64) []uint64 {
			r := rand.New(rand.NewPCG(seed, 1))
			var shapes match.Shapes
			two := [...]*match.Shape{shapeOf(&shapes, 2, 4, fiveTuple...), shapeOf(&shapes, 3, 4, fiveTuple...)}
			x := New(bits)
			live := make(map[ruleSetID]bool)
			keys := make(map[uint32]match.FlowKey)
			var ids []uint64
			for i := range 8_000 {
				row := 1 + uint32(r.IntN(2000))
				if k, there := keys[row]; there {
					id, _ := read(x, row, k)
					x.Remove(row, k.Shape.RuleSet)
					delete(live, ruleSetID{k.Shape.RuleSet, id})
					delete(keys, row)
					continue
				}
				k := tcpFlow(two[r.IntN(2)], i)
				x.Create(row, &k, false)
				id, _ := read(x, row, k)
				of := ruleSetID{k.Shape.RuleSet, id}
				if id == 0 || id>>bits != 0 || live[of] {
					t.Fatalf("%d bits, flow %d: FlowID %x", bits, i, id)
				}
				live[of], keys[row] = true, k
				ids = append(ids, id)
			}
			for _, s := range two {
				checkNext(t, x, s.RuleSet, keys)
			}
			for row, k := range keys {
				x.Remove(row, k.Shape.RuleSet)
			}
			if _, row := x.Next(two[0].RuleSet, 0); row != 0 {
				t.Errorf("%d bits: the flow in row %d is left", bits, row)
			}
			return ids
		}
		if first, again := history(1), history(1); !slices.Equal(first, again) {
			t.Errorf("%d bits: FlowIDs differ the second time", bits)
		}
	}
}

// ruleSetID is the FlowID of a flow of a ruleset.
type ruleSetID struct {
	ruleSet int
	id      uint64
}

// checkNext asks for all FlowIDs of a ruleset in order.
func checkNext(t *testing.T, x *IDs, ruleSet int, keys map[uint32]match.FlowKey) {
	t.Helper()
	var want []place
	for row, k := range keys {
		if k.Shape.RuleSet == ruleSet {
			id, _ := read(x, row, k)
			want = append(want, place{id, row})
		}
	}
	slices.SortFunc(want, compare)
	from := uint64(0)
	for _, p := range want {
		if id, row := x.Next(ruleSet, from); (place{id, row}) != p {
			t.Fatalf("from %x: %x in row %d, want %+v", from, id, row, p)
		}
		from = p.id + 1
	}
	if _, row := x.Next(ruleSet, from); row != 0 {
		t.Errorf("behind the last: row %d", row)
	}
}

func compare(p, q place) int { return cmp.Compare(p.id, q.id) }

// TestIndexIsMap holds an index to a plain map while identifiers are added and removed,
// of which many share their first bits: it finds them, and what lies between, and is as
// small as before when they are gone.
func TestIndexIsMap(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	x := newIndex(64, new(store))
	rows := make(map[uint64]uint32)
	var live []uint64
	first := r.Uint64()
	for round := range 40 {
		for range 1500 {
			like := []int{0, 3, 15, 18, 30, 52}[r.IntN(1+round%6)] // bits
			id := first&^(math.MaxUint64>>like) | r.Uint64()>>like | 1
			if row, there := rows[id]; x.add(place{id, uint32(len(rows)) + 1}) == there {
				t.Fatalf("%x, which was in row %d, is added %v", id, row, !there)
			} else if !there {
				rows[id] = uint32(len(rows)) + 1
				live = append(live, id)
			}
		}
		slices.Sort(live) // so that neighbours go together
		for n := []int{500, 2000, len(live)}[r.IntN(3)]; n > 0 && len(live) > 0; n-- {
			i := r.IntN(1 + len(live)/(1+round%3))
			if i = min(i, len(live)-1); !x.remove(live[i]) || x.remove(live[i]) {
				t.Fatalf("%x is not removed, or twice", live[i])
			}
			delete(rows, live[i])
			live = slices.Delete(live, i, i+1)
		}
		from := uint64(0)
		for _, id := range live {
			want := place{id, rows[id]}
			if got, again := x.from(from), x.from(id); got != want || again != want {
				t.Fatalf("round %d, from %x: %+v, from there on %+v, want %+v", round, from, got, again, want)
			}
			from = id + 1
		}
		if p := x.from(from); p.row != 0 {
			t.Errorf("above all: %+v", p)
		}
	}
	for _, id := range live {
		x.remove(id)
	}
	checkSmall(t, x, 0)
}

// TestIndexForgets adds and removes identifiers that share their first digits, each time
// other ones, as flows come and go: no more is left than what is there needs.
func TestIndexForgets(t *testing.T) {
	x := newIndex(64, new(store))
	kept := place{1 << 63, 1}
	x.add(kept)
	for round := range uint64(30) {
		for i := range uint64(segmentLen) {
			x.add(place{1 | round<<40 | i<<8, uint32(i) + 2})
		}
		for i := range uint64(segmentLen) {
			x.remove(1 | round<<40 | i<<8)
		}
	}
	checkSmall(t, x, 1)
	if got := x.from(0); got != kept {
		t.Errorf("%+v, want %+v", got, kept)
	}
	if n := x.store.slab.Len(); n > 8 {
		t.Errorf("%d segments of slots for %d places", n, segmentLen+1)
	}
}

// checkSmall wants an index of so many places that is a single segment.
func checkSmall(t *testing.T, x *index, places int) {
	t.Helper()
	if s := x.directory[0]; s.used != places || len(x.directory) != 1 || s.below != nil || (s.slots == nil) != (places == 0) {
		t.Errorf("%d of %d segments, the first %+v", x.deepest, len(x.directory), s)
	}
}

// TestCommunityIDOfMessages gives an echo request, its reply, and both of a flow that was
// begun by the wrong end one Community ID, and a message that nobody answers one that
// says from whom it comes.
func TestCommunityIDOfMessages(t *testing.T) {
	var shapes match.Shapes
	s := shapeOf(&shapes, 2, 4, fiveTuple...)
	of := func(kind, code byte, swapped, backward bool) Community {
		k := match.FlowKey{Shape: s}
		copy(k.Value(attr.SourcePeerAddress), []byte{10, 0, 0, 1})
		copy(k.Value(attr.DestPeerAddress), []byte{10, 0, 0, 2})
		k.Value(attr.SourceTransType)[0] = icmp
		k.Value(attr.SourceTransAddress)[1], k.Value(attr.DestTransAddress)[1] = kind, code
		if swapped {
			k = k.Reverse()
		}
		id, ok := CommunityOf(&k, backward)
		if !ok {
			t.Fatalf("type %d has no Community ID", kind)
		}
		return id
	}
	if request := of(8, 0, false, false); request != of(8, 0, true, true) || request == of(0, 0, false, false) || request == of(3, 0, false, false) {
		t.Error("a request whose flow was made the other way round is another, or like a reply of the same end")
	}
	if of(3, 3, false, false) == of(3, 3, false, true) {
		t.Error("two ends that tell each other of a closed port have one Community ID")
	}
}

// TestNoAllocation makes identifiers and reads them without allocating, once there is room.
func TestNoAllocation(t *testing.T) {
	var shapes match.Shapes
	s, pair := shapeOf(&shapes, 2, 4, fiveTuple...), shapeOf(&shapes, 2, 4, attr.SourcePeerAddress, attr.DestPeerAddress)
	x := New(64)
	k := tcpFlow(s, 1)
	other := match.FlowKey{Shape: pair, Key: k.Key}
	var f match.Flow
	if n := testing.AllocsPerRun(100, func() {
		for i, k := range []*match.FlowKey{&k, &other} {
			row := uint32(i) + 1
			x.Create(row, k, false)
			f.FlowKey, f.Index = *k, row
			x.Read(&f)
			x.Remove(row, 2)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkCreate makes the identifiers of a new flow where there are a million.
func BenchmarkCreate(b *testing.B) {
	for _, of := range []struct {
		name  string
		attrs []attr.Attr
	}{{"tuple", fiveTuple}, {"pair", fiveTuple[:2]}} {
		b.Run(of.name, func(b *testing.B) {
			var shapes match.Shapes
			s := shapeOf(&shapes, 2, 4, of.attrs...)
			x := New(64)
			const flows = 1 << 20
			i := 0
			create := func() {
				k := tcpFlow(s, i)
				row := 1 + uint32(i%flows)
				x.Remove(row, 2)
				x.Create(row, &k, false)
				i++
			}
			for range flows {
				create()
			}
			b.ReportAllocs()
			for b.Loop() {
				create()
			}
		})
	}
}

// BenchmarkRead reads the identifiers of a flow.
func BenchmarkRead(b *testing.B) {
	var shapes match.Shapes
	x := New(64)
	k := tcpFlow(shapeOf(&shapes, 2, 4, fiveTuple...), 7)
	x.Create(1, &k, false)
	f := match.Flow{FlowKey: k, Index: 1}
	b.ReportAllocs()
	for b.Loop() {
		x.Read(&f)
	}
}
