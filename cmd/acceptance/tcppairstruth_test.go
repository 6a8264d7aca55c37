package acceptance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"

	"rtfm/traces/format"

	"rtfm/ruleset/match"

	"rtfm/meter/packet"
	"rtfm/traces"
)

// tcpPair is a time that tshark gives an ACK: since the segment whose end it
// names was sent.
type tcpPair struct {
	frame     int
	time, rtt int64 // nanoseconds
	outermost bool  // not in a tunnel
}

// What tshark's pairs are, by the segment that is acknowledged.
const (
	pairTunnelled = "in a tunnel"
	pairHandshake = "SYN, by SYN-ACK"
	pairRefused   = "SYN, by RST"
	pairSYNACK    = "SYN-ACK"
	pairFIN       = "FIN without data"
	pairData      = "data"
	pairTwice     = "data sent or captured twice"
	pairOther     = "of no one segment, or in another tunnel"
)

// tcpPairs is how many pairs of each kind tshark finds in all traces: 20,573
// together. The meter looks for the first two kinds. Of handshakes it finds as
// many. Of data it finds 105 more: an ACK may cover a segment without naming its
// end, which tshark does not pair. What is sent twice makes no pair, by design;
// ACKs of SYN-ACK and FIN are not looked for.
var tcpPairs = map[string]int{
	pairHandshake: 983,
	pairData:      17_146,
	pairSYNACK:    973,
	pairFIN:       950,
	pairTwice:     263,
	pairTunnelled: 105,
	pairOther:     90,
	pairRefused:   63,
}

// The meter's own pairs in all traces.
const (
	ourHandshakes = 983
	ourData       = 17_251
)

// tcpSegment is a TCP segment of a trace.
type tcpSegment struct {
	time  int64
	flags byte
	data  bool
	twice bool // some of the data was sent before or after, too
}

// tcpEdge is where the sequence numbers of a sender are behind a segment.
type tcpEdge struct {
	ends string // addresses and ports of sender and receiver
	next uint32
}

// Flags of TCP (RFC 9293 section 3.1).
const (
	fin = 1 << iota
	syn
	rst
)

// classify says what pairs of a trace are.
func classify(t *testing.T, trace string, pairs []tcpPair) map[string]int {
	t.Helper()
	segments := map[tcpEdge][]*tcpSegment{}
	answers := map[int]tcpEdge{} // by frame: what it acknowledges
	resets := map[int]bool{}
	src := format.OpenSequence([]string{trace}, func(string) {})
	defer src.Close()
	batch := traces.NewBatch(256)
	var p match.Packet
	for frame := 0; ; {
		err := src.ReadBatch(batch)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			continue // what was damaged is another test's
		}
		for i := range batch.Packets {
			frame++
			from := &batch.Packets[i]
			packet.Decode(&p, from.Link, from.Data, from.Wire)
			if p.Flags&(match.HasTransport|match.Fragment) != match.HasTransport || p.Key.TransType() != 6 || len(p.Data) < int(p.Transport)+14 {
				continue
			}
			h := p.Data[p.Transport:]
			ends := func(a, b int) string {
				return fmt.Sprint(p.Key.Peer(a)[:16], p.Key.Trans(a)[:], p.Key.Peer(b)[:16], p.Key.Trans(b)[:])
			}
			s := &tcpSegment{time: from.Time, flags: h[13]}
			seq := binary.BigEndian.Uint32(h[4:])
			length := uint32(0)
			if header := uint32(h[12]>>4) * 4; p.TransportOctets > header {
				length = p.TransportOctets - header
			}
			s.data = length > 0
			next := seq + length
			for _, one := range []byte{syn, fin} {
				if s.flags&one != 0 {
					next++
				}
			}
			edge := tcpEdge{ends(0, 1), next}
			for _, other := range segments[edge] {
				other.twice, s.twice = other.twice || s.data && other.data, s.twice || s.data && other.data
			}
			segments[edge] = append(segments[edge], s)
			answers[frame] = tcpEdge{ends(1, 0), binary.BigEndian.Uint32(h[8:])}
			resets[frame] = s.flags&rst != 0
		}
	}
	kinds := map[string]int{}
	for _, pair := range pairs {
		kind := pairTunnelled
		if pair.outermost {
			kind = pairOther
			for _, s := range segments[answers[pair.frame]] {
				if d := s.time + pair.rtt - pair.time; -2000 < d && d < 2000 { // tshark's times may have microseconds only
					kind = s.kind(resets[pair.frame])
				}
			}
		}
		kinds[kind]++
	}
	return kinds
}

// kind says what the pair of s and its ACK is.
func (s *tcpSegment) kind(reset bool) string {
	switch {
	case s.data && s.twice:
		return pairTwice
	case s.data:
		return pairData
	case s.flags&(syn|16) == syn|16:
		return pairSYNACK
	case s.flags&syn != 0 && reset:
		return pairRefused
	case s.flags&syn != 0:
		return pairHandshake
	case s.flags&fin != 0:
		return pairFIN
	}
	return pairOther
}
