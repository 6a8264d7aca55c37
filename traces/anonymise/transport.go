package anonymise

// fragment returns where a packet ends that has a fragment other than the first at octet
// at, up to octet stop.
func (r *Rewriter) fragment(proto uint8, at, stop int) int {
	r.inner = 0
	switch proto {
	case protoTCP, protoUDP, protoUDPLite, protoDCCP, protoESP:
		return r.body(at, stop)
	}
	return r.rest(at)
}

// body returns where a packet ends whose payload goes from octet at to octet stop.
func (r *Rewriter) body(at, stop int) int {
	if r.payload {
		at = max(at, stop)
	}
	return min(at, len(r.data))
}

// transport rewrites what stands at octet at, of protocol proto, in a datagram up to
// octet stop, and returns where the packet ends.
func (r *Rewriter) transport(proto uint8, at, stop int, e *ends) int {
	if at >= min(stop, len(r.data)) {
		return min(at, len(r.data))
	}
	inner := r.inner
	r.inner = 0
	d := r.data[at:min(stop, len(r.data))]
	switch proto {
	case protoTCP:
		return r.tcp(at, stop, e)
	case protoUDP:
		if r.push(sum{at + 6, at, true}) {
			e.mend(r)
		}
		if r.inner = inner; inner != 0 {
			return inner
		}
		return r.body(at+8, stop)
	case protoUDPLite:
		if r.push(sum{at: at + 6, from: at}) {
			e.mend(r)
		}
		return r.body(at+8, stop)
	case protoDCCP: // RFC 4340 section 5.1
		if r.push(sum{at: at + 6, from: at}) {
			e.mend(r)
		}
		size := 12
		if len(d) > 4 {
			size = max(12, int(d[4])*4)
		}
		return r.body(at+size, stop)
	case protoICMP:
		return r.icmp(at, stop)
	case protoICMPv6:
		return r.icmp6(at, stop, e)
	case protoIGMP:
		return r.igmp(at, stop)
	case protoGRE:
		if r.inner = inner; inner != 0 {
			if d[0]&0x80 != 0 {
				r.push(sum{at: at + 4, from: at})
			}
			return inner
		}
	case protoIPv4, protoIPv6:
		if r.inner = inner; inner != 0 {
			return inner
		}
	case protoSCTP:
		return r.sctp(at, stop)
	case protoESP:
		return r.body(at+8, stop)
	}
	return r.rest(at)
}

// tcp rewrites the TCP segment at octet at.
func (r *Rewriter) tcp(at, stop int, e *ends) int {
	d := r.data[at:min(stop, len(r.data))]
	if r.push(sum{at: at + 16, from: at}) {
		e.mend(r)
	}
	size := ipv4Size
	if len(d) > 12 {
		size = max(size, int(d[12]>>4)*4)
	}
	const nop, mptcp, addAddress = 1, 30, 3
	for o := 20; o < min(size, len(d)) && d[o] != 0; {
		if d[o] == nop {
			o++
			continue
		}
		if o+2 > len(d) || d[o+1] < 2 {
			break
		}
		end := o + int(d[o+1])
		if d[o] == mptcp && o+2 < len(d) && d[o+2]>>4 == addAddress { // RFC 8684 section 3.4.1
			if end > len(d) {
				return r.rest(at + o)
			}
			r.added(at+o, end-o)
		}
		o = end
	}
	return r.body(at+size, stop)
}

// added rewrites an option of MPTCP, of size octets, that tells of an address.
func (r *Rewriter) added(at, size int) {
	switch size {
	case 8, 10, 16, 18: // with a port or not, with a digest or not
		r.address4(at + 4)
	case 20, 22, 28, 30:
		r.address6(at + 4)
	default:
		r.blank(at+3, at+size)
	}
}

// sctp returns where a packet of SCTP (RFC 9260) ends. Its checksum covers no addresses,
// but some chunks have them.
func (r *Rewriter) sctp(at, stop int) int {
	const size, data, sack = 12, 0, 3
	if !r.payload || at+size >= len(r.data) {
		return min(at+size, len(r.data))
	}
	if chunk := r.data[at+size]; chunk != data && chunk != sack {
		return r.rest(at + size)
	}
	return r.body(at+size, stop)
}
