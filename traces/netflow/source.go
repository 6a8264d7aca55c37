package netflow

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"rtfm/traces/format"

	"rtfm/traces"
)

// Unwrap returns the exporter, the octets of the UDP datagram that a packet holds,
// and how many that datagram has: more than there are octets if it was sent in
// fragments, of which the packet is the first, or was not captured whole; 0 if
// there is none.
type Unwrap func(p *traces.Packet) (exporter netip.AddrPort, datagram []byte, size int)

// ErrNoExports means that a trace has packets, but none with an export datagram.
var ErrNoExports = errors.New("no packet holds an export datagram of NetFlow 5, NetFlow 9 or IPFIX")

// NewSource returns a source of the records in the export datagrams of a trace,
// whose packets unwrap opens. Packets that hold none count as skipped, what is
// missing by the exporters' sequence numbers as lost. A trace without any ends
// with ErrNoExports. Closing the source closes the trace.
//
// c.Notify is told what could not be read: of each kind the first time, and how
// often at the end of the trace.
func NewSource(trace traces.Source, unwrap Unwrap, c Config) traces.Source {
	return &source{trace: trace, unwrap: unwrap, decoder: Decoder{Config: c}}
}

type source struct {
	trace   traces.Source
	unwrap  Unwrap
	decoder Decoder
	batch   traces.Batch // of the trace
	file    string       // of the batch before
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
			s.next, s.file = 0, cmp.Or(s.batch.File, s.file)
			if s.err = s.trace.ReadBatch(&s.batch); s.err != nil {
				s.batch.Packets = s.batch.Packets[:0]
				if s.err == io.EOF {
					return s.ended()
				}
				return s.err
			}
		}
		for s.next < len(s.batch.Packets) && s.decoder.Left() < cap(b.Packets) {
			p := &s.batch.Packets[s.next]
			s.next++
			if exporter, datagram, size := s.unwrap(p); !s.decoder.decode(exporter, p.Time, datagram, size) {
				s.skipped++
			}
		}
	}
	b.File = s.batch.File
	s.decoder.Take(b)
	return nil
}

// ended tells what there is to say at the end of the trace, and returns how that
// ended.
func (s *source) ended() error {
	s.decoder.sum()
	if st := &s.decoder.stats; s.skipped > 0 && st.Datagrams+st.Foreign+st.Partial == 0 {
		return &format.Error{File: s.file, Err: fmt.Errorf("%d packets: %w", s.skipped, ErrNoExports)}
	}
	return io.EOF
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
		{d.stats.Implausible, "records count more than a flow has: they are left out"},
		{d.stats.Partial, "export datagrams were sent in fragments, or not captured whole: they are not counted"},
		{d.stats.Foreign, "datagrams are of exporters that were not asked for: they are not counted"},
		{d.stats.Malformed, "export datagrams are malformed: only what stands before that is counted"},
		{d.stats.Forgotten, "templates' exporters, or domains of these, were forgotten"},
	} {
		if c.n > 1 {
			d.Notify(fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
}
