package format

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"rtfm/traces"
)

// The block types that are read (draft-ietf-opsawg-pcapng section 4, and
// appendix A for the obsolete Packet Block). All others are passed over.
const (
	ngSection    = 0x0a0d0d0a
	ngInterface  = 1
	ngPacket     = 2
	ngSimple     = 3
	ngStatistics = 5
	ngEnhanced   = 6
)

// ngByteOrder is the byte-order magic of a Section Header Block.
const ngByteOrder = 0x1a2b3c4d

// The options that are read: comments of a section, of an Interface Description Block
// its name, time resolution, frame check sequence and time offset, of an Interface
// Statistics Block the packets that were dropped.
const (
	ngOptEnd      = 0
	ngOptComment  = 1
	ngOptName     = 2
	ngOptResol    = 9
	ngOptFCS      = 13
	ngOptOffset   = 14
	ngOptIfDrop   = 5
	ngDropUnknown = 0xffff // in a Packet Block
)

// The lengths of blocks in octets: of the header and trailer that all have, of
// both with the body's fixed part, and the most that is believed.
const (
	ngOverhead      = 12
	ngSectionMin    = 28
	ngInterfaceMin  = 20
	ngPacketMin     = 32 // Enhanced Packet Block and Packet Block
	ngSimpleMin     = 16
	ngStatisticsMin = 24
	ngMax           = maxCapturedHuge + 1<<16
)

// What is kept of a file at most: interfaces of a section and of all, and octets
// of the name of each.
const (
	maxInterfaces    = 1 << 16
	maxAllInterfaces = 1 << 20
	maxName          = 256
	maxComments      = 64 // of sections, of maxName octets each
)

// pcapng reads the blocks of a pcapng file.
type pcapng struct {
	big        bool
	interfaces []ngIface // those of the current section
	before     uint32    // the number of interfaces in the sections before
	time       int64     // of the last packet that had one
	simple     bool      // there was a packet without
	changes    ngChanges // of the scan
	described  []traces.Interface
	comments   []string // of sections
}

// ngChanges is what a scan has changed that is not of packets.
type ngChanges struct {
	time    int64    // of the last packet, before
	dropped []ngDrop // in their order
}

// ngDrop is what an interface's statistics said before.
type ngDrop struct {
	id      uint32
	dropped uint64
}

// maxNgDrops is how many statistics a scan reads.
const maxNgDrops = 4096

// ngIface is an interface of a section.
type ngIface struct {
	frame   frame
	snap    uint32 // most octets that are captured of a packet; 0 is all
	tick    int64  // nanoseconds in a unit of time, or 0 when clock has to tell
	clock   ngClock
	dropped uint64 // packets, as its statistics said last
}

func (g *pcapng) name() string { return "pcapng" }

// again undoes what packets and statistics have changed. Other blocks change
// something only when they have been read, as the last of their scan.
func (g *pcapng) again() {
	g.time = g.changes.time
	for _, d := range slices.Backward(g.changes.dropped) {
		g.interfaces[d.id].dropped = d.dropped
	}
}

func (g *pcapng) tell(d *traces.Description) {
	d.Detail, d.Interfaces, d.Comments = byteOrderName(g.big), g.described, g.comments
}

// openPcapng begins with the first Section Header Block, which is a record.
func openPcapng(*input) (format, error) { return new(pcapng), nil }

// isPcapng reports whether head begins a pcapng file.
func isPcapng(head []byte) bool {
	return len(head) >= 4 && binary.LittleEndian.Uint32(head) == ngSection
}

func (g *pcapng) uint32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if g.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (g *pcapng) uint16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if g.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (g *pcapng) uint64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if g.big {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// scan implements format. Where a section begins or an interface is described it
// ends, before and after that block, so that again need not undo these.
func (g *pcapng) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	g.changes.time, g.changes.dropped = g.time, g.changes.dropped[:0]
	for len(b.Packets) < cap(b.Packets) && len(g.changes.dropped) < maxNgDrops {
		rest := win[used:]
		if len(rest) < ngOverhead {
			return used, ngOverhead, nil
		}
		kind := g.uint32(rest)
		if kind == ngSection {
			if used > 0 {
				return used, 0, nil
			}
			if err := g.byteOrder(rest); err != nil {
				return used, 0, err
			}
		}
		size := g.uint32(rest[4:])
		if size < ngOverhead || size%4 != 0 || size > ngMax {
			return used, 0, corrupt("block length %d", size)
		}
		if len(rest) < int(size) {
			return used, int(size), nil
		}
		block := rest[:size:size]
		if end := g.uint32(block[size-4:]); end != size {
			return used, 0, corrupt("block length %d is %d at its end", size, end)
		}
		switch kind {
		case ngEnhanced, ngPacket, ngSimple:
			err = g.packet(kind, block, b, st)
		case ngSection, ngInterface:
			if len(b.Packets) > 0 {
				return used, 0, nil
			}
			if kind == ngSection {
				err = g.section(block)
			} else {
				err = g.describe(block)
			}
			if err != nil {
				return used, 0, err
			}
			st.Records++
			st.Skipped++
			return used + int(size), 0, nil
		case ngStatistics:
			err = g.statistics(block, st)
		}
		if err != nil {
			return used, 0, err
		}
		if kind != ngEnhanced && kind != ngPacket && kind != ngSimple {
			st.Skipped++
		}
		st.Records++
		used += int(size)
	}
	return used, 0, nil
}

// byteOrder sets the byte order by that of the section that head begins.
func (g *pcapng) byteOrder(head []byte) error {
	switch magic := head[8:12]; uint32(ngByteOrder) {
	case binary.LittleEndian.Uint32(magic):
		g.big = false
	case binary.BigEndian.Uint32(magic):
		g.big = true
	default:
		return corrupt("byte-order magic % x", magic)
	}
	return nil
}

// section begins a new section.
func (g *pcapng) section(block []byte) error {
	if len(block) < ngSectionMin {
		return corrupt("section header of %d octets", len(block))
	}
	// Version 1.2 was written by some programs that meant 1.0.
	major, minor := g.uint16(block[12:]), g.uint16(block[14:])
	if major != 1 || minor != 0 && minor != 2 {
		return corrupt("version %d.%d", major, minor)
	}
	g.before += uint32(len(g.interfaces))
	g.interfaces = g.interfaces[:0]
	g.options(block[24:len(block)-4], func(code uint16, value []byte) { // whatever stands behind them
		if code == ngOptComment && len(value) > 0 && len(g.comments) < maxComments {
			g.comments = append(g.comments, string(value[:min(len(value), maxName)]))
		}
	})
	return nil
}

// describe adds an interface to the section.
func (g *pcapng) describe(block []byte) error {
	if len(block) < ngInterfaceMin {
		return corrupt("interface description of %d octets", len(block))
	}
	switch len(g.interfaces) {
	case maxInterfaces:
		return corrupt("more than %d interfaces in a section", maxInterfaces)
	case maxAllInterfaces - int(g.before):
		return corrupt("more than %d interfaces in all sections", maxAllInterfaces)
	}
	f := ngIface{snap: g.uint32(block[12:])}
	name, resol, offset, fcs := "", uint8(6), int64(0), uint8(0)
	err := g.options(block[16:len(block)-4], func(code uint16, value []byte) {
		switch {
		case code == ngOptName && len(g.described) < maxDescribed:
			name = string(bytes.TrimRight(value[:min(len(value), maxName)], "\x00"))
		case code == ngOptResol && len(value) == 1:
			resol = value[0]
		case code == ngOptOffset && len(value) == 8:
			offset = int64(g.uint64(value))
		case code == ngOptFCS && len(value) == 1:
			fcs = ngFCS(value[0])
		}
	})
	if err != nil {
		return err
	}
	f.frame = newFrame(traces.LinkType(g.uint16(block[8:])), fcs)
	f.clock = newNgClock(resol, offset)
	f.tick = f.clock.simple()
	g.interfaces = append(g.interfaces, f)
	if len(g.described) < maxDescribed {
		g.described = append(g.described, traces.Interface{
			Number: g.before + uint32(len(g.interfaces)), Name: name, Link: f.frame.link, Snap: f.snap, Unit: f.clock.unit(),
		})
	}
	return nil
}

// ngFCS returns the length in octets of the frame check sequence that an
// if_fcslen option tells. The specification has bits, and writers have octets.
func ngFCS(n uint8) uint8 {
	if n > 8 {
		n /= 8
	}
	return n
}

// statistics reads an Interface Statistics Block, whose counts are since the
// beginning of the capture.
func (g *pcapng) statistics(block []byte, st *traces.Stats) error {
	if len(block) < ngStatisticsMin {
		return corrupt("interface statistics of %d octets", len(block))
	}
	id := g.uint32(block[8:])
	if id >= uint32(len(g.interfaces)) {
		return corrupt("statistics of interface %d of %d", id, len(g.interfaces))
	}
	f := &g.interfaces[id]
	dropped := f.dropped
	err := g.options(block[20:len(block)-4], func(code uint16, value []byte) {
		if code == ngOptIfDrop && len(value) == 8 {
			dropped = max(dropped, g.uint64(value))
		}
	})
	if dropped > f.dropped {
		st.Lose(g.before+id+1, dropped-f.dropped)
		g.changes.dropped = append(g.changes.dropped, ngDrop{id, f.dropped})
		f.dropped = dropped
	}
	return err
}

// options calls each with the options of a block.
func (g *pcapng) options(b []byte, each func(code uint16, value []byte)) error {
	for len(b) >= 4 {
		code, n := g.uint16(b), int(g.uint16(b[2:]))
		if code == ngOptEnd {
			return nil
		}
		if b = b[4:]; len(b) < n {
			return corrupt("option %d has %d octets of %d", code, len(b), n)
		}
		each(code, b[:n])
		b = b[min(len(b), (n+3)&^3):]
	}
	return nil
}

// packet appends the packet of a block to b, which has room for it.
func (g *pcapng) packet(kind uint32, block []byte, b *traces.Batch, st *traces.Stats) error {
	head := ngPacketMin - 4
	if kind == ngSimple {
		head = ngSimpleMin - 4
	}
	if len(block) < head+4 {
		return corrupt("packet block of %d octets", len(block))
	}
	data := block[head : len(block)-4]

	var id uint32 // a Simple Packet Block is of the first interface
	switch kind {
	case ngEnhanced:
		id = g.uint32(block[8:])
	case ngPacket:
		id = uint32(g.uint16(block[8:]))
	}
	if id >= uint32(len(g.interfaces)) {
		return corrupt("packet of interface %d of %d", id, len(g.interfaces))
	}
	f := &g.interfaces[id]

	var captured, wire uint32
	if kind == ngSimple {
		// It has no time either, and keeps that of the packet before.
		g.simple = true
		wire = g.uint32(block[8:])
		captured = wire
		if f.snap != 0 {
			captured = min(captured, f.snap)
		}
	} else {
		var fits bool
		if g.time, fits = f.time(uint64(g.uint32(block[12:]))<<32 | uint64(g.uint32(block[16:]))); !fits {
			st.Clamped++
		}
		captured, wire = g.uint32(block[20:]), g.uint32(block[24:])
	}
	if captured > f.frame.limit {
		return corrupt("captured length %d is more than %d", captured, f.frame.limit)
	}
	if int(captured) > len(data) {
		return corrupt("captured length %d in a block that has room for %d", captured, len(data))
	}

	n := len(b.Packets)
	b.Packets = b.Packets[:n+1]
	k := &b.Packets[n]
	k.Time = g.time
	k.Data = data[:captured:captured]
	k.Wire = wire
	k.FCS = 0
	k.Link = f.frame.link
	k.Interface = g.before + id + 1
	if captured < wire {
		st.Cut++
	}
	if !f.frame.plain() {
		f.frame.strip(k)
	}
	if kind == ngPacket {
		if n := g.uint16(block[10:]); n != ngDropUnknown {
			st.Lose(k.Interface, uint64(n))
		}
	}
	return nil
}

// time returns when a number of the interface's units have passed, as ngClock
// does.
func (f *ngIface) time(ticks uint64) (t int64, fits bool) {
	if f.tick != 0 {
		if hi, ns := bits.Mul64(ticks, uint64(f.tick)); hi == 0 && ns <= math.MaxInt64 {
			return int64(ns), true
		}
	}
	return f.clock.time(ticks)
}
