package testfile

import (
	"io"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// source gives the packets of a test.
type source struct {
	list  []packets
	given uint64 // of the first of these
	stats traces.Stats
}

// ReadBatch implements traces.Source.
func (s *source) ReadBatch(b *traces.Batch) error {
	b.Reset("")
	for len(s.list) > 0 && len(b.Packets) < cap(b.Packets) {
		p := &s.list[0]
		b.Packets = append(b.Packets, traces.Packet{
			Time: tracetest.Start + p.at + int64(s.given)*p.every,
			Data: p.data, Wire: uint32(len(p.data)), Link: traces.LinkEthernet, Interface: p.iface,
		})
		if s.given++; s.given == p.n {
			s.list, s.given = s.list[1:], 0
		}
	}
	if len(b.Packets) == 0 {
		return io.EOF
	}
	s.stats.Records += uint64(len(b.Packets))
	return nil
}

// Stats implements traces.Source.
func (s *source) Stats() traces.Stats { return s.stats }

// Close implements traces.Source.
func (s *source) Close() error { return nil }
