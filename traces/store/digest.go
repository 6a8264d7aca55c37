package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
)

// The digest stands behind the places of an index. It is in pages, each with a checksum,
// so that few of them have to be read to find a flow:
//
//	head      digestMagic; flows without addresses, with those of 4 and 16 octets;
//	          octets of lists; chunks that may have anything
//	anything  the numbers of these chunks
//	flows     three tables of Keys without the zeros in them, each with where its
//	          list begins: they are in the order of their lower ends
//	others    places in the tables of flows with addresses, by their higher ends
//	lists     for each flow how many chunks it is in, and their numbers, each as what
//	          it is more than the one before
const (
	digestMagic = "rtfmflow"
	digestHead  = 8 + 5*4
	pageLen     = 16 << 10
	pageBody    = pageLen - 4
)

// addressLengths are those that the tables of a digest have.
var addressLengths = [...]uint8{0, 4, 16}

// recordLen returns the octets of a flow in the table of addresses of this length.
func recordLen(length uint8) int64 {
	n := int64(keyLength + 4)
	if length > 0 {
		n += 2 * (int64(length) + 2)
	}
	return n
}

// pages writes the octets of a digest. salt is what a file's digest has of its own.
type pages struct {
	w      io.Writer
	salt   int64
	number uint64
	buf    []byte
	err    error // the first
}

// add appends octets to the digest.
func (p *pages) add(b []byte) {
	for len(b) > 0 {
		part := min(len(b), pageBody-len(p.buf))
		p.buf = append(p.buf, b[:part]...)
		if b = b[part:]; len(p.buf) == pageBody {
			p.end()
		}
	}
}

// end writes the page at hand, and returns the first error of all.
func (p *pages) end() error {
	if len(p.buf) == 0 || p.err != nil {
		p.buf = p.buf[:0] // of a disk that is full, or the like
		return p.err
	}
	b := binary.LittleEndian.AppendUint32(p.buf, pageSum(p.buf, p.salt, p.number))
	p.buf = p.buf[:0]
	p.number++
	_, p.err = p.w.Write(b)
	return p.err
}

// pageSum returns the checksum of a page.
func pageSum(b []byte, salt int64, number uint64) uint32 {
	var at [16]byte
	binary.LittleEndian.PutUint64(at[:], uint64(salt))
	binary.LittleEndian.PutUint64(at[8:], number)
	return crc32.Update(crc32.Checksum(b, castagnoli), castagnoli, at[:])
}

// ordered is a flow to be sorted: its lead, and its place.
type ordered struct {
	lead uint64
	flow uint32
}

// lead returns what the order of flows by an end goes by at first: octets of the end, and
// if its address is a short one, those of the key instead of the zeros behind it.
func (k *Key) lead(end int) uint64 {
	e := binary.BigEndian.Uint64(k.end(end)[:])
	if k[keyLength] == 4 {
		port := k.Port(end)
		e |= uint64(port[0])<<24 | uint64(port[1])<<16 | uint64(k[keyPeerType])<<8 | uint64(k[keyTransType])
	}
	return e
}

// sorted returns the flows with addresses of a length, by one of their ends.
func (f *flows) sorted(length uint8, end int, room []ordered) []ordered {
	n := 0
	for i := range f.list {
		if f.list[i][keyLength] == length {
			n++
		}
	}
	list := slices.Grow(room[:0], n)
	for i := range f.list {
		if k := &f.list[i]; k[keyLength] == length {
			list = append(list, ordered{k.lead(end), uint32(i)})
		}
	}
	slices.SortFunc(list, func(a, b ordered) int {
		if a.lead != b.lead {
			return cmp.Compare(a.lead, b.lead)
		}
		j, k := &f.list[a.flow], &f.list[b.flow]
		return cmp.Or(bytes.Compare(j.end(end)[:], k.end(end)[:]), bytes.Compare(j[:], k[:]))
	})
	return list
}

// write writes the digest. Nothing can be added after it.
func (f *flows) write(w io.Writer, salt int64) error {
	le := binary.LittleEndian
	f.slots, f.tuples.slots = nil, nil // memory is needed for what follows
	starts, chunks := f.lists()
	var (
		tables [len(addressLengths)][]ordered
		others = make([]byte, 0, 4*len(f.list))
		room   []ordered
		end    uint32
		places = make([]uint32, len(f.list)) // in their tables
		at     = make([]uint32, len(f.list)) // of their lists
	)
	for n, length := range addressLengths {
		tables[n] = f.sorted(length, 0, nil)
		for place, o := range tables[n] {
			places[o.flow], at[o.flow] = uint32(place), end
			end += listLen(chunks[starts[o.flow]:starts[o.flow+1]])
		}
		if length == 0 {
			continue
		}
		room = f.sorted(length, 1, room)
		for _, o := range room {
			others = le.AppendUint32(others, places[o.flow])
		}
	}
	var anything []byte
	for i := range f.chunks {
		if f.chunks[i].any {
			anything = le.AppendUint32(anything, uint32(i))
		}
	}
	p := &pages{w: w, salt: salt, buf: make([]byte, 0, pageLen)}
	b := append(make([]byte, 0, 64), digestMagic...)
	for n := range tables {
		b = le.AppendUint32(b, uint32(len(tables[n])))
	}
	b = le.AppendUint32(b, end)
	p.add(le.AppendUint32(b, uint32(len(anything)/4)))
	p.add(anything)
	for _, table := range tables {
		for _, o := range table {
			p.add(le.AppendUint32(f.list[o.flow].appendShort(b[:0]), at[o.flow]))
		}
	}
	p.add(others)
	for _, table := range tables {
		for _, o := range table {
			b = appendList(b[:0], chunks[starts[o.flow]:starts[o.flow+1]])
			p.add(b)
		}
	}
	return p.end()
}

// appendList appends a list of chunks, in order, and listLen returns how many octets
// that takes.
func appendList(b []byte, list []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	before := uint32(0)
	for _, c := range list {
		b = binary.AppendUvarint(b, uint64(c-before))
		before = c
	}
	return b
}

func listLen(list []uint32) uint32 {
	n := uvarintLen(uint32(len(list)))
	before := uint32(0)
	for _, c := range list {
		n += uvarintLen(c - before)
		before = c
	}
	return n
}

// appendShort appends the key without zeros behind addresses, and without their length.
func (k *Key) appendShort(b []byte) []byte {
	b = append(b, k[:keyLength]...)
	n := k[keyLength]
	if n == 0 {
		return b
	}
	for end := range 2 {
		b = append(b, k.Address(end)[:n]...)
		b = append(b, k.Port(end)[:]...)
	}
	return b
}

// setShort sets the key to one that appendShort has written.
func (k *Key) setShort(b []byte, length uint8) {
	*k = Key{}
	copy(k[:keyLength], b)
	k[keyLength] = length
	if length == 0 {
		return
	}
	n := int(length)
	for end := range 2 {
		e := b[keyLength+end*(n+2):]
		copy(k.Address(end)[:], e[:n])
		copy(k.Port(end)[:], e[n:])
	}
}
