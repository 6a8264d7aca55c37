package format

import (
	"encoding/binary"
	"maps"
	"slices"

	"rtfm/traces"
)

// furtherKey is what interfaces of a file are told apart by.
type furtherKey struct {
	number uint32
	link   traces.LinkType
}

// ngRecorder writes a pcapng file of one section, little-endian and with
// nanoseconds.
type ngRecorder struct {
	snap    uint32
	begun   bool
	frames  []frame               // of the interfaces, by ID
	further map[furtherKey]uint32 // IDs of interfaces with a second link type
	names   map[uint32]string     // of interfaces that have no description yet, by number
	missing map[uint32]uint64     // packets that were lost, by the interface's ID
	// What stands as comments in the section's header, and in the next packet.
	ofSection, ofPacket string
}

// maxWritten is the highest number of an interface that is written.
const maxWritten = 1 << 16

func (g *ngRecorder) name() string { return "pcapng" }

// begin appends the section's header to b, unless it is there.
func (g *ngRecorder) begin(b []byte) []byte {
	if g.begun {
		return b
	}
	g.begun = true
	from := len(b)
	b = ngOpen(b, ngSection)
	b = binary.LittleEndian.AppendUint32(b, ngByteOrder)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, 1<<64-1) // length not known
	return ngClose(ngAppendComment(b, g.ofSection), from)
}

// ngAppendComment appends a comment to b, unless it is empty, and the end of the options.
func ngAppendComment(b []byte, text string) []byte {
	if text == "" {
		return b
	}
	return ngAppendOption(ngAppendOption(b, ngOptComment, []byte(text)), ngOptEnd, nil)
}

func (g *ngRecorder) about(text string)   { g.ofSection = text }
func (g *ngRecorder) comment(text string) { g.ofPacket = text }

// ngOpen appends the beginning of a block to b, ngClose the end of the block
// that was begun at from.
func ngOpen(b []byte, kind uint32) []byte {
	return append(binary.LittleEndian.AppendUint32(b, kind), 0, 0, 0, 0)
}

func ngClose(b []byte, from int) []byte {
	size := uint32(len(b) - from + 4)
	binary.LittleEndian.PutUint32(b[from+4:], size)
	return binary.LittleEndian.AppendUint32(b, size)
}

// ngAppendOption appends an option to b.
func ngAppendOption(b []byte, code uint16, value []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
	return ngPad(append(b, value...), len(value))
}

// ngPad fills n octets that were appended to b up to a multiple of four.
func ngPad(b []byte, n int) []byte { return append(b, 0, 0, 0)[:len(b)+(4-n%4)%4] }

// add appends the description of an interface to b.
func (g *ngRecorder) add(b []byte, link traces.LinkType, name string, snap uint32) []byte {
	g.frames = append(g.frames, newFrame(link, 0))
	if g.snap != 0 && (snap == 0 || g.snap < snap) {
		snap = g.snap
	}
	from := len(b)
	b = ngOpen(b, ngInterface)
	b = binary.LittleEndian.AppendUint16(b, uint16(link))
	b = append(b, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, snap)
	if name != "" {
		b = ngAppendOption(b, ngOptName, []byte(name))
	}
	b = ngAppendOption(b, ngOptResol, []byte{9})
	b = ngAppendOption(b, ngOptEnd, nil)
	return ngClose(b, from)
}

// describe appends the descriptions of those interfaces to b that are the next
// ones by number.
func (g *ngRecorder) describe(b []byte, interfaces []traces.Interface) []byte {
	for len(g.frames) < len(interfaces) {
		f := &interfaces[len(g.frames)]
		if f.Number != uint32(len(g.frames))+1 {
			break
		}
		b = g.add(g.begin(b), f.Link, f.Name, f.Snap)
	}
	return b
}

// id returns the ID of the interface that a packet is written of, and appends
// its description, and those of interfaces with lower numbers, to b if they
// are not there.
func (g *ngRecorder) id(b []byte, p *traces.Packet) (uint32, []byte, error) {
	id := max(p.Interface, 1) - 1
	if id < uint32(len(g.frames)) && g.frames[id].link == p.Link {
		return id, b, nil
	}
	if id >= maxWritten || p.Link > 0xffff {
		return 0, b, unfit("interface %d of link type %v", p.Interface, p.Link)
	}
	if id >= uint32(len(g.frames)) {
		for n := uint32(len(g.frames)); n <= id; n++ {
			b = g.add(b, p.Link, g.names[n+1], 0)
		}
		return id, b, nil
	}
	k := furtherKey{p.Interface, p.Link}
	id, ok := g.further[k]
	if !ok {
		if len(g.further) == maxWritten {
			return 0, b, unfit("interface %d has packets of link type %v too", p.Interface, p.Link)
		}
		if g.further == nil {
			g.further = make(map[furtherKey]uint32)
		}
		id = uint32(len(g.frames))
		g.further[k] = id
		b = g.add(b, p.Link, "", 0)
	}
	return id, b, nil
}

func (g *ngRecorder) record(b []byte, p *traces.Packet) ([]byte, error) {
	b = g.begin(b)
	id, b, err := g.id(b, p)
	if err != nil {
		return b, err
	}
	from := len(b)
	b = ngAppendPacket(b, id, g.frames[id].extra, p)
	if g.ofPacket != "" {
		b = ngClose(ngAppendComment(b[:len(b)-4], g.ofPacket), from)
		g.ofPacket = ""
	}
	return b, nil
}

// ngAppendPacket appends the Enhanced Packet Block of a packet to b, which has so many
// octets before it that were not on the wire.
func ngAppendPacket(b []byte, id, extra uint32, p *traces.Packet) []byte {
	at, captured := len(b), len(p.Data)
	size := ngPacketMin + (captured+3)&^3
	b = slices.Grow(b, size)[:at+size]
	block, le := b[at:], binary.LittleEndian
	tail := block[size-8:]
	le.PutUint32(tail, 0) // which fills the data up
	le.PutUint32(tail[4:], uint32(size))
	head := block[:ngPacketMin-4]
	le.PutUint32(head, ngEnhanced)
	le.PutUint32(head[4:], uint32(size))
	le.PutUint32(head[8:], id)
	le.PutUint32(head[12:], uint32(uint64(p.Time)>>32))
	le.PutUint32(head[16:], uint32(p.Time))
	le.PutUint32(head[20:], uint32(captured))
	le.PutUint32(head[24:], p.Wire+extra)
	copy(block[ngPacketMin-4:], p.Data)
	return b
}

// finish appends statistics of the interfaces that have lost packets.
func (g *ngRecorder) finish(b []byte) []byte {
	b = g.begin(b)
	for _, id := range slices.Sorted(maps.Keys(g.missing)) {
		for uint32(len(g.frames)) <= id {
			b = g.add(b, traces.LinkEthernet, "", 0)
		}
		from := len(b)
		b = binary.LittleEndian.AppendUint32(ngOpen(b, ngStatistics), id)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no time
		b = ngAppendOption(b, ngOptIfDrop, binary.LittleEndian.AppendUint64(nil, g.missing[id]))
		b = ngAppendOption(b, ngOptEnd, nil)
		b = ngClose(b, from)
	}
	return b
}

func (g *ngRecorder) lost(number uint32, n uint64) {
	if g.missing == nil {
		g.missing = make(map[uint32]uint64)
	}
	g.missing[min(max(number, 1), maxWritten)-1] += n
}

func (g *ngRecorder) notes() (n []string) {
	if len(g.further) > 0 {
		n = append(n, "an interface of pcapng has one link type: packets of others are of interfaces with new numbers now")
	}
	return n
}
