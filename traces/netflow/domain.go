package netflow

import "net/netip"

// domainID tells the sequences of datagrams apart, and the templates: those of
// an exporter, and within it of a source, observation domain or engine.
type domainID struct {
	exporter netip.AddrPort // without port for NetFlow
	version  uint16
	number   uint32
}

// domain is what is known of a sequence of datagrams.
type domain struct {
	id        domainID
	of        *router // nil if it is not kept
	templates map[uint16]*template
	size      int    // of all templates
	used      uint64 // by Decoder.now, last

	begun   bool
	numbers numbering
	last    uint32 // the latest sequence number
	count   uint32 // how many its datagram had
	next    uint32 // the sequence number that comes next
	uptime  uint32 // of the exporter, in milliseconds; NetFlow only
	gaps    uint64 // lost by the sequence numbers

	sampling uint64            // interval of all that no sampler tells of; 0 is not known
	samplers map[uint64]uint64 // intervals
}

// Sequence numbers that jump further are those of an exporter that has started
// anew, not of datagrams that were lost or are late.
const (
	maxGap  = 1 << 20
	maxLate = 4096
)

// numbering is what an exporter's sequence numbers count: the records before the
// datagram, as they should, or those in it too, as some exporters of IPFIX do.
type numbering uint8

const (
	unsure numbering = iota
	before
	through
)

// sequence notes the number of a datagram that has so many records. It returns
// how many were lost before it: less than none if it is one of those that were
// taken for lost.
func (d *domain) sequence(number, count uint32) int64 {
	if d.begun && d.numbers == unsure && count != d.count {
		switch number {
		case d.next:
			d.numbers = before
		case d.last + count:
			d.numbers, d.next = through, d.last
		}
	}
	last := number
	if d.numbers == through {
		number -= count
	}
	gap := int64(int32(number - d.next))
	switch {
	case !d.begun, gap > maxGap, gap < -maxLate:
		gap = 0
	case gap < 0: // late
		found := min(int64(count), int64(d.gaps))
		d.gaps -= uint64(found)
		return -found
	}
	d.begun = true
	d.last, d.count, d.next = last, count, number+count
	d.gaps += uint64(gap)
	return gap
}

// restarted notes the exporter's uptime. One that was restarted begins to
// number again. Its templates are kept until it replaces them: it may send records
// of the same ones for long, and whoever knows its address could have them
// forgotten by a single datagram.
func (d *domain) restarted(uptime uint32) {
	const late = 60_000 // datagrams are not by more than that, in milliseconds
	back := int32(uptime-d.uptime) < -late
	if back && d.begun {
		d.begun, d.numbers, d.gaps = false, unsure, 0
	}
	if back || !d.begun || int32(uptime-d.uptime) > 0 {
		d.uptime = uptime
	}
}

// put keeps a template, and returns by how much the size of all has grown.
func (d *domain) put(id uint16, t *template) int {
	before := d.size
	d.remove(id)
	if d.templates == nil {
		d.templates = make(map[uint16]*template)
	}
	d.templates[id] = t
	d.size += t.size()
	return d.size - before
}

// remove forgets a template, and returns its size.
func (d *domain) remove(id uint16) int {
	t := d.templates[id]
	if t == nil {
		return 0
	}
	delete(d.templates, id)
	d.size -= t.size()
	return t.size()
}

// interval returns the sampling interval of a flow, 1 if none is known.
func (d *domain) interval(f *flow) uint64 {
	n := f.sampling
	if n == 0 && f.hasSampler {
		n = d.samplers[f.sampler]
	} else if n == 0 {
		n = d.sampling
	}
	return max(n, 1)
}

// setSampling takes what options tell.
func (d *domain) setSampling(o *options) {
	n := o.sampling()
	switch {
	case n == 0:
	case !o.hasSampler:
		d.sampling = n
	default:
		if d.samplers == nil {
			d.samplers = make(map[uint64]uint64)
		}
		if _, known := d.samplers[o.sampler]; known || len(d.samplers) < maxSamplers {
			d.samplers[o.sampler] = n
		}
	}
}
