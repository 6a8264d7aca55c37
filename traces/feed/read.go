package feed

import (
	"encoding/binary"
	"fmt"

	"rtfm/traces/ipfix"
)

// read reads a message whose place has come.
func (r *Reader) read(m *early, h Handler) error {
	r.unsure = false
	r.seconds = max(r.seconds, m.seconds)
	if m.sequence == 0 && !r.sawZero {
		r.sawZero, r.zero = true, m.seconds
	}
	r.due = m.sequence
	r.Counts.Messages++
	for at := ipfix.HeaderLen; at < len(m.b); {
		b := m.b[at:]
		if len(b) < ipfix.SetHeaderLen {
			r.unsure = true
			return fmt.Errorf("ipfix: set at offset %d: no room for its header", at)
		}
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n < ipfix.SetHeaderLen || n > len(b) {
			r.unsure = true
			return fmt.Errorf("ipfix: set %d at offset %d: its length is %d, of %d octets that there are", id, at, n, len(b))
		}
		body := b[ipfix.SetHeaderLen:n]
		switch {
		case id == ipfix.TemplateSet || id == ipfix.OptionsTemplateSet:
			if err := r.readTemplates(id, body, at+ipfix.SetHeaderLen); err != nil {
				r.unsure = true
				return err
			}
		case id >= ipfix.FirstDataSet:
			r.readData(id, body, h)
		}
		at += n
	}
	return nil
}

// readData reads a set of data records.
func (r *Reader) readData(id uint16, b []byte, h Handler) {
	t := r.templates[id]
	switch {
	case t == nil:
		r.Counts.UnknownSets++
		r.unsure = true
	case t.kind == shapeKind:
		for len(b) > 0 {
			n := r.readShape(b, h)
			if n == 0 {
				break
			}
			r.due++
			b = b[n:]
		}
	case t.length == 0:
		r.Counts.UnknownSets++
		r.unsure = true
	case t.kind == packetKind:
		for ; len(b) >= t.length; b = b[t.length:] {
			r.packet.read(t, b)
			r.due++
			r.Counts.Records++
			h.Packet(&r.packet)
		}
	default:
		for ; len(b) >= t.length; b = b[t.length:] {
			r.due++
			if r.readRecord(t, b[:t.length], h) {
				r.Counts.Records++
			} else {
				r.Counts.Unknown++
			}
		}
	}
}

// read reads PACKET.
func (p *Packet) read(t *template, b []byte) {
	p.Flow, b = readFlow(t, b)
	p.Time, b = ipfix.Nanoseconds(binary.BigEndian.Uint64(b)), b[8:]
	if t.large {
		p.Octets, b = binary.BigEndian.Uint32(b), b[4:]
	} else {
		p.Octets, b = uint32(binary.BigEndian.Uint16(b)), b[2:]
	}
	p.TCPFlags, p.Backward, p.Digest = b[0], b[1] != 0, 0
	if t.form.Digest {
		p.Digest = binary.BigEndian.Uint32(b[2:])
	}
}

func readFlow(t *template, b []byte) (id uint64, rest []byte) {
	if t.form.Narrow {
		return uint64(binary.BigEndian.Uint32(b)), b[4:]
	}
	return binary.BigEndian.Uint64(b), b[8:]
}

// readRecord reads a record of NEW, END or STATS; false if it is none.
func (r *Reader) readRecord(t *template, b []byte, h Handler) bool {
	switch t.kind {
	case statsKind:
		var s Stats
		s.read(b)
		h.Stats(&s)
		return true
	case newKind, endKind:
	default:
		return false
	}
	e := &r.end
	e.Flow, b = readFlow(t, b)
	if t.shape == nil || b[8] != t.shape.RuleSet {
		return false
	}
	e.Shape = t.shape
	e.First = ipfix.Nanoseconds(binary.BigEndian.Uint64(b))
	e.Index, e.Collisions, b = binary.BigEndian.Uint32(b[9:]), binary.BigEndian.Uint16(b[13:]), b[15:]
	if t.kind == newKind {
		e.Key = b
		h.New(&e.New)
		return true
	}
	e.Begun, e.Last = ipfix.Nanoseconds(binary.BigEndian.Uint64(b)), ipfix.Nanoseconds(binary.BigEndian.Uint64(b[8:]))
	e.Reason, b = Reason(b[16]), b[17:]
	for d := range 2 {
		e.PDUs[d], e.Octets[d], b = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), b[16:]
	}
	e.Told, b = binary.BigEndian.Uint64(b), b[8:]
	if t.icmp != 0 {
		b = b[2:]
	}
	e.Key = b
	h.End(e)
	return true
}

// read reads STATS.
func (s *Stats) read(b []byte) {
	s.Time, b = ipfix.Nanoseconds(binary.BigEndian.Uint64(b[4:])), b[12:]
	for _, n := range []*uint64{&s.Packets, &s.Ignored, &s.Uncounted, &s.Lost, &s.DroppedMessages, &s.DroppedRecords} {
		*n, b = binary.BigEndian.Uint64(b), b[8:]
	}
	s.Flows, s.First = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
}
