package netflow

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"rtfm/traces"
)

// Stats counts what a Decoder has seen.
type Stats struct {
	// Datagrams were decoded, with so many records of flows.
	Datagrams, Records uint64
	// Lost is what is missing by the sequence numbers: records of NetFlow 5 and
	// IPFIX, datagrams of NetFlow 9.
	Lost uint64
	// Unread is the number of sets of records whose template had not come.
	Unread uint64
	// Uncounted is the number of records that count no packets.
	Uncounted uint64
	// Implausible is the number of counts, of a record in a direction, that are
	// more than any flow has and were left out.
	Implausible uint64
	// Malformed is the number of datagrams that end within a set or record, or
	// contradict themselves. What comes before that is decoded.
	Malformed uint64
	// Partial is the number of datagrams that a trace does not hold in one piece,
	// since they were sent in fragments or not captured whole.
	Partial uint64
	// Foreign is the number of datagrams from unwanted exporters.
	Foreign uint64
	// Forgotten is the number of exporters' domains whose templates gave way to
	// those of others.
	Forgotten uint64
}

// Config says what to decode.
type Config struct {
	// Exporters, unless there are none, are the addresses whose datagrams are
	// believed. All others are counted only.
	Exporters []netip.Prefix
	// Notify, unless it is nil, is told when something of Stats occurs first.
	Notify func(message string)
}

// Decoder decodes export datagrams. It is not safe for concurrent use.
type Decoder struct {
	Config

	stats     Stats
	toldLost  bool
	domains   map[domainID]*domain
	exporters map[netip.Addr]*router
	order     list.List // of exporters, the one used last at the back
	size      int       // of all templates
	now       uint64    // goes up with each datagram

	// The flows that were decoded; of these so many were taken.
	packets []traces.Packet
	records []traces.Record
	headers []byte
	taken   int
	// Of the datagram at hand.
	exporter  netip.AddrPort
	time      int64
	id        domainID // of its sequence
	missing   []uint16 // templates that sets of it wanted
	whole     bool     // not malformed so far
	dataCount uint32
	countable bool // the number of its records is known
}

// Stats returns what was counted so far.
func (d *Decoder) Stats() Stats { return d.stats }

// source1 is the number of the one interface that all records come from.
const source1 = 1

// The lengths of headers and records in octets.
const (
	v5Header    = 24
	v5Record    = 48
	v9Header    = 20
	ipfixHeader = 16
	setHeader   = 4
)

// Decode decodes a datagram that came from exporter at a time in nanoseconds
// since the Unix epoch. It returns false if this is no export datagram, or none
// from a wanted exporter.
func (d *Decoder) Decode(exporter netip.AddrPort, time int64, b []byte) bool {
	v := version(b, len(b))
	if v == 0 || !d.wanted(exporter) {
		return false
	}
	d.time, d.whole = time, true
	d.dataCount, d.countable, d.missing = 0, true, d.missing[:0]
	if d.Left() == 0 {
		d.packets, d.records, d.headers, d.taken = d.packets[:0], d.records[:0], d.headers[:0], 0
	}
	switch v {
	case 5:
		d.v5(b)
	case 9:
		d.v9(b)
	case 10:
		d.ipfix(b)
	}
	d.stats.Datagrams++
	return true
}

// wanted notes where a datagram comes from, and reports whether those of that
// exporter were asked for.
func (d *Decoder) wanted(exporter netip.AddrPort) bool {
	d.exporter = netip.AddrPortFrom(exporter.Addr().Unmap(), exporter.Port())
	if len(d.Exporters) == 0 || slices.ContainsFunc(d.Exporters, func(p netip.Prefix) bool { return p.Contains(d.exporter.Addr()) }) {
		return true
	}
	if d.stats.Foreign++; d.stats.Foreign == 1 {
		d.notify("this exporter was not asked for")
	}
	return false
}

// decode decodes a datagram of size octets of which a trace has b, as Decode does
// if that is all.
func (d *Decoder) decode(exporter netip.AddrPort, time int64, b []byte, size int) bool {
	if size > len(b) {
		d.partial(exporter, b, size)
		return false
	}
	return d.Decode(exporter, time, b)
}

// partial counts a datagram of size octets of which a trace has b together.
func (d *Decoder) partial(exporter netip.AddrPort, b []byte, size int) {
	if version(b, size) == 0 || !d.wanted(exporter) {
		return
	}
	if d.stats.Partial++; d.stats.Partial == 1 {
		d.notify("it was sent in fragments, or not captured whole, and is left out")
	}
}

// version returns which version of NetFlow, or 10 for IPFIX, a datagram of size
// octets that begins with b is of; 0 if of none.
func version(b []byte, size int) int {
	if len(b) < ipfixHeader {
		return 0
	}
	number := func(at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	switch number(0) {
	case 5:
		if n := number(2); n > 0 && size >= v5Header+n*v5Record && len(b) >= v5Header {
			return 5
		}
	case 9:
		if len(b) >= v9Header && isSet(b[v9Header:], size-v9Header) {
			return 9
		}
	case 10:
		if number(2) == size && (size == ipfixHeader || isSet(b[ipfixHeader:], size-ipfixHeader)) {
			return 10
		}
	}
	return 0
}

// v5 decodes a datagram of NetFlow 5.
func (d *Decoder) v5(b []byte) {
	count := int(binary.BigEndian.Uint16(b[2:]))
	dm := d.domain(5, uint32(binary.BigEndian.Uint16(b[20:])), false)
	d.keep(dm)
	dm.restarted(binary.BigEndian.Uint32(b[4:]))
	d.sequence(dm, binary.BigEndian.Uint32(b[16:]), uint32(count))
	// The two highest bits are the mode.
	dm.sampling = uint64(binary.BigEndian.Uint16(b[22:]) & 0x3fff)
	for b = b[v5Header:]; count > 0; count-- {
		f := flow{
			has4: true, flags: b[37], proto: b[38], tos: [2]uint8{b[39]},
			ports:      [2]uint16{binary.BigEndian.Uint16(b[32:]), binary.BigEndian.Uint16(b[34:])},
			interfaces: [2]uint32{uint32(binary.BigEndian.Uint16(b[12:])), uint32(binary.BigEndian.Uint16(b[14:]))},
			asn:        [2]uint32{uint32(binary.BigEndian.Uint16(b[40:])), uint32(binary.BigEndian.Uint16(b[42:]))},
			prefix:     [2]uint8{b[44], b[45]},
		}
		copy(f.v4[0][:4], b)
		copy(f.v4[1][:4], b[4:])
		f.pdus[0] = uint64(binary.BigEndian.Uint32(b[16:]))
		f.octets[0] = uint64(binary.BigEndian.Uint32(b[20:]))
		d.put(dm, &f)
		b = b[v5Record:]
	}
}

// v9 decodes a datagram of NetFlow 9 (RFC 3954 section 5.1).
func (d *Decoder) v9(b []byte) {
	dm := d.domain(9, binary.BigEndian.Uint32(b[16:]), false)
	dm.restarted(binary.BigEndian.Uint32(b[4:]))
	d.sequence(dm, binary.BigEndian.Uint32(b[12:]), 1)
	d.sets(dm, b[v9Header:], false)
}

// ipfix decodes an IPFIX message (RFC 7011 section 3.1).
func (d *Decoder) ipfix(b []byte) {
	dm := d.domain(10, binary.BigEndian.Uint32(b[12:]), true)
	number := binary.BigEndian.Uint32(b[8:])
	d.sets(dm, b[ipfixHeader:], true)
	d.sequence(dm, number, d.dataCount)
	dm.begun = dm.begun && d.countable
}

// isSet reports whether b begins with the header of a set that size octets hold.
func isSet(b []byte, size int) bool {
	if len(b) < setHeader {
		return false
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	return n >= setHeader && n <= size
}

// sets decodes the sets of a datagram.
func (d *Decoder) sets(dm *domain, b []byte, ipfix bool) {
	for len(b) >= setHeader {
		if !isSet(b, len(b)) {
			d.malformed("a set of %d octets where %d are left", binary.BigEndian.Uint16(b[2:]), len(b))
			return
		}
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		set := b[setHeader:n]
		switch {
		case id > 255:
			d.data(dm, id, set)
		case !ipfix && id == 0, ipfix && id == 2:
			d.templates(dm, set, ipfix)
		case !ipfix && id == 1, ipfix && id == 3:
			d.optionsTemplates(dm, set, ipfix)
		}
		b = b[n:]
	}
}

// templates takes the templates of a set.
func (d *Decoder) templates(dm *domain, b []byte, ipfix bool) {
	for len(b) >= 4 {
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if n == 0 {
			if ipfix && (id > 255 || id == 2) {
				d.withdraw(dm, id, false)
				continue
			}
			return // filling
		}
		t, rest, ok := specifiers(b, n, 0, ipfix)
		if !d.template(dm, id, t, ok) {
			return
		}
		b = rest
	}
}

// optionsTemplates takes the options templates of a set, whose headers differ
// (RFC 3954 section 6.1, RFC 7011 section 3.4.2.2).
func (d *Decoder) optionsTemplates(dm *domain, b []byte, ipfix bool) {
	for len(b) >= 6 || ipfix && len(b) >= 4 {
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if ipfix && n == 0 && (id > 255 || id == 3) {
			d.withdraw(dm, id, true)
			b = b[4:]
			continue
		}
		if id == 0 || len(b) < 6 {
			return // filling
		}
		scopes := int(binary.BigEndian.Uint16(b[4:]))
		if !ipfix { // lengths in octets
			n, scopes = n/4+scopes/4, n/4
		}
		b = b[6:]
		t, rest, ok := specifiers(b, n, scopes, ipfix)
		if ok {
			t.options = true
		}
		if !d.template(dm, id, t, ok) {
			return
		}
		b = rest
	}
}

// template keeps a template; false if there is something wrong with it.
func (d *Decoder) template(dm *domain, id uint16, t *template, ok bool) bool {
	switch {
	case !ok:
		d.malformed("template %d ends early", id)
		return false
	case id < 256 || t.least == 0:
		d.malformed("template %d of %d octets", id, t.least)
		return false
	case len(t.fields) > maxFields:
		d.malformed("template %d of more than %d fields", id, maxFields)
		return true
	}
	d.keep(dm)
	d.grow(dm, dm.put(id, t))
	if dm.of.size <= maxOwnSize {
		return true
	}
	// This domain alone has them.
	d.grow(dm, -dm.size)
	dm.templates, dm.size = nil, 0
	d.malformed("more templates than any exporter has")
	return false
}

// withdraw forgets a template, or all of a kind by the number of their set
// (RFC 7011 section 8.1).
func (d *Decoder) withdraw(dm *domain, id uint16, options bool) {
	if dm.of == nil {
		return
	}
	if id > 255 {
		d.grow(dm, -dm.remove(id))
		return
	}
	for id, t := range dm.templates {
		if t.options == options {
			d.grow(dm, -dm.remove(id))
		}
	}
}

// data decodes the records of a set.
func (d *Decoder) data(dm *domain, id uint16, b []byte) {
	t := dm.templates[id]
	if t == nil {
		d.countable = false
		d.missing = append(d.missing, id)
		d.stats.Unread++
		if d.stats.Unread == 1 {
			d.notify("records came before their template %d and cannot be read", id)
		}
		return
	}
	for len(b) >= t.least { // what is less is filling
		var f flow
		var o options
		n, ok := t.record(b, &f, &o)
		if !ok {
			d.malformed("a record of template %d ends early", id)
			return
		}
		b = b[n:]
		d.dataCount++
		if t.options {
			dm.setSampling(&o)
		} else if !t.feed || f.isCounted() {
			d.put(dm, &f)
		}
	}
}

// put adds a flow to those that were decoded.
func (d *Decoder) put(dm *domain, f *flow) {
	d.stats.Records++
	if !f.hasMeter {
		addr := d.exporter.Addr().AsSlice()
		copy(f.meter[:], addr[max(len(addr)-4, 0):])
	}
	sampling := dm.interval(f)
	counted := false
	for direction := range 2 {
		r := f.record(direction, sampling)
		if r.PDUs == 0 {
			continue
		}
		counted = true
		if r.PDUs > maxPDUs || r.Octets > maxOctets {
			if d.stats.Implausible++; d.stats.Implausible == 1 {
				d.notify("a record of %d packets and %d octets, more than a flow has, is left out", r.PDUs, r.Octets)
			}
			continue
		}
		from := len(d.headers)
		var link traces.LinkType
		d.headers, link = f.headers(d.headers, direction)
		data := d.headers[from:len(d.headers):len(d.headers)]
		d.records = append(d.records, r)
		d.packets = append(d.packets, traces.Packet{
			Time: d.time, Data: data, Wire: uint32(len(data)), Link: link, Interface: source1,
		})
	}
	if !counted {
		d.stats.Uncounted++
		if d.stats.Uncounted == 1 {
			d.notify("a record counts no packets and is left out")
		}
	}
}

// Take moves as many decoded flows to b as it has room for. Their octets are
// valid until Decode is called with none left to take.
func (d *Decoder) Take(b *traces.Batch) {
	to := d.taken + min(cap(b.Packets)-len(b.Packets), d.Left())
	b.Packets = append(b.Packets, d.packets[d.taken:to]...)
	b.Records = append(b.Records, d.records[d.taken:to]...)
	d.taken = to
}

// Left returns the number of flows that were decoded and not yet taken.
func (d *Decoder) Left() int { return len(d.packets) - d.taken }

// sequence counts what the datagram's sequence number tells to be lost.
func (d *Decoder) sequence(dm *domain, number, count uint32) {
	lost := dm.sequence(number, count)
	if lost > 0 && !d.toldLost {
		d.toldLost = true
		d.notify("sequence number %d tells of losses", number)
	}
	d.stats.Lost += uint64(lost) // down, too
}

// malformed counts the datagram at hand as malformed.
func (d *Decoder) malformed(format string, args ...any) {
	d.countable = false
	if !d.whole {
		return
	}
	d.whole = false
	d.stats.Malformed++
	if d.stats.Malformed == 1 {
		d.notify("malformed: "+format, args...)
	}
}

// tell tells of something that is not of a datagram.
func (d *Decoder) tell(format string, args ...any) {
	if d.Notify != nil {
		d.Notify(fmt.Sprintf(format, args...))
	}
}

// notify tells of the datagram at hand.
func (d *Decoder) notify(format string, args ...any) {
	if d.Notify != nil {
		d.Notify(fmt.Sprintf("export datagram from %v: %s", d.exporter, fmt.Sprintf(format, args...)))
	}
}
