package flow

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"
)

// full returns the key of a flow that saves all its addresses, as
// all-flows.srl makes it.
func full(shapes *match.Shapes, i uint32) match.FlowKey {
	var saved []match.Saved
	for _, a := range []attr.Attr{
		attr.SourcePeerType, attr.DestPeerType, attr.SourceTransType, attr.DestTransType,
		attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransAddress, attr.DestTransAddress,
	} {
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(a.Info().Size)})
	}
	k := match.FlowKey{Shape: shapes.Intern(2, 4, 0, saved)}
	k.Key.SetPeerType(1)
	k.Key.SetTransType(6)
	number(&k, i)
	return k
}

// number makes k the key of flow i.
func number(k *match.FlowKey, i uint32) {
	binary.BigEndian.PutUint32(k.Key.Peer(attr.Source)[:], 0x0a000000|i)
	binary.BigEndian.PutUint32(k.Key.Peer(attr.Dest)[:], 0xac100000+i%8192)
	binary.BigEndian.PutUint16(k.Key.Trans(attr.Source)[:], uint16(i*7))
	k.Key.Trans(attr.Dest)[1] = 80
}

// random returns one of a few thousand keys of a few shapes.
func random(r *rand.Rand, shapes *match.Shapes) match.FlowKey {
	all := []match.Saved{
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(20)},
		{Attr: attr.DestPeerAddress, Mask: attr.WidthMask(24, 20)},
		{Attr: attr.SourceAdjacentAddress, Mask: attr.Ones(8)},
		{Attr: attr.SourceInterface, Mask: attr.Ones(2)},
		{Attr: attr.FlowKind, Mask: attr.Ones(1)},
		{Attr: attr.SessionID, Mask: attr.Ones(10)},
		{Attr: attr.DestSubscriberID, Mask: attr.Ones(20)},
	}
	var saved []match.Saved
	for _, s := range all {
		if r.IntN(2) == 0 {
			saved = append(saved, s)
		}
	}
	var k match.FlowKey
	k.Shape = shapes.Intern(1+r.IntN(2), []uint8{4, 16, 20}[r.IntN(3)], 6, saved)
	for _, s := range k.Shape.Saved {
		v := k.Value(s.Attr)
		v[len(v)-1] = byte(r.IntN(4))
		v[0] = byte(r.IntN(2))
	}
	return k
}

// TestTableIsMap holds a table to a plain map through creation, counting,
// recovery and reuse of rows.
func TestTableIsMap(t *testing.T) {
	var shapes match.Shapes
	r := rand.New(rand.NewPCG(1, 2))
	const most = 3000
	tab := New(most)
	model := make(map[match.FlowKey]*match.Flow)
	var key Key
	now := int64(1000)
	full := 0
	for range 300_000 {
		now += int64(r.IntN(3))
		k := random(r, &shapes)
		want := model[k]
		tab.Prepare(&key, &k)
		row := tab.Find(&key)
		switch {
		case (row == 0) != (want == nil):
			t.Fatalf("find %+v: row %d, want %+v", k, row, want)
		case want != nil && row != want.Index:
			t.Fatalf("find: row %d, want %d", row, want.Index)
		case want == nil:
			if row = tab.Create(&key, now); (row == 0) != (len(model) == most) {
				t.Fatalf("create with %d of %d flows: row %d", len(model), most, row)
			}
			if row == 0 {
				full++
				continue
			}
			want = &match.Flow{FlowKey: k, Index: row, FirstTime: now}
			model[k] = want
		}
		octets := uint64(r.IntN(1500))
		if r.IntN(2) == 0 {
			tab.Count(row, Forward, 1, octets, now)
			want.ToPDUs++
			want.ToOctets += octets
		} else {
			tab.Count(row, Backward, 1, octets, now)
			want.FromPDUs++
			want.FromOctets += octets
		}
		want.LastTime = now
		if r.IntN(20_000) == 0 {
			recoverAndCompare(t, tab, model, now)
		}
	}
	recoverAndCompare(t, tab, model, now)
	if full == 0 || tab.Recovered() == 0 {
		t.Errorf("full %d times, %d recovered: the test does not test", full, tab.Recovered())
	}
	if got := tab.Created() - tab.Recovered(); got != uint64(len(model)) {
		t.Errorf("created less recovered %d, want %d", got, len(model))
	}
}

// TestPrepareReverse holds the keys of reverse flows to those of their identities.
func TestPrepareReverse(t *testing.T) {
	var shapes match.Shapes
	r := rand.New(rand.NewPCG(2, 3))
	tab := New(1)
	for range 2000 {
		var saved []match.Saved
		for _, in := range attr.All() {
			if c := in.Class; (c == attr.ClassInteger || c == attr.ClassAddress || c == attr.ClassComputed) && r.IntN(4) == 0 {
				saved = append(saved, match.Saved{Attr: in.Attr, Mask: attr.Ones(in.Size)})
			}
		}
		lengths := match.Lengths{Peer: uint8(r.IntN(21)), Adjacent: uint8(r.IntN(9)), InnerPeer: []uint8{0, 4, 16}[r.IntN(3)]}
		k := match.FlowKey{Shape: shapes.InternLengths(1, lengths, saved)}
		for _, s := range k.Shape.Saved {
			for i := range k.Value(s.Attr) {
				k.Value(s.Attr)[i] = byte(r.Uint32())
			}
		}
		back := k.Reverse()
		var key, got, want Key
		for i := range got.words {
			got.words[i] = r.Uint64()
		}
		tab.Prepare(&key, &k)
		tab.PrepareReverse(&got, &key)
		tab.Prepare(&want, &back)
		for i := want.n; i < len(got.words); i++ {
			got.words[i] = 0
		}
		if got != want {
			t.Fatalf("reverse of %+v: %+v, want %+v", k, got, want)
		}
	}
}

func recoverAndCompare(t *testing.T, tab *Table, model map[match.FlowKey]*match.Flow, now int64) {
	t.Helper()
	limits := Limits{1: now - 9000, 2: now - 2000}
	want := 0
	for k, f := range model {
		if f.LastTime < limits[k.Shape.RuleSet] {
			delete(model, k)
			want++
		}
	}
	got := 0
	for range tab.blocks {
		got += tab.Recover(1, &limits, nil)
	}
	if got != want {
		t.Fatalf("recovered %d, want %d", got, want)
	}
	for _, since := range []int64{math.MinInt64, now - 1000, now + 1} {
		seen := 0
		var f match.Flow
		for row := tab.Next(1, since); row != 0; row = tab.Next(row+1, since) {
			seen++
			if !tab.Read(row, &f) {
				t.Fatalf("row %d of Next cannot be read", row)
			}
			if w := model[f.FlowKey]; w == nil || !reflect.DeepEqual(*w, f) {
				t.Fatalf("row %d: %+v, want %+v", row, f, w)
			}
		}
		want := 0
		for _, f := range model {
			if f.LastTime >= since {
				want++
			}
		}
		if seen != want {
			t.Fatalf("%d flows active since %d, want %d", seen, since, want)
		}
	}
	if tab.Active() != len(model) {
		t.Fatalf("%d flows, want %d", tab.Active(), len(model))
	}
}

func TestRowsAreReusedInOrder(t *testing.T) {
	var shapes match.Shapes
	tab := New(10)
	var key Key
	create := func(i uint32, now int64) uint32 {
		k := full(&shapes, i)
		tab.Prepare(&key, &k)
		return tab.Create(&key, now)
	}
	for i := range uint32(6) {
		if row := create(i, int64(i)); row != i+1 {
			t.Fatalf("row %d, want %d", row, i+1)
		}
	}
	limits := Limits{2: 3}
	if n := tab.Recover(1, &limits, nil); n != 3 {
		t.Fatalf("recovered %d", n)
	}
	for i, want := range []uint32{1, 2, 3, 7} {
		if row := create(uint32(100+i), 50); row != want {
			t.Errorf("row %d, want %d", row, want)
		}
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	var shapes match.Shapes
	tab := New(1000)
	k := full(&shapes, 1)
	var key Key
	tab.Prepare(&key, &k)
	row := tab.Create(&key, 1)
	if a := testing.AllocsPerRun(100, func() {
		tab.Prepare(&key, &k)
		tab.Count(tab.Find(&key), Forward, 1, 60, 2)
	}); a != 0 {
		t.Errorf("%v allocations a packet", a)
	}
	if row != 1 {
		t.Errorf("row %d", row)
	}
}

// TestIndexWork counts how far the index has to look as it grows: the cost of
// finding a flow must not depend on how many there are.
func TestIndexWork(t *testing.T) {
	var shapes match.Shapes
	tab := New(math.MaxInt32)
	var key Key
	n := uint32(0)
	sizes := []uint32{1_000, 10_000, 100_000, 500_000}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, flows := range sizes {
		for ; n < flows; n++ {
			k := full(&shapes, n)
			tab.Prepare(&key, &k)
			tab.Create(&key, 1)
		}
		probes := 0
		for i := range uint32(1000) {
			k := full(&shapes, i*(flows/1000))
			tab.Prepare(&key, &k)
			s := tab.index.segment(key.hash)
			for j := key.hash % segmentLen; s.slots[j].row() != tab.Find(&key); j = (j + 1) % segmentLen {
				probes++
			}
		}
		if probes > 5000 {
			t.Errorf("%d flows: %d slots passed in 1000 searches", flows, probes)
		}
	}
}

func BenchmarkTable(b *testing.B) {
	for _, flows := range []uint32{1_000, 100_000, 1_000_000} {
		var shapes match.Shapes
		tab := New(math.MaxInt32)
		var key Key
		k := full(&shapes, 0)
		for i := range flows {
			number(&k, i)
			tab.Prepare(&key, &k)
			tab.Create(&key, 1)
		}
		b.Run("find-count/"+itoa(flows), func(b *testing.B) {
			b.ReportAllocs()
			i := uint32(0)
			for b.Loop() {
				i = i*1664525 + 1013904223
				number(&k, i%flows)
				tab.Prepare(&key, &k)
				tab.Count(tab.Find(&key), Forward, 1, 60, 2)
			}
		})
	}
}

func itoa(n uint32) string {
	return map[uint32]string{1_000: "1k", 100_000: "100k", 1_000_000: "1M"}[n]
}
