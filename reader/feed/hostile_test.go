package feed

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
)

// hostile tells a sink of flows as somebody does who wants to take its time and memory: all
// have few identifiers and long keys, they end at once or never, and come from many meters.
func hostile(t *testing.T, sink Sink, meters, flows int) {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	mask := make([]byte, 250)
	shape := &feed.Shape{RuleSet: 2, Name: "h", Saved: []feed.Saved{{Attribute: uint16(attr.SourcePeerAddress), Mask: mask, Field: ipfix.Field{Element: 8}}}}
	all := make([]*Meter, meters)
	for i := range all {
		all[i] = &Meter{Domain: uint32(i), Input: i % 2, Form: feed.Form{Digest: true}}
	}
	for i := range flows {
		m := all[i%meters]
		m.Heard = time.Unix(1, int64(i)*1000)
		key := make([]byte, len(mask))
		binary.BigEndian.PutUint64(key, uint64(i))
		n := feed.New{Flow: uint64(i / 1000), Shape: shape, Key: key}
		if r.IntN(4) > 0 {
			if err := sink.New(m, &n); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(4) > 0 {
			if err := sink.Packet(m, &feed.Packet{Flow: n.Flow + uint64(r.IntN(2)<<32), Octets: 60, Time: int64(i)}); err != nil {
				t.Fatal(err)
			}
		}
		if r.IntN(2) > 0 {
			if err := sink.End(m, &feed.End{New: n, Reason: feed.Idle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestHostilePair: a pair tries few identifiers for each flow, and keeps no more than it
// says.
func TestHostilePair(t *testing.T) {
	const most, flows = 500, 100_000
	p := NewPair(Tee{})
	p.MaxFlows = most
	hostile(t, p, 64, flows)
	links := 0
	for _, h := range p.heard {
		links += len(h.flows)
	}
	if links > 2*most || links != p.links[0]+p.links[1] || len(p.flows.byID) > 2*most || len(p.flows.byKey) > len(p.flows.byID) {
		t.Errorf("%d flows of meters (%v), %d in all, %d with names; there may be %d of each of two", links, p.links, len(p.flows.byID), len(p.flows.byKey), most)
	}
	keys := 0
	for _, f := range p.flows.byKey {
		keys += f.keyLen()
	}
	if keys != p.flows.keys || keys > 2*most*keyRoom || keys < most*keyRoom {
		t.Errorf("%d octets of names (%d)", keys, p.flows.keys)
	}
	t.Logf("%d identifiers were tried", p.flows.tries)

	// One identifier for all: without a bound, n*n/2 are tried.
	p = NewPair(Tee{})
	m := &Meter{Form: feed.Form{Digest: true}}
	const same = 20_000
	for i := range same {
		n := simFlow(uint64(i), false, 1)
		n.Flow = 7
		if err := p.New(m, &n); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.flows.byID); n != same || p.flows.tries > (mostNext+2)*same {
		t.Errorf("%d flows, %d identifiers were tried", n, p.flows.tries)
	}
}

// TestHostileBook: so do flows that are kept for rows.
func TestHostileBook(t *testing.T) {
	const most = 500
	b := NewBook(nil, 0, most)
	hostile(t, b, 64, 100_000)
	kept, keys := 0, 0
	for _, l := range b.meters {
		kept += len(l.flows)
		for _, e := range l.flows {
			keys += len(e.key)
			if len(e.older) > maxOlder {
				t.Fatalf("%d older parts", len(e.older))
			}
		}
	}
	if kept != int(b.Open) || kept > most || keys != b.keys || keys > most*keyRoom {
		t.Errorf("%d flows (%d), %d octets of keys (%d)", kept, b.Open, keys, b.keys)
	}
}
