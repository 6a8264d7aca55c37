package live

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// A block holds a header and a chain of packets, each after a tpacket3_hdr
// and a sockaddr_ll (linux/if_packet.h). Numbers are in the machine's order.
const (
	blockStatus = 8  // tpacket_hdr_v1.block_status
	blockCount  = 12 // num_pkts
	blockFirst  = 16 // offset_to_first_pkt

	// Offsets from the beginning of a packet's tpacket3_hdr.
	packetNext     = 0 // tp_next_offset
	packetSeconds  = 4
	packetNanos    = 8
	packetCaptured = 12 // tp_snaplen
	packetWire     = 16 // tp_len
	packetStatus   = 20
	packetFrame    = 24 // tp_mac: offset of what was captured
	packetNet      = 26 // tp_net: offset of its network header
	packetTCI      = 32 // hv1.tp_vlan_tci
	packetTPID     = 36
	packetProtocol = 48 + 2 // sockaddr_ll.sll_protocol, in network order
	packetIfIndex  = 48 + 4
	packetHatype   = 48 + 8
	packetType     = 48 + 10
	packetAddrLen  = 48 + 11
	packetAddr     = 48 + 12
	packetHeader   = 48 + 20 // the size of both
)

// headroom is how many octets the kernel leaves free in front of each packet:
// for a cooked capture's header, or a VLAN tag that goes back where it was.
const headroom = 16

// block is what is left to read of a block.
type block struct {
	data []byte // the whole block
	at   int    // the next packet's offset
	left int    // packets
}

// newBlock returns the block that data holds.
func newBlock(data []byte) block {
	return block{data, int(u32(data[blockFirst:])), int(u32(data[blockCount:]))}
}

func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }

// time returns the next packet's time in nanoseconds since 1970.
func (b *block) time() int64 {
	h := b.data[b.at:]
	return int64(u32(h[packetSeconds:]))*1e9 + int64(u32(h[packetNanos:]))
}

// take sets p to the next packet, which came from a device of this kind, and
// moves on. It may write to the octets in front of the packet.
func (b *block) take(p *traces.Packet, from *device) {
	h := b.data[b.at:][:packetHeader:packetHeader]
	frame := b.at + int(u16(h[packetFrame:]))
	status := u32(h[packetStatus:])
	from.stamped[status>>stampBits]++
	if from.all != nil {
		from = from.all.of(int32(u32(h[packetIfIndex:])), u16(h[packetHatype:]))
	}
	p.Time = int64(u32(h[packetSeconds:]))*1e9 + int64(u32(h[packetNanos:]))
	p.Data = b.data[frame : frame+int(u32(h[packetCaptured:]))]
	p.Wire = u32(h[packetWire:])
	p.FCS = 0
	p.Link = from.link
	p.Interface = u32(h[packetIfIndex:])
	p.Direction = from.direction(h[packetType])
	switch {
	case from.link == traces.LinkLinuxSLL:
		b.cook(p, h, frame)
	case status&unix.TP_STATUS_VLAN_VALID != 0 && from.link == traces.LinkEthernet && len(p.Data) >= 12:
		tpid := uint16(unix.ETH_P_8021Q)
		if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			tpid = u16(h[packetTPID:])
		}
		b.tag(p, frame, tpid, uint16(u32(h[packetTCI:])))
	}
	b.left--
	b.at += int(u32(h[packetNext:]))
}

// tag puts back a VLAN tag that the kernel has stripped, after the addresses.
func (b *block) tag(p *traces.Packet, frame int, tpid, tci uint16) {
	end := frame + len(p.Data)
	copy(b.data[frame-4:], p.Data[:12])
	binary.BigEndian.PutUint16(b.data[frame+8:], tpid)
	binary.BigEndian.PutUint16(b.data[frame+10:], tci)
	p.Data = b.data[frame-4 : end]
	p.Wire += 4
}

// cook puts the header of a cooked capture, LINKTYPE_LINUX_SLL, in front of a
// packet whose link header, if it was captured, is taken off.
func (b *block) cook(p *traces.Packet, h []byte, frame int) {
	end := frame + len(p.Data)
	if off := b.at + int(u16(h[packetNet:])) - frame; off > 0 {
		frame += off
		end = max(end, frame)
		p.Wire -= min(uint32(off), p.Wire)
	}
	p.Data = b.data[frame-headroom : end]
	binary.BigEndian.PutUint16(p.Data, uint16(h[packetType]))
	binary.BigEndian.PutUint16(p.Data[2:], u16(h[packetHatype:]))
	binary.BigEndian.PutUint16(p.Data[4:], uint16(h[packetAddrLen]))
	copy(p.Data[6:14], h[packetAddr:])
	copy(p.Data[14:16], h[packetProtocol:])
	p.Wire += headroom
}
