package anonymise

// messageHead is what messages of ICMP and IGMP begin with: type, code, checksum.
const messageHead = 4

// icmp rewrites the ICMP message at octet at (RFC 792).
func (r *Rewriter) icmp(at, stop int) int {
	if at+8 > len(r.data) {
		return min(at+messageHead, len(r.data))
	}
	r.push(sum{at: at + 2, from: at})
	d := r.data[at:]
	switch d[0] {
	case 0, 8: // echo
		return r.body(at+8, stop)
	case 3, 4, 11, 12: // errors
		return r.quoted(at+8, stop, int(d[5])*4, 4)
	case 5: // redirect
		r.address4(at + 4)
		return r.quoted(at+8, stop, 0, 4)
	case 9: // router advertisement (RFC 1256)
		if d[5] != 2 {
			return r.rest(at + 8)
		}
		return r.each(at+8, int(d[4]), 4, 4, stop)
	case 10: // router solicitation
		return at + 8
	case 13, 14: // timestamps
		return min(at+20, stop, len(r.data))
	case 15, 16, 17, 18: // information, masks
		return min(at+12, stop, len(r.data))
	}
	return r.rest(at + messageHead)
}

// each replaces count addresses of size octets from octet at on, behind each of which
// stand gap others, and returns where the last one ends that was captured.
func (r *Rewriter) each(at, count, size, gap, stop int) int {
	for range count {
		if at+size+gap > min(stop, len(r.data)) {
			return at
		}
		if string(r.data[at:at+size]) != string(make([]byte, size)) { // none
			r.address(at, size)
		}
		at += size + gap
	}
	return at
}

// quoted rewrites the packet at octet at that an error quotes, and returns where it ends.
// told is its length if the error tells it (RFC 4884); what stands behind it then is not
// understood.
func (r *Rewriter) quoted(at, stop, told, size int) int {
	data, sums := r.data, len(r.sums)
	end := min(stop, len(data))
	if told > 0 && at+told < end {
		end = at + told
		r.cut = r.cut || r.payload
	}
	if r.quoting || at >= end {
		return min(at, len(data))
	}
	r.quoting, r.data = true, data[:end]
	if size == 4 {
		end = r.ipv4(at, end)
	} else {
		end = r.ipv6(at, end)
	}
	r.quoting, r.data, r.sums = false, data, r.sums[:sums]
	return end
}

// igmp rewrites the IGMP message at octet at (RFC 3376).
func (r *Rewriter) igmp(at, stop int) int {
	if at+8 > len(r.data) {
		return min(at+messageHead, len(r.data))
	}
	r.push(sum{at: at + 2, from: at})
	switch r.data[at] {
	case 0x11: // query
		return r.query(at+4, at+10, 4, stop)
	case 0x12, 0x16, 0x17: // reports and leaves of versions 1 and 2
		return r.each(at+4, 1, 4, 0, stop)
	case 0x22:
		return r.reports(at, 4, stop)
	}
	return r.rest(at + messageHead)
}

// query rewrites a query for a group, at octet group, and for sources, the number of
// which stands at octet count, if there is one.
func (r *Rewriter) query(group, count, size, stop int) int {
	end := r.each(group, 1, size, 0, stop)
	if end == group || count+2 > min(stop, len(r.data)) {
		return end
	}
	return r.each(count+2, int(be16(r.data[count:])), size, 0, stop)
}

// reports rewrites a report of groups and their sources: IGMP of version 3, MLD of
// version 2 (RFC 3810).
func (r *Rewriter) reports(at, size, stop int) int {
	count := int(be16(r.data[at+6:]))
	at += 8
	for range count {
		if at+4+size > min(stop, len(r.data)) {
			return at
		}
		d := r.data[at:]
		sources := int(be16(d[2:]))
		r.each(at+4, 1, size, 0, stop)
		at = r.each(at+4+size, sources, size, 0, stop)
		if d[1] != 0 { // auxiliary data
			return r.rest(at)
		}
	}
	return at
}

// icmp6 rewrites the ICMPv6 message at octet at (RFC 4443), of neighbour discovery (RFC
// 4861) and of groups too.
func (r *Rewriter) icmp6(at, stop int, e *ends) int {
	if r.push(sum{at: at + 2, from: at}) {
		e.mend(r)
	}
	if at+8 > len(r.data) {
		return min(at+messageHead, len(r.data))
	}
	d := r.data[at:]
	switch d[0] {
	case 1, 2, 3, 4: // errors; only of 1 and 3 a length may stand there
		told := int(d[4]) * 8
		if d[0] == 2 || d[0] == 4 {
			told = 0
		}
		return r.quoted(at+8, stop, told, 16)
	case 128, 129: // echo
		return r.body(at+8, stop)
	case 130:
		return r.query(at+8, at+26, 16, stop)
	case 131, 132:
		return r.each(at+8, 1, 16, 0, stop)
	case 143:
		return r.reports(at, 16, stop)
	case 133: // router solicitation
		return r.neighbours(at, 8, 0, stop)
	case 134: // router advertisement
		return r.neighbours(at, 16, 0, stop)
	case 135, 136: // neighbour
		return r.neighbours(at, 8, 1, stop)
	case 137: // redirect
		return r.neighbours(at, 8, 2, stop)
	}
	return r.rest(at + messageHead)
}

// neighbours rewrites a message of neighbour discovery at octet at: addresses as many as
// count after a header of size octets, and options.
func (r *Rewriter) neighbours(at, size, count, stop int) int {
	end := r.each(at+size, count, 16, 0, stop)
	if at += size + 16*count; end < at {
		return end
	}
	have := min(stop, len(r.data))
	for at+8 <= have {
		n := int(r.data[at+1]) * 8
		if n == 0 {
			return r.rest(at)
		}
		if at+n > have {
			return at
		}
		switch r.data[at] {
		case 1, 2: // link address of source, of target
			r.link(&Part{Station, at + 2, at + min(n, 8)})
			r.blank(at+min(n, 8), at+n)
		case 3: // prefix
			if n != 32 {
				return r.rest(at)
			}
			r.prefix(at+16, int(r.data[at+2]))
		case 4: // what is redirected
			r.blank(r.quoted(at+8, at+n, 0, 16), at+n)
		case 5, 14: // MTU, nonce
		case 25: // name servers (RFC 8106)
			r.each(at+8, (n-8)/16, 16, 0, stop)
		default:
			return r.rest(at)
		}
		at += n
	}
	return min(at, have)
}

// prefix replaces the prefix of this width at octet at.
func (r *Rewriter) prefix(at, width int) {
	b := r.addresses.IPv6([16]byte(r.data[at:]))
	for i := range b {
		b[i] &= byte(uint16(0xff00) >> min(max(width-8*i, 0), 8))
	}
	r.put(len(r.sums), at, b[:])
}
