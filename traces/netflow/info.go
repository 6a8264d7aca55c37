package netflow

import (
	"context"
	"slices"
	"time"

	"rtfm/traces/survey"

	"rtfm/traces"
)

// NewInfo describes a trace as survey.NewInfo does, but only the packets in
// which unwrap finds export datagrams, and what these hold.
func NewInfo(ctx context.Context, trace traces.Source, unwrap Unwrap, gap time.Duration) *survey.Info {
	s := &datagrams{Source: trace, unwrap: unwrap, rows: make(map[domainID]int)}
	s.exports.Exporters = []Exporter{} // an array in JSON too
	info := survey.NewInfo(ctx, s, gap)
	info.Exports = &s.exports
	return info
}

// maxMissing is how many missing templates of an exporter are told. Exporters
// are told apart as far as a Decoder knows them: those beyond maxDomains count
// as the last one.
const maxMissing = 16

// datagrams is a source of the packets of another one that hold export datagrams,
// and notes what is in these.
type datagrams struct {
	traces.Source
	unwrap  Unwrap
	decoder Decoder
	exports Exports
	rows    map[domainID]int // where in exports each is counted
	cut     uint64           // packets with export datagrams
}

// ReadBatch implements traces.Source.
func (s *datagrams) ReadBatch(b *traces.Batch) error {
	for {
		if err := s.Source.ReadBatch(b); err != nil {
			return err
		}
		b.Packets = slices.DeleteFunc(b.Packets, func(p traces.Packet) bool { return !s.packet(&p) })
		if len(b.Packets) > 0 {
			return nil
		}
	}
}

// Stats implements traces.Source.
func (s *datagrams) Stats() traces.Stats {
	st := s.Source.Stats()
	st.Cut = s.cut
	return st
}

// Describe implements traces.Describer.
func (s *datagrams) Describe() traces.Description {
	if d, ok := s.Source.(traces.Describer); ok {
		return d.Describe()
	}
	return traces.Description{}
}

// packet notes what is in a packet, false if that is no export datagram.
func (s *datagrams) packet(p *traces.Packet) bool {
	d := &s.decoder
	before := d.stats
	if exporter, datagram, size := s.unwrap(p); !d.decode(exporter, p.Time, datagram, size) {
		s.exports.Others++
		return false
	}
	if len(p.Data) < int(p.Wire) {
		s.cut++
	}
	x := &s.exports.Exporters[s.row(d.id)]
	n := ExportCounts{
		Datagrams: 1,
		Records:   d.stats.Records - before.Records,
		Uncounted: d.stats.Uncounted - before.Uncounted,
		Lost:      d.stats.Lost - before.Lost, // less than 0 if it was late
		Unread:    d.stats.Unread - before.Unread,
		Malformed: d.stats.Malformed - before.Malformed,
	}
	if d.stats.Lost > before.Lost {
		n.Gaps = 1
	}
	for _, r := range d.records {
		n.PDUs += r.PDUs
		n.Octets += r.Octets
	}
	d.taken = len(d.packets)
	x.Add(n)
	for _, id := range d.missing {
		if len(x.Missing) < maxMissing && !slices.Contains(x.Missing, id) {
			x.Missing = append(x.Missing, id)
		}
	}
	return true
}

// row returns where in exports the datagrams of a domain are counted.
func (s *datagrams) row(id domainID) int {
	i, ok := s.rows[id]
	switch {
	case ok:
		return i
	case len(s.rows) == maxDomains:
		return maxDomains - 1
	}
	s.rows[id] = len(s.exports.Exporters)
	address := id.exporter.String()
	if id.version != 10 {
		address = id.exporter.Addr().String()
	}
	s.exports.Exporters = append(s.exports.Exporters, Exporter{Address: address, Version: id.version, Domain: id.number})
	return s.rows[id]
}
