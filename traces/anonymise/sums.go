package anonymise

import "encoding/binary"

// sum is an Internet checksum at octet at, of what stands from octet from on.
type sum struct {
	at, from int
	udp      bool // 0 means that there is none (RFC 768)
}

// push adds a checksum that covers all that is rewritten until pop; not if it was not
// captured.
func (r *Rewriter) push(s sum) bool {
	if s.at+2 > len(r.data) {
		return false
	}
	r.sums = append(r.sums, s)
	return true
}

// pop takes off the checksum that was pushed last.
func (r *Rewriter) pop() { r.sums = r.sums[:len(r.sums)-1] }

// put writes new at octet at, and mends the outermost n checksums, which cover it.
func (r *Rewriter) put(n, at int, new []byte) {
	old := r.data[at : at+len(new)]
	if string(old) == string(new) {
		return
	}
	for k := range n {
		r.mend(k, at, old, new)
	}
	copy(old, new)
}

// mend changes checksum k as it has to be if old at octet at becomes new (RFC 1624
// section 3), and with it those that cover it.
func (r *Rewriter) mend(k, at int, old, new []byte) {
	s := r.sums[k]
	is := binary.BigEndian.Uint16(r.data[s.at:])
	if s.udp && is == 0 {
		return
	}
	c := uint64(^is)
	shift := 8 * uint(1-(at-s.from)&1) // the first of two octets is the higher one
	for i := range new {
		c += 0xffff - uint64(old[i])<<shift + uint64(new[i])<<shift
		shift ^= 8
	}
	for c > 0xffff {
		c = c&0xffff + c>>16
	}
	becomes := ^uint16(c)
	if s.udp && becomes == 0 {
		becomes = 0xffff
	}
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], becomes)
	r.put(k, s.at, b[:])
}

// be16 returns the number in network order at the beginning of b.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
