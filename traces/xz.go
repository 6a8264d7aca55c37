package traces

import (
	"io"

	"github.com/ulikunitz/xz"
)

// newXZ returns a decompressor of xz data. The library allocates whatever
// dictionary a block's header asks for, up to 4 GiB, so an xzGuard reads along
// below it.
func newXZ(in *input) (io.Reader, func() error, error) {
	r, err := xz.NewReader(&xzGuard{in: in, want: xzStreamHeader, next: (*xzGuard).stream})
	return r, nil, err
}

// The lengths in octets of a stream's header and footer (the .xz file format
// 1.2, section 2.1).
const (
	xzStreamHeader = 12
	xzStreamFooter = 12
)

// xzGuard passes xz data on and follows its structure so far that it sees the
// header of each block, to refuse those whose dictionary is too large. What
// else may be wrong the decompressor finds.
type xzGuard struct {
	in   *input
	skip int                              // octets to pass on without a look
	head []byte                           // those collected for next
	want int                              // how many next wants; it is not 0
	next func(g *xzGuard, b []byte) error // sets skip, want and next anew

	check   int    // length of the check behind each block of the stream
	packed  int    // length of the block's data so far, modulo 4
	control byte   // of the LZMA2 chunk
	index   int    // length of the index so far, modulo 4
	fields  uint64 // numbers of the index still to come; 0 before the first
	number  uint64 // number of the index that is being read
	shift   uint   // bits of it that have been read
}

// Read implements io.Reader.
func (g *xzGuard) Read(p []byte) (int, error) {
	n, err := g.in.Read(p)
	if err := g.follow(p[:n]); err != nil {
		return 0, err
	}
	return n, err
}

// ReadByte implements io.ByteReader.
func (g *xzGuard) ReadByte() (byte, error) {
	c, err := g.in.ReadByte()
	if err != nil {
		return 0, err
	}
	return c, g.follow([]byte{c})
}

func (g *xzGuard) follow(b []byte) error {
	for len(b) > 0 {
		if g.skip > 0 {
			n := min(g.skip, len(b))
			g.skip -= n
			b = b[n:]
			continue
		}
		n := min(g.want-len(g.head), len(b))
		g.head = append(g.head, b[:n]...)
		b = b[n:]
		if len(g.head) == g.want {
			head := g.head
			g.head = g.head[:0]
			if err := g.next(g, head); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *xzGuard) then(want int, next func(g *xzGuard, b []byte) error) error {
	g.want, g.next = want, next
	return nil
}

// stream reads a stream's header.
func (g *xzGuard) stream(b []byte) error {
	if kind := b[7] & 15; kind > 0 {
		g.check = 4 << ((kind - 1) / 3)
	} else {
		g.check = 0
	}
	return g.then(1, (*xzGuard).block)
}

// block reads the first octet of a block or of the index.
func (g *xzGuard) block(b []byte) error {
	if b[0] == 0 {
		g.index, g.fields, g.number, g.shift = 1, 0, 0, 0
		return g.then(1, (*xzGuard).records)
	}
	return g.then(4*int(b[0])+3, (*xzGuard).filters)
}

// filters reads the rest of a block's header.
func (g *xzGuard) filters(b []byte) error {
	flags, rest := b[0], b[1:len(b)-4]
	number := func() (n uint64) {
		for shift := 0; len(rest) > 0 && shift < 63; shift += 7 {
			c := rest[0]
			rest = rest[1:]
			if n |= uint64(c&0x7f) << shift; c&0x80 == 0 {
				break
			}
		}
		return n
	}
	for _, optional := range [...]byte{0x40, 0x80} { // the block's two sizes
		if flags&optional != 0 {
			number()
		}
	}
	for range flags&3 + 1 {
		id, size := number(), number()
		if size > uint64(len(rest)) {
			return corrupt("xz block header")
		}
		if id == 0x21 && size == 1 { // LZMA2
			if n := xzDictionary(rest[0]); n > maxWindow {
				return corrupt("xz dictionary of %d octets is more than %d", n, maxWindow)
			}
		}
		rest = rest[size:]
	}
	g.packed = 0
	return g.then(1, (*xzGuard).chunk)
}

// xzDictionary returns the size in octets that a dictionary's octet means.
func xzDictionary(c byte) uint64 {
	if c &= 0x3f; c >= 40 {
		return 1<<32 - 1
	}
	return uint64(2|c&1) << (c/2 + 11)
}

// chunk reads the control octet of an LZMA2 chunk.
func (g *xzGuard) chunk(b []byte) error {
	g.control = b[0]
	g.packed++
	switch c := g.control; {
	case c == 0:
		g.skip = -g.packed&3 + g.check
		return g.then(1, (*xzGuard).block)
	case c >= 0xc0:
		return g.then(5, (*xzGuard).sizes)
	case c >= 0x80:
		return g.then(4, (*xzGuard).sizes)
	case c <= 2:
		return g.then(2, (*xzGuard).sizes)
	}
	return corrupt("xz chunk of kind %#x", g.control)
}

// sizes reads the rest of a chunk's header.
func (g *xzGuard) sizes(b []byte) error {
	g.skip = int(b[0])<<8 + int(b[1]) + 1
	if g.control >= 0x80 {
		g.skip = int(b[2])<<8 + int(b[3]) + 1
	}
	g.packed = (g.packed + len(b) + g.skip) & 3
	return g.then(1, (*xzGuard).chunk)
}

// records reads one octet of the index: the number of its records, then two
// numbers a record.
func (g *xzGuard) records(b []byte) error {
	g.index++
	if g.shift < 63 {
		g.number |= uint64(b[0]&0x7f) << g.shift
	}
	g.shift += 7
	if b[0]&0x80 != 0 {
		return nil
	}
	if g.fields == 0 {
		g.fields = 2*g.number + 1
	}
	g.number, g.shift = 0, 0
	if g.fields--; g.fields > 0 {
		return nil
	}
	g.skip = -g.index&3 + 4 + xzStreamFooter
	return g.then(4, (*xzGuard).padding)
}

// padding reads four octets behind a stream: zeros, or those that begin
// another stream.
func (g *xzGuard) padding(b []byte) error {
	if [4]byte(b) == [4]byte{} {
		return nil
	}
	return g.then(xzStreamHeader-4, func(g *xzGuard, b []byte) error {
		return g.stream(append([]byte{0, 0, 0, 0}, b...))
	})
}
