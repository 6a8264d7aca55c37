package meter

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter/packet"
	"rtfm/meter/stream"
	"rtfm/traces"
)

// TestSights sees packets by random views: the fast way gives what the plain one
// gives, a packet and the same the other way round differ in the bit for that
// only, and recall gives all visible bits again.
func TestSights(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, p := range randomTrace(r, 300) {
		var got match.Packet
		packet.Decode(&got, p.Link, p.Data, p.Wire)
		got.Key.SetInterfaces(3, 3)
		if got.PeerLen > maxMemoPeer {
			continue
		}
		for range 8 {
			var see attr.Key
			words := [...]int{0, 1, 3, 4, 10, 20, 21, 22, 23, 24}
			for _, w := range words[:1+r.IntN(len(words))] {
				for i := range 8 {
					see[8*w+i] = byte(r.Uint32()) | byte(r.Uint32()&0xff)
				}
			}
			if r.IntN(2) == 0 {
				see = attr.Key{0: 0xff, 8: 0xff, 32: 0xff, 33: byte(r.Uint32()), 35: 0xff}
			}
			see[39] = 0
			if r.IntN(2) == 0 {
				see[attr.InnerSourcePeerType.Info().Offset] = 0xff
			}
			for i, b := range see.Reverse() {
				see[i] |= b
			}
			for i := range got.Key[attr.CommonWords()[1]:] {
				got.Key[attr.CommonWords()[1]+i] = byte(r.Uint32())
			}
			v := newView(see)
			w := make([]uint64, v.sightLen())
			if !v.see(&got, w) {
				t.Fatal("a packet cannot be seen")
			}
			if v.tuple {
				plain := *v
				plain.tuple = false
				other := make([]uint64, v.sightLen())
				if plain.see(&got, other); !slices.Equal(w, other) {
					t.Errorf("%x the fast way, else %x", w, other)
				}
			}
			back := got
			back.Key = got.Key.Reverse()
			other := make([]uint64, v.sightLen())
			v.see(&back, other)
			var again match.Packet
			v.recall(other, &again) // of which the next leaves nothing
			v.recall(w, &again)
			for i, b := range see {
				if got.Key[i]&b != again.Key[i] {
					t.Fatalf("octet %d is %x, recalled as %x", i, got.Key[i]&b, again.Key[i])
				}
			}
			if again.PeerLen != got.PeerLen || again.AdjacentLen != got.AdjacentLen {
				t.Errorf("lengths %d and %d, recalled as %d and %d", got.PeerLen, got.AdjacentLen, again.PeerLen, again.AdjacentLen)
			}
			ends := v.ends
			same := true
			for i := range ends {
				same = same && w[2*i]<<8 == w[2*i+1]<<8
			}
			last := len(w) - 1
			if !same && w[last]^other[last] != sightReverse || !slices.Equal(w[:last], other[:last]) {
				t.Errorf("%x, the other way round %x", w, other)
			}
		}
	}
}

// TestPrepareUsual holds packets that are prepared the fast way to the others.
func TestPrepareUsual(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 50 {
		forms := stream.Forms(1 + r.IntN(256))
		prepared := func(m *memo, in *input) *batch {
			b := new(batch)
			in.prepare(b, []*memo{m}, forms)
			return b
		}
		v := newView(attr.Key{0: 0xff, 8: 0xff, 32: 0xff, 36: 0xff, 37: 0xff, 76: 0xff, 77: 0xff})
		in := &input{ipOctets: r.IntN(2) == 0}
		in.raw.Packets = randomTrace(r, 100)
		for i := range in.raw.Packets {
			p := &in.raw.Packets[i]
			if r.IntN(10) == 0 {
				p.Data = p.Data[:r.IntN(len(p.Data))]
			}
			if r.IntN(10) == 0 {
				p.Link = traces.LinkRaw
			}
		}
		got := prepared(newMemo(v, nil), in)
		plain := *v
		if plain.tuple = false; !v.tuple {
			t.Fatal("not a view of tuples")
		}
		want := prepared(newMemo(&plain, nil), in)
		if !slices.Equal(got.seen, want.seen) || !slices.Equal(got.known[0].sights, want.known[0].sights) || len(got.odd) != len(want.odd) || !reflect.DeepEqual(&got.streamed, &want.streamed) {
			t.Fatalf("have %+v\n%x\n%+v\nwant %+v\n%x\n%+v", got.seen, got.known[0].sights, got.streamed, want.seen, want.known[0].sights, want.streamed)
		}
	}
}

// TestTupleViews tells which rulesets have their packets prepared the fast way.
func TestTupleViews(t *testing.T) {
	for name, test := range map[string]struct {
		see   attr.Key
		tuple bool
	}{
		"nothing":            {attr.Key{}, true},
		"ports":              {attr.Key{32: 0xff, 33: 0xff, 72: 0xff}, true},
		"peers and ports":    {attr.Key{0: 0xff, 15: 0xff, 32: 0xff}, true},
		"adjacent addresses": {attr.Key{24: 1, 64: 1}, false},
		"DSCodePoint":        {attr.Key{81: 0xfc}, false},
		"SourceASN":          {attr.Key{20: 1}, false},
		"TunnelKind":         {attr.Key{164: 1}, false},
		"MPLSLabel":          {attr.Key{170: 1}, false},
		"inner ports":        {attr.Key{176: 1, 200: 1}, false},
	} {
		if v := newView(test.see); v.tuple != test.tuple {
			t.Errorf("%s: %t", name, v.tuple)
		}
	}
}
