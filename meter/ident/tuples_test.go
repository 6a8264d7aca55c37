package ident

import (
	"encoding/binary"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestTuples has for packets the FlowIDs that their flows get, in both directions, and
// takes no memory for them.
func TestTuples(t *testing.T) {
	var x Tuples
	var shapes match.Shapes
	for _, proto := range []byte{tcp, udp, icmp, 47} {
		for _, peerLen := range []uint8{4, 16, 0} {
			shape := shapeOf(&shapes, 2, peerLen, append([]attr.Attr{attr.SourcePeerType}, fiveTuple...)...)
			flow := match.FlowKey{Shape: shape}
			for _, a := range shape.Saved {
				v := flow.Value(a.Attr)
				for i := range v {
					v[i] = byte(a.Attr) + byte(i)
				}
			}
			flow.Value(attr.SourceTransType)[0] = proto
			p := match.Packet{Key: flow.Key, PeerLen: peerLen}
			want, _ := NewNamer(64).Assign(1, &flow, nil)
			reverse := flow.Reverse()
			back := match.Packet{Key: reverse.Key, PeerLen: peerLen}
			if got, again := x.FlowID(&p), x.FlowID(&back); got != want || again != want {
				t.Errorf("protocol %d, addresses of %d octets: %x, and %x backward, want %x", proto, peerLen, got, again, want)
			}
			if n := testing.AllocsPerRun(100, func() {
				binary.BigEndian.PutUint16(p.Key.Trans(attr.Source)[:], 7)
				x.FlowID(&p)
			}); n != 0 {
				t.Errorf("protocol %d: %v allocations a packet", proto, n)
			}
		}
	}
}
