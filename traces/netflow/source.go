package netflow

import (
	"fmt"
	"io"
	"net/netip"

	"rtfm/traces"
)

// Unwrap returns the exporter and the octets of the UDP datagram that a packet
// holds, false if it holds none.
type Unwrap func(p *traces.Packet) (exporter netip.AddrPort, datagram []byte, ok bool)

// NewSource returns a source of the records in the export datagrams of a trace,
// whose packets unwrap opens. Packets that hold none count as skipped, what the
// exporters' sequence numbers tell as lost. It closes the trace with itself.
//
// Notify, unless it is nil, is told what could not be read: of each kind the
// first time, and how often at the end of the trace.
func NewSource(trace traces.Source, unwrap Unwrap, notify func(message string)) traces.Source {
	return &source{trace: trace, unwrap: unwrap, decoder: Decoder{Notify: notify}}
}

type source struct {
	trace   traces.Source
	unwrap  Unwrap
	decoder Decoder
	batch   traces.Batch // of the trace
	next    int          // packet of it
	skipped uint64
	err     error // what ended the trace
}

// ReadBatch implements traces.Source.
func (s *source) ReadBatch(b *traces.Batch) error {
	if cap(b.Packets) == 0 {
		*b = *traces.NewBatch(batchLen)
	}
	b.Packets, b.Records, b.Until = b.Packets[:0], b.Records[:0], 0
	for s.decoder.Left() == 0 {
		if s.next == len(s.batch.Packets) {
			if s.err != nil {
				return s.err
			}
			s.next = 0
			if s.err = s.trace.ReadBatch(&s.batch); s.err != nil {
				s.batch.Packets = s.batch.Packets[:0]
				if s.err == io.EOF {
					s.decoder.sum()
				}
				return s.err
			}
		}
		for s.next < len(s.batch.Packets) && s.decoder.Left() < cap(b.Packets) {
			p := &s.batch.Packets[s.next]
			s.next++
			exporter, datagram, ok := s.unwrap(p)
			if !ok || !s.decoder.Decode(exporter, p.Time, datagram) {
				s.skipped++
			}
		}
	}
	b.File = s.batch.File
	s.decoder.Take(b)
	return nil
}

// batchLen is the capacity of batches that have none.
const batchLen = 256

// Stats implements traces.Source.
func (s *source) Stats() traces.Stats {
	st := s.trace.Stats()
	st.Skipped += s.skipped
	s.decoder.lost(&st)
	return st
}

// Close implements traces.Source.
func (s *source) Close() error { return s.trace.Close() }

// lost tells what was lost between exporters and here.
func (d *Decoder) lost(st *traces.Stats) {
	st.Lost = d.stats.Lost
	st.PerInterface = nil
	if st.Lost > 0 {
		st.PerInterface = []traces.InterfaceStats{{Number: source1, Name: "netflow", Lost: st.Lost}}
	}
}

// sum tells how often something occurred that was told of once.
func (d *Decoder) sum() {
	if d.Notify == nil {
		return
	}
	for _, c := range []struct {
		n    uint64
		what string
	}{
		{d.stats.Unread, "sets of records came before their templates: they are not counted"},
		{d.stats.Uncounted, "records count no packets: they are left out"},
		{d.stats.Malformed, "export datagrams are malformed: only what stands before that is counted"},
		{d.stats.Forgotten, "exporters were forgotten"},
	} {
		if c.n > 1 {
			d.Notify(fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
}
