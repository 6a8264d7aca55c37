package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// index is where the chunks of a file are, and of which time, and which flows are in
// which of them. It only saves reading: a file without one is read whole.
type index struct {
	chunks []place
	flows  *flows // that are written with it, nil for none
}

// place is a chunk in a file.
type place struct {
	number      int // from 0
	at          int64
	length      uint32
	packets     uint32
	first, last int64  // times of its packets
	missing     uint64 // packets that came since the chunk before and are not stored
}

const (
	indexMagic = "rtfm idx"
	// An index has a head, with its magic, a version, the number of chunks and the
	// file's size; the places; and a checksum. Behind it is the digest, if there is one.
	indexVersion = 2
	indexHead    = 8 + 4 + 4 + 8
	placeLen     = 40
	mostChunks   = 1 << 24
)

func (ix *index) add(m *Mark, at int64) {
	ix.chunks = append(ix.chunks, place{len(ix.chunks), at, m.Length, m.Packets, m.First, m.Last, m.Lost + m.Unstored})
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
	b = le.AppendUint32(b, indexVersion)
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
	sum := crc32.Checksum(b, castagnoli)
	b = le.AppendUint32(b, sum)
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && ix.flows != nil && len(ix.flows.chunks) == len(ix.chunks) {
		err = ix.flows.write(f, int64(sum))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(temporary)
		return err
	}
	return os.Rename(temporary, path)
}

var errIndex = errors.New("no index of this file, or a damaged one")

// readIndex reads the index of a file of this size, and finds the chunks that flows may
// be in unless q is nil; wanted is nil if that is not known.
func readIndex(path string, size int64, q *Flows) (ix index, wanted []bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return ix, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return ix, nil, err
	}
	ix, at, sum, err := parseIndex(f, st.Size(), size)
	if err != nil || q == nil || at == st.Size() {
		return ix, nil, err
	}
	if d, err := openDigest(f, at, st.Size()-at, int64(sum), len(ix.chunks)); err == nil {
		if wanted, err = d.find(q, len(ix.chunks)); err != nil {
			wanted = nil
		}
	}
	return ix, wanted, nil
}

// parseIndex returns the index that the octets of r, as many as length, are of a file of
// this size, and where its digest begins.
func parseIndex(r io.ReaderAt, length, size int64) (ix index, digest int64, sum uint32, err error) {
	le := binary.LittleEndian
	head := make([]byte, indexHead)
	if _, err := r.ReadAt(head, 0); err != nil {
		return ix, 0, 0, errIndex
	}
	version, n := le.Uint32(head[8:]), int64(le.Uint32(head[12:]))
	digest = indexHead + n*placeLen + 4
	if string(head[:8]) != indexMagic || n > mostChunks || int64(le.Uint64(head[16:])) != size ||
		version != indexVersion && version != 1 || digest > length || version == 1 && digest != length {
		return ix, 0, 0, errIndex
	}
	b := make([]byte, digest)
	if _, err := r.ReadAt(b, 0); err != nil {
		return ix, 0, 0, errIndex
	}
	body := b[:digest-4]
	if sum = le.Uint32(b[digest-4:]); crc32.Checksum(body, castagnoli) != sum {
		return ix, 0, 0, errIndex
	}
	ix.chunks = make([]place, n)
	for i := range ix.chunks {
		at := body[indexHead+i*placeLen:]
		ix.chunks[i] = place{i, int64(le.Uint64(at)), le.Uint32(at[8:]), le.Uint32(at[12:]), int64(le.Uint64(at[16:])), int64(le.Uint64(at[24:])), le.Uint64(at[32:])}
	}
	return ix, digest, sum, nil
}
