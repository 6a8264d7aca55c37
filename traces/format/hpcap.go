package format

import (
	"encoding/binary"

	"rtfm/traces"
)

// The layout of HPCAP's RAW files: records of seconds and nanoseconds, 4 octets
// each, captured and wire length, 2 octets each, and an Ethernet frame without
// check sequence. A record of the time 0 is padding, of as many octets as its
// lengths say; files of 2 GiB end with it.
const (
	hpcapHeader = 12
	hpcapFile   = 2 << 30
)

// hpcap reads the records of a RAW file. The numbers are those of the capturing
// machine, which nothing tells, and descriptions differ in which length comes
// first, so that both are found out from the first records.
type hpcap struct {
	order hpcapOrder
	hpcapPlace
	before hpcapPlace // at the begin of the scan
}

// hpcapPlace tells what is to be passed over before the next record.
type hpcapPlace struct {
	half bool // the file begins in the middle of a packet
	skip int  // octets of padding, or of half a packet, that are to be passed over
}

// hpcapOrder is how the numbers of records stand.
type hpcapOrder struct {
	big       bool // big-endian
	wireFirst bool // the wire length is the first of the two
}

// hpcapOrders are all of them, the usual ones first.
var hpcapOrders = [...]hpcapOrder{{}, {wireFirst: true}, {big: true}, {big: true, wireFirst: true}}

// hpcapHead is a record's header.
type hpcapHead struct {
	sec, nsec      uint32
	captured, wire uint16
}

// head reads a record's header.
func (o hpcapOrder) head(b []byte) (h hpcapHead) {
	if o.big {
		e := binary.BigEndian
		h = hpcapHead{e.Uint32(b), e.Uint32(b[4:]), e.Uint16(b[8:]), e.Uint16(b[10:])}
	} else {
		e := binary.LittleEndian
		h = hpcapHead{e.Uint32(b), e.Uint32(b[4:]), e.Uint16(b[8:]), e.Uint16(b[10:])}
	}
	if o.wireFirst {
		h.captured, h.wire = h.wire, h.captured
	}
	return h
}

func (h hpcapHead) isPadding() bool { return h.sec == 0 && h.nsec == 0 }

// check finds what no record's header has.
func (h hpcapHead) check() error {
	switch {
	case h.nsec >= 1e9:
		return corrupt("%d nanoseconds past a second", h.nsec)
	case h.captured > h.wire:
		return corrupt("captured length %d is more than the wire length, %d", h.captured, h.wire)
	}
	return nil
}

// openHPCAP finds out how the numbers stand, and where the first record begins:
// a file may begin in the middle of a packet.
func openHPCAP(in *input) (format, error) {
	if err := in.fill(sniffLength); err != nil && len(in.window()) == 0 {
		return nil, err
	}
	head := in.window()
	head = head[:min(len(head), sniffLength)]
	f := new(hpcap)
	most := 0
	for _, o := range hpcapOrders {
		if n := o.ethernet(head); n > most {
			f.order, most = o, n
		}
	}
	if most >= sure || f.order.begins(head) && !f.order.head(head).isPadding() {
		return f, nil
	}
	for at := 1; at < len(head) && at < hpcapHeader+1<<16; at++ {
		for _, o := range hpcapOrders {
			if o.resembles(head[at:]) {
				f.order, f.half, f.skip = o, true, at
				return f, nil
			}
		}
	}
	return f, nil
}

func (*hpcap) name() string { return "hpcap" }

func (f *hpcap) again() { f.hpcapPlace = f.before }

func (f *hpcap) tell(d *traces.Description) {
	d.Detail = byteOrderName(f.order.big)
	if f.order.wireFirst {
		d.Detail += ", wire length first"
	}
	d.Interfaces = []traces.Interface{{Number: 1, Link: traces.LinkEthernet, Unit: "1 ns"}}
}

// scan implements format.
func (f *hpcap) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	f.before = f.hpcapPlace
	if f.half {
		f.half = false
		st.Records++
		st.Skipped++
	}
	for len(b.Packets) < cap(b.Packets) {
		if f.skip > 0 {
			n := min(f.skip, len(win)-used)
			used += n
			// The rest of the padding need not be there.
			if f.skip -= n; f.skip > 0 {
				return used, 1, nil
			}
		}
		rest := win[used:]
		if len(rest) < hpcapHeader {
			return used, hpcapHeader, nil
		}
		h := f.order.head(rest)
		if h.isPadding() {
			f.skip = int(h.captured)
			st.Records++
			st.Skipped++
			used += hpcapHeader
			continue
		}
		if err := h.check(); err != nil {
			return used, 0, err
		}
		end := hpcapHeader + int(h.captured)
		if len(rest) < end {
			return used, end, nil
		}
		b.Packets = append(b.Packets, traces.Packet{
			Time: int64(h.sec)*1e9 + int64(h.nsec), Data: rest[hpcapHeader:end:end], Wire: uint32(h.wire),
			Link: traces.LinkEthernet, Interface: 1,
		})
		if h.captured < h.wire {
			st.Cut++
		}
		st.Records++
		used += end
	}
	return used, 0, nil
}

// ethernet returns how many of the sound records that begin head, of those that
// it holds whole, are Ethernet by their look.
func (o hpcapOrder) ethernet(head []byte) (n int) {
	for len(head) >= hpcapHeader {
		h := o.head(head)
		end := hpcapHeader + int(h.captured)
		if h.check() != nil || len(head) < end {
			break
		}
		if !h.isPadding() && o.begins(head) {
			n++
		}
		head = head[end:]
	}
	return n
}

// begins reports whether head begins with a sound record of Ethernet, or padding.
func (o hpcapOrder) begins(head []byte) bool {
	if len(head) < hpcapHeader {
		return false
	}
	h := o.head(head)
	frame := head[hpcapHeader:min(len(head), hpcapHeader+int(h.captured))]
	return h.check() == nil && (h.isPadding() || len(frame) >= 15 && beginsEthernet(frame))
}

// resembles reports whether head looks like the beginning of a RAW file: after
// any padding, records of Ethernet within an hour of each other.
func (o hpcapOrder) resembles(head []byte) bool {
	before := int64(-1)
	for n := 0; n < sure; {
		if !o.begins(head) {
			return false
		}
		h := o.head(head)
		end := hpcapHeader + int(h.captured)
		if len(head) < end {
			return false
		}
		head = head[end:]
		if h.isPadding() {
			if before < 0 && end == hpcapHeader {
				return false // nothing but zeros, for all that is known
			}
			continue
		}
		sec := int64(h.sec)
		if before >= 0 && max(sec-before, before-sec) > 60*60 {
			return false
		}
		before = sec
		n++
	}
	return true
}

func isHPCAP(head []byte) bool {
	for _, o := range hpcapOrders {
		if o.resembles(head) {
			return true
		}
	}
	return false
}
