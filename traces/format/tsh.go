package format

import (
	"encoding/binary"

	"rtfm/traces"
)

// The layout of the TSH (time sequenced headers) records of NLANR: seconds, an
// interface's number of 8 bits, microseconds of 24 bits, all big-endian; an
// IPv4 header without its options; the first octets of what follows it.
const (
	tshRecord    = 44
	tshHead      = 8
	tshIP        = 20
	tshTransport = tshRecord - tshHead - tshIP
)

// tsh reads the records of a TSH file.
type tsh struct {
	room []byte // for packets whose options are put back
}

// openTSH begins with the first record; there is no header.
func openTSH(*input) (format, error) { return new(tsh), nil }

func (*tsh) name() string { return "tsh" }

// scan implements format.
func (t *tsh) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	t.room = t.room[:0]
	for len(b.Packets) < cap(b.Packets) {
		rest := win[used:]
		if len(rest) < tshRecord {
			return used, tshRecord, nil
		}
		rec := rest[:tshRecord:tshRecord]
		sec, micro := binary.BigEndian.Uint32(rec), binary.BigEndian.Uint32(rec[4:])&(1<<24-1)
		if micro >= 1e6 {
			return used, 0, corrupt("%d microseconds past a second", micro)
		}
		if v := rec[tshHead] >> 4; v != 4 {
			return used, 0, corrupt("IP version %d, want 4", v)
		}
		p := traces.Packet{
			Time: int64(sec)*1e9 + int64(micro)*1000,
			Data: t.datagram(rec[tshHead:]),
			Wire: uint32(binary.BigEndian.Uint16(rec[tshHead+2:])),
			Link: traces.LinkIPv4, Interface: max(1, uint32(rec[4])),
		}
		if p.Wire < tshIP { // as segmentation offload or damage leaves it
			p.Wire = uint32(len(p.Data))
		}
		p.Data = p.Data[:min(len(p.Data), int(p.Wire))]
		if len(p.Data) < int(p.Wire) {
			st.Cut++
		}
		b.Packets = append(b.Packets, p)
		st.Records++
		used += tshRecord
	}
	return used, 0, nil
}

// datagram returns what was captured of a datagram, d, with options of zeros,
// which end the list of options (RFC 791 section 3.1), where its header had
// options, so that what follows stands where the header says.
func (t *tsh) datagram(d []byte) []byte {
	options := int(d[0]&0x0f)*4 - tshIP
	if options <= 0 {
		return d
	}
	at := len(t.room)
	t.room = append(t.room, d[:tshIP]...)
	t.room = append(t.room, make([]byte, options)...)
	t.room = append(t.room, d[tshIP:]...)
	return t.room[at:len(t.room):len(t.room)]
}

// isTSH reports whether head looks like the beginning of a TSH file: sound
// headers of IPv4, at times that may follow each other.
func isTSH(head []byte) bool {
	before := int64(0)
	for n := range sure {
		if len(head) < tshRecord {
			return false
		}
		ip := head[tshHead:]
		sec, micro := int64(binary.BigEndian.Uint32(head)), binary.BigEndian.Uint32(head[4:])&(1<<24-1)
		size, total := int(ip[0]&0x0f)*4, int(binary.BigEndian.Uint16(ip[2:]))
		if micro >= 1e6 || n > 0 && !follows(sec, before) || ip[0]>>4 != 4 || size < tshIP || total < size {
			return false
		}
		before = sec
		head = head[tshRecord:]
	}
	return true
}
