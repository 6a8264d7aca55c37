package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"rtfm/traces"
)

// The blocks of pcapng that are the store's own, of those that are for local use, and
// the one that begins a section.
const (
	blockMark    = 0x80000001
	blockFill    = 0x80000002
	blockSection = 0x0a0d0d0a
)

const (
	chunkSize = 1 << 20 // the most octets of a chunk
	align     = 4096    // where a chunk may begin
	blockLen  = 12      // what all blocks have around their bodies
	markLen   = 104     // of the mark's block
	lossLen   = 36      // of a Loss in the filling
	maxLosses = 100     // that are told of one chunk; the last is of all others then
	// roomForPackets is where packets end at the latest: behind them is room for the
	// filling.
	roomForPackets = chunkSize - align
)

const magic = "rtfm\r\n\x1a\x01"

// Mark is what a chunk says of itself.
type Mark struct {
	Length      uint32 // of the chunk, in octets
	End         uint32 // where its packets end, from its beginning
	File        uint64 // the number of its file
	Number      uint32 // of the chunk in its file, from 0
	Packets     uint32
	First, Last int64  // times of packets: the earliest and latest, nanoseconds since 1970
	Octets      uint64 // of its packets on the wire
	// Lost and Unstored packets came since the chunk before, or while the store was not
	// written; Losses says where.
	Lost, Unstored uint64
	// Cut of its packets have headers only, by Config.Cutoff.
	Cut uint32

	at uint32 // where the mark is in the chunk: 0 but in the first of a file
}

// Loss is what became of packets of an interface that are not in the store: those that
// the capture lost, and those that there was no room for.
type Loss struct {
	Interface      uint32 // its number, as traces.Packet's
	Lost, Unstored uint64
	From, Until    int64 // times of the first and last that was not stored, nanoseconds since 1970; 0 if none was
}

// errChunk is what a chunk that is damaged, or none, is.
var errChunk = errors.New("no chunk of a store, or a damaged one")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crcAt is where the checksum is in the mark's block.
const crcAt = 52

// put writes the mark's block to b, which has markLen octets, without the checksum.
func (m *Mark) put(b []byte) {
	le := binary.LittleEndian
	clear(b[:markLen])
	le.PutUint32(b, blockMark)
	le.PutUint32(b[4:], markLen)
	copy(b[8:], magic)
	le.PutUint32(b[16:], m.Length)
	le.PutUint32(b[20:], m.End)
	le.PutUint32(b[24:], m.Cut)
	// 28: filling of a word
	le.PutUint64(b[32:], m.File)
	le.PutUint32(b[40:], m.Number)
	le.PutUint32(b[44:], m.Packets)
	// 48: filling of a word, crcAt: the checksum
	le.PutUint64(b[56:], uint64(m.First))
	le.PutUint64(b[64:], uint64(m.Last))
	le.PutUint64(b[72:], m.Octets)
	le.PutUint64(b[80:], m.Lost)
	le.PutUint64(b[88:], m.Unstored)
	le.PutUint32(b[markLen-4:], markLen)
}

// readMark returns the mark of the chunk that begins b, which need not hold all of it,
// but all up to the mark.
func readMark(b []byte) (m Mark, err error) {
	le := binary.LittleEndian
	for first := true; ; first = false {
		rest := b[m.at:]
		if len(rest) < blockLen {
			return m, errChunk
		}
		kind, size := le.Uint32(rest), le.Uint32(rest[4:])
		if kind == blockMark {
			b = rest
			break
		}
		if first && kind != blockSection || size < blockLen || size%4 != 0 || uint64(size) > uint64(len(rest)) {
			return m, errChunk
		}
		m.at += size
	}
	if len(b) < markLen || le.Uint32(b[4:]) != markLen || string(b[8:16]) != magic {
		return m, errChunk
	}
	m.fields(b)
	if m.Length%align != 0 || m.Length == 0 || m.Length > chunkSize || m.End < m.at+markLen || m.End > m.Length-blockLen {
		return m, fmt.Errorf("%w: its lengths cannot be", errChunk)
	}
	return m, nil
}

// fields reads the numbers of a mark's block.
func (m *Mark) fields(b []byte) {
	le := binary.LittleEndian
	m.Length, m.End = le.Uint32(b[16:]), le.Uint32(b[20:])
	m.Cut, m.File = le.Uint32(b[24:]), le.Uint64(b[32:])
	m.Number, m.Packets = le.Uint32(b[40:]), le.Uint32(b[44:])
	m.First, m.Last = int64(le.Uint64(b[56:])), int64(le.Uint64(b[64:]))
	m.Octets, m.Lost, m.Unstored = le.Uint64(b[72:]), le.Uint64(b[80:]), le.Uint64(b[88:])
}

// count counts a packet.
func (m *Mark) count(p *traces.Packet) {
	if m.Packets == 0 || p.Time < m.First {
		m.First = p.Time
	}
	if m.Packets == 0 || p.Time > m.Last {
		m.Last = p.Time
	}
	m.Packets++
	m.Octets += uint64(p.Wire)
}

// seal fills a chunk of b up to its length, m.Length, and writes mark and checksum.
func (m *Mark) seal(b []byte, losses []Loss) {
	m.put(b[m.at:])
	putLosses(b[m.End:m.Length], losses)
	binary.LittleEndian.PutUint32(b[m.at+crcAt:], checksum(b[:m.Length], m.at))
}

// putLosses makes a filling of fill.
func putLosses(fill []byte, losses []Loss) {
	le := binary.LittleEndian
	clear(fill)
	le.PutUint32(fill, blockFill)
	le.PutUint32(fill[4:], uint32(len(fill)))
	le.PutUint32(fill[8:], uint32(len(losses)))
	for i, l := range losses {
		at := fill[12+i*lossLen:]
		le.PutUint32(at, l.Interface)
		le.PutUint64(at[4:], l.Lost)
		le.PutUint64(at[12:], l.Unstored)
		le.PutUint64(at[20:], uint64(l.From))
		le.PutUint64(at[28:], uint64(l.Until))
	}
	le.PutUint32(fill[len(fill)-4:], uint32(len(fill)))
}

// filled returns how long a chunk is whose packets end there, with so many losses.
func filled(end uint32, losses int) uint32 {
	return (end + blockLen + 4 + uint32(losses)*lossLen + align - 1) &^ (align - 1)
}

// checksum returns that of a chunk with the mark at this place.
func checksum(b []byte, at uint32) uint32 {
	var zero [4]byte
	crc := crc32.Update(0, castagnoli, b[:at+crcAt])
	crc = crc32.Update(crc, castagnoli, zero[:])
	return crc32.Update(crc, castagnoli, b[at+crcAt+4:])
}

// check returns an error if the whole chunk b, of this mark, is damaged.
func (m *Mark) check(b []byte) error {
	if uint32(len(b)) < m.Length || binary.LittleEndian.Uint32(b[m.at+crcAt:]) != checksum(b[:m.Length], m.at) {
		return fmt.Errorf("%w: its checksum is wrong", errChunk)
	}
	return nil
}

// losses returns those in the filling of a chunk that has been checked.
func (m *Mark) losses(b []byte) []Loss {
	if m.Lost == 0 && m.Unstored == 0 {
		return nil
	}
	return getLosses(b[m.End:m.Length])
}

// getLosses returns those in a filling.
func getLosses(fill []byte) []Loss {
	le := binary.LittleEndian
	n := min(int(le.Uint32(fill[8:])), (len(fill)-16)/lossLen)
	if n == 0 {
		return nil
	}
	losses := make([]Loss, n)
	for i := range losses {
		at := fill[12+i*lossLen:]
		losses[i] = Loss{le.Uint32(at), le.Uint64(at[4:]), le.Uint64(at[12:]), int64(le.Uint64(at[20:])), int64(le.Uint64(at[28:]))}
	}
	return losses
}
