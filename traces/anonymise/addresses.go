package anonymise

import (
	"encoding/binary"
	"net/netip"
)

// Addresses replaces IP addresses. It is not safe for concurrent use. Its memory is
// bounded, whatever the addresses: it remembers some of those that it has replaced, and
// some of their prefixes.
type Addresses struct {
	flips flipper
	keep  [2][]kept // of IPv4, of IPv6
	v4    [1 << setBits][ways]pair[uint32]
	v6    [1 << setBits][ways]pair[prefix]
	stem4 [2]stems
	stem6 [3]stems
}

// What is remembered: 65,536 addresses of IPv4, 0.5 MB, and as many of IPv6, 2 MB. Each
// has one of four places.
const (
	setBits = 14
	ways    = 4
)

// pair is an address and what becomes of it.
type pair[T comparable] struct{ in, out T }

// find returns where an address is in its set, or is to be, and whether it is there.
// Those that come again go to the front, so that others which come once, however many,
// take only the last place from each other.
func find[T comparable](set *[ways]pair[T], in T) (p *pair[T], ok bool) {
	for i := range set {
		if set[i].in == in {
			if i == 0 {
				return &set[0], true
			}
			set[i], set[i-1] = set[i-1], set[i]
			return &set[i-1], true
		}
	}
	return &set[ways-1], false
}

// kept is a prefix that stays as it is.
type kept struct {
	prefix
	bits int
}

// stems are prefixes of one length, 64 bits at most, that were replaced. One that is not
// there is made of what the next shorter stems say.
type stems struct {
	bits  int
	slots [1 << stemBits]struct{ in, out uint64 }
}

const stemBits = 12

// NewAddresses returns what replaces addresses by a scheme with this key. Those in the
// prefixes of keep stay as they are; all others still keep the prefixes that they have in
// common with these, and no two addresses become one.
func NewAddresses(scheme Scheme, key *Key, keep []netip.Prefix) (*Addresses, error) {
	flips, err := scheme.flipper(key)
	if err != nil {
		return nil, err
	}
	return newAddresses(flips, keep), nil
}

func newAddresses(flips flipper, keep []netip.Prefix) *Addresses {
	a := &Addresses{flips: flips}
	for _, k := range keep {
		if address := k.Masked().Addr(); address.Is4() {
			b := address.As4()
			a.keep[0] = append(a.keep[0], kept{prefix4(binary.BigEndian.Uint32(b[:])), k.Bits()})
		} else {
			b := address.As16()
			a.keep[1] = append(a.keep[1], kept{prefix6(&b), k.Bits()})
		}
	}
	for i, n := range [...]int{16, 24} {
		a.stem4[i].bits = n
	}
	for i, n := range [...]int{32, 48, 64} {
		a.stem6[i].bits = n
	}
	// All slots hold what becomes of 0, where 0 is looked for.
	zero := a.walk(prefix{}, prefix{}, 0, 32, 32)
	for i := range ways {
		a.v4[0][i].out = uint32(zero.hi >> 32)
	}
	for i := range a.stem4 {
		a.stem4[i].slots[0].out = zero.first(a.stem4[i].bits).hi
	}
	zero = a.walk(prefix{}, prefix{}, 0, 128, 128)
	for i := range ways {
		a.v6[0][i].out = zero
	}
	for i := range a.stem6 {
		a.stem6[i].slots[0].out = zero.first(a.stem6[i].bits).hi
	}
	return a
}

func prefix4(address uint32) prefix { return prefix{hi: uint64(address) << 32} }

func prefix6(b *[16]byte) prefix {
	return prefix{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}
}

// slot returns where something is remembered in a table of 1<<n. That of 0 is 0.
func slot(of uint64, n int) uint64 { return of * 0x9e3779b97f4a7c15 >> (64 - n) }

// IPv4 returns what an address becomes.
func (a *Addresses) IPv4(address [4]byte) [4]byte {
	in := binary.BigEndian.Uint32(address[:])
	w, ok := find(&a.v4[slot(uint64(in), setBits)], in)
	if !ok {
		p := prefix4(in)
		stem := prefix{hi: a.stem(a.stem4[:], p.hi, 32)}
		*w = pair[uint32]{in, uint32(a.walk(p, stem, a.stem4[1].bits, 32, 32).hi >> 32)}
	}
	binary.BigEndian.PutUint32(address[:], w.out)
	return address
}

// IPv6 returns what an address becomes.
func (a *Addresses) IPv6(address [16]byte) [16]byte {
	in := prefix6(&address)
	w, ok := find(&a.v6[slot(in.hi^in.lo*0xff51afd7ed558ccd, setBits)], in)
	if !ok {
		stem := prefix{hi: a.stem(a.stem6[:], in.hi, 128)}
		*w = pair[prefix]{in, a.walk(in, stem, a.stem6[2].bits, 128, 128)}
	}
	binary.BigEndian.PutUint64(address[:], w.out.hi)
	binary.BigEndian.PutUint64(address[8:], w.out.lo)
	return address
}

// Address returns what an address becomes.
func (a *Addresses) Address(address netip.Addr) netip.Addr {
	if address.Is4() {
		return netip.AddrFrom4(a.IPv4(address.As4()))
	}
	return netip.AddrFrom16(a.IPv6(address.As16()))
}

// Original returns the address that becomes this one. It remembers nothing.
func (a *Addresses) Original(address netip.Addr) netip.Addr {
	if address.Is4() {
		b := address.As4()
		p := a.original(prefix4(binary.BigEndian.Uint32(b[:])), 32)
		binary.BigEndian.PutUint32(b[:], uint32(p.hi>>32))
		return netip.AddrFrom4(b)
	}
	b := address.As16()
	p := a.original(prefix6(&b), 128)
	binary.BigEndian.PutUint64(b[:], p.hi)
	binary.BigEndian.PutUint64(b[8:], p.lo)
	return netip.AddrFrom16(b)
}

// stem returns what the first bits of an address of width bits become, as many as the
// last of levels has.
func (a *Addresses) stem(levels []stems, hi uint64, width int) uint64 {
	if len(levels) == 0 {
		return 0
	}
	last := len(levels) - 1
	level, from := &levels[last], 0
	if last > 0 {
		from = levels[last-1].bits
	}
	hi &= ones(level.bits).hi
	s := &level.slots[slot(hi, stemBits)]
	if s.in != hi {
		before := prefix{hi: a.stem(levels[:last], hi, width)}
		s.in, s.out = hi, a.walk(prefix{hi: hi}, before, from, level.bits, width).hi
	}
	return s.out
}

// walk returns what the first bits of an address of width bits become, up to bit to,
// where those up to bit from have become done.
func (a *Addresses) walk(p, done prefix, from, to, width int) prefix {
	for n := from; n < to; n++ {
		done = done.with(n, p.bit(n)^a.flip(p, n, width))
	}
	return done
}

// original is the reverse of walk, for whole addresses.
func (a *Addresses) original(p prefix, width int) (in prefix) {
	for n := range width {
		in = in.with(n, p.bit(n)^a.flip(in, n, width))
	}
	return in
}

// flip returns 1 if bit n of an address changes. Above and below the prefixes that are
// kept none does.
func (a *Addresses) flip(p prefix, n, width int) uint64 {
	keep := a.keep[0]
	if width == 128 {
		keep = a.keep[1]
	}
	for i := range keep {
		if k := &keep[i]; p.first(min(n, k.bits)) == k.first(min(n, k.bits)) {
			return 0
		}
	}
	return a.flips.flip(p, n, width)
}
