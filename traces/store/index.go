package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
)

// index is where the chunks of a file are, and of which time. It only saves reading:
// a file without one is read whole.
type index struct{ chunks []place }

// place is a chunk in a file.
type place struct {
	at          int64
	length      uint32
	packets     uint32
	first, last int64  // times of its packets
	missing     uint64 // packets that came since the chunk before and are not stored
}

const (
	indexMagic = "rtfm idx"
	// An index has a head, with its magic, a version, the number of chunks and the
	// file's size; the places; and a checksum.
	indexHead  = 8 + 4 + 4 + 8
	placeLen   = 40
	mostChunks = 1 << 24
)

func (ix *index) add(m *Mark, at int64) {
	ix.chunks = append(ix.chunks, place{at, m.Length, m.Packets, m.First, m.Last, m.Lost + m.Unstored})
}

func (ix *index) packets() (n uint64) {
	for i := range ix.chunks {
		n += uint64(ix.chunks[i].packets)
	}
	return n
}

// write writes the index of a file of this size. It appears when it is whole.
func (ix *index) write(path string, size int64) error {
	le := binary.LittleEndian
	b := make([]byte, 0, indexHead+len(ix.chunks)*placeLen+4)
	b = append(b, indexMagic...)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint32(b, uint32(len(ix.chunks)))
	b = le.AppendUint64(b, uint64(size))
	for _, p := range ix.chunks {
		b = le.AppendUint64(b, uint64(p.at))
		b = le.AppendUint32(b, p.length)
		b = le.AppendUint32(b, p.packets)
		b = le.AppendUint64(b, uint64(p.first))
		b = le.AppendUint64(b, uint64(p.last))
		b = le.AppendUint64(b, p.missing)
	}
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	temporary := path + ".new"
	if err := os.WriteFile(temporary, b, 0o640); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

var errIndex = errors.New("no index of this file, or a damaged one")

// readIndex reads the index of a file of this size.
func readIndex(path string, size int64) (ix index, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return ix, err
	}
	if st.Size() < indexHead+4 || st.Size() > indexHead+4+mostChunks*placeLen {
		return ix, errIndex
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return ix, err
	}
	return parseIndex(b, size)
}

// parseIndex returns the index that b is, of a file of this size.
func parseIndex(b []byte, size int64) (ix index, err error) {
	le := binary.LittleEndian
	if len(b) < indexHead+4 || string(b[:8]) != indexMagic || le.Uint32(b[8:]) != 1 {
		return ix, errIndex
	}
	body, sum := b[:len(b)-4], le.Uint32(b[len(b)-4:])
	n := int(min(le.Uint32(b[12:]), mostChunks+1))
	if n > mostChunks || crc32.Checksum(body, castagnoli) != sum || int64(le.Uint64(b[16:])) != size || len(body) != indexHead+n*placeLen {
		return ix, errIndex
	}
	ix.chunks = make([]place, n)
	for i := range ix.chunks {
		at := body[indexHead+i*placeLen:]
		ix.chunks[i] = place{int64(le.Uint64(at)), le.Uint32(at[8:]), le.Uint32(at[12:]), int64(le.Uint64(at[16:])), int64(le.Uint64(at[24:])), le.Uint64(at[32:])}
	}
	return ix, nil
}
