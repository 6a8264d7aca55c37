package anonymise

// Protocol numbers of IANA's registry.
const (
	protoHopByHop    = 0
	protoICMP        = 1
	protoIGMP        = 2
	protoIPv4        = 4
	protoTCP         = 6
	protoUDP         = 17
	protoDCCP        = 33
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoESP         = 50
	protoAH          = 51
	protoICMPv6      = 58
	protoDestination = 60
	protoSCTP        = 132
	protoMobility    = 135
	protoUDPLite     = 136
	protoHIP         = 139
	protoShim6       = 140
)

// ends are the addresses that transport checksums cover, source and dest, as they were
// and as they are.
type ends struct {
	size     int // of an address
	old, new [2][16]byte
}

// The places in ends.
const (
	source = 0
	dest   = 1
)

// mend mends the checksum that was pushed last.
func (e *ends) mend(r *Rewriter) {
	k := len(r.sums) - 1
	for i := range e.old {
		r.mend(k, r.sums[k].from, e.old[i][:e.size], e.new[i][:e.size])
	}
}

// address4 and address6 replace the IP address at octet at.
func (r *Rewriter) address4(at int) {
	b := r.addresses.IPv4([4]byte(r.data[at:]))
	r.put(len(r.sums), at, b[:])
}

func (r *Rewriter) address6(at int) {
	b := r.addresses.IPv6([16]byte(r.data[at:]))
	r.put(len(r.sums), at, b[:])
}

// address replaces the IP address of size octets at octet at.
func (r *Rewriter) address(at, size int) {
	if size == 4 {
		r.address4(at)
	} else {
		r.address6(at)
	}
}

// end replaces the address at octet at, which is that of one of the ends.
func (r *Rewriter) end(e *ends, which, at int) {
	copy(e.old[which][:e.size], r.data[at:])
	r.address(at, e.size)
	copy(e.new[which][:e.size], r.data[at:])
}

// blank writes zeros from octet at to before octet end.
func (r *Rewriter) blank(at, end int) {
	var zeros [maxPart]byte
	for at < end {
		n := min(end-at, len(zeros))
		r.put(len(r.sums), at, zeros[:n])
		at += n
	}
}

// Lengths of IP headers, and how much of a packet is kept that has one by its link
// header and none by its octets.
const (
	ipv4Size  = 20
	ipv6Size  = 40
	versioned = 4
)

// ipv4 rewrites the IPv4 datagram at octet at (RFC 791), in a frame up to octet frame,
// and returns where the packet ends, or where the packet begins that it carries.
func (r *Rewriter) ipv4(at, frame int) int {
	d := r.data[at:]
	if len(d) < versioned {
		return len(r.data)
	}
	size, total := int(d[0]&0x0f)*4, int(be16(d[2:]))
	if total == 0 {
		total = frame - at
	}
	if d[0]>>4 != 4 || size < ipv4Size || total < ipv4Size {
		return r.rest(at + versioned)
	}
	if len(d) < 16 {
		return at + min(len(d), 12)
	}
	r.push(sum{at: at + 10, from: at})
	e := ends{size: 4}
	r.end(&e, source, at+12)
	if len(d) < ipv4Size {
		return at + 16
	}
	r.end(&e, dest, at+16)
	r.options4(at+ipv4Size, min(at+size, len(r.data)), &e)
	r.pop()
	proto := d[9]
	stop := at + total
	switch at += size; {
	case be16(d[6:])&0x1fff != 0:
		return r.fragment(proto, at, stop)
	case size > total:
		return r.rest(at)
	}
	return r.transport(proto, at, stop, &e)
}

// options4 rewrites the options of an IPv4 header, from octet at to before octet end.
func (r *Rewriter) options4(at, end int, e *ends) {
	const nop, recordRoute, timestamp, loose, strict = 1, 7, 68, 131, 137
	for at < end && r.data[at] != 0 {
		if r.data[at] == nop {
			at++
			continue
		}
		if at+2 > end || r.data[at+1] < 2 || at+int(r.data[at+1]) > end {
			r.blank(at+1, end)
			return
		}
		d := r.data[at : at+int(r.data[at+1])]
		switch kind := d[0]; kind {
		case recordRoute, loose, strict:
			last := -1
			for slot := 3; slot+4 <= len(d); slot += 4 {
				if last = slot; kind == recordRoute || slot+8 <= len(d) {
					r.each(at+slot, 1, 4, 0, end)
				}
			}
			if kind != recordRoute && last > 0 {
				on := *e
				r.end(&on, dest, at+last)
				if int(d[2]) <= len(d) { // there is a way to go
					*e = on
				}
			}
		case timestamp:
			if len(d) >= 4 && d[3]&0x0f != 0 {
				r.each(at+4, (len(d)-4)/8, 4, 4, end)
			}
		case 11, 12, 25, 130, 133, 134, 136, 148: // MTU probes, quick start, security, streams, router alert
		default:
			r.blank(at+2, at+len(d))
		}
		at += len(d)
	}
}

// ipv6 rewrites the IPv6 datagram at octet at (RFC 8200), as ipv4 does.
func (r *Rewriter) ipv6(at, frame int) int {
	d := r.data[at:]
	if len(d) < versioned {
		return len(r.data)
	}
	if d[0]>>4 != 6 {
		return r.rest(at + versioned)
	}
	if len(d) < 24 {
		return at + min(len(d), 8)
	}
	e := ends{size: 16}
	r.end(&e, source, at+8)
	if len(d) < ipv6Size {
		return at + 24
	}
	r.end(&e, dest, at+24)
	stop := at + ipv6Size + int(be16(d[4:]))
	if stop == at+ipv6Size {
		stop = frame // a jumbogram, or what segmentation offload leaves
	}
	return r.extensions(d[6], at+ipv6Size, stop, &e)
}

// extensions rewrites the extension headers at octet at, the first of which is of type
// next, and what comes then.
func (r *Rewriter) extensions(next uint8, at, stop int, e *ends) int {
	const known = 4 // octets of a header that are kept if it is not captured or understood
	for {
		size := 0
		if have := min(len(r.data), stop); at+2 <= have {
			size = (int(r.data[at+1]) + 1) * 8
		}
		switch next {
		case protoHopByHop, protoRouting, protoDestination:
		case protoFragment:
			size = 8
		case protoAH:
			size = (int(r.data[min(at+1, len(r.data)-1)]) + 2) * 4
		case protoMobility, protoHIP, protoShim6:
			return r.rest(at + known)
		default:
			return r.transport(next, at, stop, e)
		}
		if size == 0 || at+size > len(r.data) {
			return min(at+known, len(r.data))
		}
		switch next {
		case protoHopByHop, protoDestination:
			r.options6(at+2, at+size, e)
		case protoRouting:
			if !r.routing(at, at+size, e) {
				return r.rest(at + known)
			}
		case protoFragment:
			if be16(r.data[at+2:])>>3 != 0 {
				return r.fragment(r.data[at], at+size, stop)
			}
		}
		next, at = r.data[at], at+size
	}
}

// options6 rewrites the options of IPv6 from octet at to before octet end.
func (r *Rewriter) options6(at, end int, e *ends) {
	const pad1, padN, home = 0, 1, 0xc9
	for at < end {
		if r.data[at] == pad1 {
			at++
			continue
		}
		if at+2 > end || at+2+int(r.data[at+1]) > end {
			r.blank(at+1, end)
			return
		}
		size := int(r.data[at+1])
		switch r.data[at] {
		case home: // address (RFC 6275 section 6.3), which transport checksums cover
			if size == 16 {
				r.end(e, source, at+2)
			} else {
				r.blank(at+2, at+2+size)
			}
		case padN, 0x04, 0x05, 0x07, 0x23, 0x26, 0x63, 0xc2: // tunnel limit, router alert, CALIPSO, RPL, quick start, jumbo payload
		default:
			r.blank(at+2, at+2+size)
		}
		at += 2 + size
	}
}

// routing rewrites the routing header from octet at to before octet end, unless it is of
// a type that is not known.
func (r *Rewriter) routing(at, end int, e *ends) bool {
	const source, mobile, segments = 0, 2, 4
	d := r.data[at:end]
	count := (end - at - 8) / 16
	final := count - 1
	switch d[2] {
	case source, mobile: // RFC 5095, RFC 6275 section 6.4
	case segments: // RFC 8754 section 2
		if int(d[4]) >= count {
			return false
		}
		count, final = int(d[4])+1, 0
	default:
		return false
	}
	for i := range count {
		if i == final && d[3] > 0 { // the datagram is on its way there
			r.end(e, dest, at+8+16*i)
		} else {
			r.address6(at + 8 + 16*i)
		}
	}
	return true
}
