package attr

import "math/bits"

// Prefix is a number of leading bits, as the networks of a ruleset are.
type Prefix struct {
	Bits [3]uint64 // from the high-order one on; 0 beyond the prefix
	Len  uint8     // how many bits
	// Place is its position in a list, set by whoever makes the list.
	Place int32
}

// MakePrefix returns the prefix that consists of the first length bits of a
// value.
func MakePrefix(v Value, length, place int) Prefix {
	return Prefix{v.words(), uint8(length), int32(place)}
}

// Holds reports whether q begins with p.
func (p *Prefix) Holds(q *Prefix) bool {
	for i, b := range p.Bits {
		if differ := b ^ q.Bits[i]; differ != 0 {
			return 64*i+bits.LeadingZeros64(differ) >= int(p.Len)
		}
	}
	return p.Len <= q.Len
}

// octet returns octet i of what prefixes are sorted by.
func (p *Prefix) octet(i int) byte {
	if i == 8*len(p.Bits) {
		return p.Len
	}
	return byte(p.Bits[i/8] >> (56 - 8*(i%8)))
}

// SortPrefixes returns a list in the order of the bits, where a prefix comes
// before those it holds, and equal ones stay in order. It uses both list and
// room, which is no shorter, and returns one of them.
func SortPrefixes(list, room []Prefix) []Prefix {
	room = room[:len(list)]
	var differ Prefix
	for i := range list {
		for w, b := range list[i].Bits {
			differ.Bits[w] |= b ^ list[0].Bits[w]
		}
		differ.Len |= list[i].Len ^ list[0].Len
	}
	// By one octet after the other, the last one first.
	for i := 8 * len(differ.Bits); i >= 0; i-- {
		if differ.octet(i) == 0 {
			continue
		}
		var begin [257]int // of those with each octet; next where the next one goes
		for j := range list {
			begin[int(list[j].octet(i))+1]++
		}
		for o := range 256 {
			begin[o+1] += begin[o]
		}
		for j := range list {
			to := &begin[list[j].octet(i)]
			room[*to] = list[j]
			*to++
		}
		list, room = room, list
	}
	return list
}
