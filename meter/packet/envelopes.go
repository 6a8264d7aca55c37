package packet

import "rtfm/traces"

// gre opens GRE: version 0 (RFC 2784, RFC 2890), and version 1 with PPP (RFC 2637).
func (w *walk) gre(k TunnelKinds) Opening {
	h := w.next(4)
	if h == nil {
		return w.result
	}
	const (
		checksum = 0x80
		routing  = 0x40
		key      = 0x20
		sequence = 0x10
		ack      = 0x80 // in the second octet, with version 1
	)
	flags, version, typ := h[0], h[1]&7, be16(h[2:])
	if flags&routing != 0 || version > 1 || (version == 1) != (typ == etherPPP) {
		return EnvelopeUnknown // a list of routes has no length, and is not used
	}
	if flags&checksum != 0 && w.next(4) == nil {
		return w.result
	}
	if flags&key != 0 {
		d := w.next(4)
		if d == nil {
			return w.result
		}
		if w.tunnel.ID = be32(d); version == 1 { // payload's length, call
			w.end, w.tunnel.ID = min(w.end, w.at+int(be16(d))+enhanced(flags, h[1])), uint32(be16(d[2:]))
		}
	}
	if flags&sequence != 0 && w.next(4) == nil {
		return w.result
	}
	if version == 1 && h[1]&ack != 0 && w.next(4) == nil {
		return w.result
	}
	if typ == etherERSPAN || typ == etherERSPAN3 {
		if !k.Has(ERSPAN) {
			return NoEnvelope
		}
		w.tunnel.Kind, w.tunnel.ID = ERSPAN, 0
		if typ == etherERSPAN3 {
			return w.erspan3()
		}
		return w.erspan(flags&sequence != 0)
	}
	if !k.Has(GRE) {
		return NoEnvelope
	}
	return w.typed(typ)
}

// enhanced returns how many octets of sequence numbers stand behind the key of
// enhanced GRE, which its payload's length does not count.
func enhanced(flags, more uint8) (n int) {
	if flags&0x10 != 0 {
		n += 4
	}
	if more&0x80 != 0 {
		n += 4
	}
	return n
}

// erspan opens ERSPAN of type II, whose GRE header has a sequence number, or I,
// which has neither that nor a header.
func (w *walk) erspan(second bool) Opening {
	if !second {
		return w.inner(traces.LinkEthernet)
	}
	h := w.next(8)
	if h == nil {
		return w.result
	}
	if h[0]>>4 != 1 {
		return EnvelopeUnknown
	}
	w.tunnel.ID = uint32(be16(h[2:]) & 0x3ff)
	return w.inner(traces.LinkEthernet)
}

// erspan3 opens ERSPAN of type III.
func (w *walk) erspan3() Opening {
	h := w.next(12)
	if h == nil {
		return w.result
	}
	if h[0]>>4 != 2 {
		return EnvelopeUnknown
	}
	w.tunnel.ID = uint32(be16(h[2:]) & 0x3ff)
	if h[11]&1 != 0 && w.next(8) == nil { // what a platform adds
		return w.result
	}
	switch h[10] >> 2 & 0x1f { // the frame's type
	case 0:
		return w.inner(traces.LinkEthernet)
	case 2:
		return w.rawIP()
	}
	return EnvelopeUnknown
}

// vxlan opens VXLAN (RFC 7348 section 5), with group policies or without.
func (w *walk) vxlan() Opening {
	h := w.next(8)
	if h == nil {
		return w.result
	}
	if h[0]&0x08 == 0 { // no VNI
		return EnvelopeUnknown
	}
	w.tunnel.ID = be24(h[4:])
	return w.inner(traces.LinkEthernet)
}

// vxlanGPE opens VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe section 3).
func (w *walk) vxlanGPE() Opening {
	h := w.next(8)
	if h == nil {
		return w.result
	}
	const version, instance, next, oam = 0x30, 0x08, 0x04, 0x01
	if h[0]&(version|oam) != 0 {
		return EnvelopeUnknown
	}
	if h[0]&instance != 0 {
		w.tunnel.ID = be24(h[4:])
	}
	if h[0]&next == 0 {
		return w.inner(traces.LinkEthernet)
	}
	return w.protocol(h[3])
}

// geneve opens GENEVE (RFC 8926 section 3.4).
func (w *walk) geneve() Opening {
	h := w.next(8)
	if h == nil {
		return w.result
	}
	if h[0]>>6 != 0 {
		return EnvelopeUnknown
	}
	w.tunnel.ID = be24(h[4:])
	if w.next(int(h[0]&0x3f)*4) == nil { // options
		return w.result
	}
	return w.typed(be16(h[2:]))
}

// tzsp opens a TZSP packet that holds a frame: a header, and tags up to one that
// ends them.
func (w *walk) tzsp() Opening {
	h := w.next(4)
	if h == nil {
		return w.result
	}
	const received, transmit = 0, 1
	if h[0] != 1 || h[1] != received && h[1] != transmit {
		return EnvelopeUnknown
	}
	const padding, end, original = 0, 1, 41
	whole := 0
	for {
		tag := w.next(1)
		if tag == nil {
			return w.result
		}
		switch tag[0] {
		case padding:
			continue
		case end:
			w.end = max(w.end, w.at+whole)
			return w.tzspFrame(be16(h[2:]))
		}
		size := w.next(1)
		if size == nil {
			return w.result
		}
		value := w.next(int(size[0]))
		if value == nil {
			return w.result
		}
		if tag[0] == original && len(value) == 2 {
			whole = int(be16(value))
		}
	}
}

// tzspFrame ends the walk where a frame of this encapsulation begins.
func (w *walk) tzspFrame(encapsulation uint16) Opening {
	switch encapsulation {
	case 1:
		return w.inner(traces.LinkEthernet)
	case 18:
		return w.inner(traces.Link80211)
	case 119:
		return w.inner(traces.LinkPrism)
	case 127:
		return w.inner(traces.LinkAVS)
	}
	return EnvelopeUnknown
}

// gtpu opens a G-PDU of GTP-U (3GPP TS 29.281 section 5). Other messages carry no
// packet.
func (w *walk) gtpu() Opening {
	h := w.next(8)
	if h == nil {
		return w.result
	}
	const (
		version   = 0xf0 // 1, and GTP rather than GTP'
		extension = 0x04
		optional  = 0x07 // an extension, sequence or N-PDU number
		gpdu      = 255
	)
	if h[0]&version != 0x30 {
		return EnvelopeUnknown
	}
	if h[1] != gpdu {
		return NoEnvelope
	}
	w.tunnel.ID = be32(h[4:])
	w.end = min(w.end, w.at+int(be16(h[2:])))
	if h[0]&optional == 0 {
		return w.rawIP()
	}
	d := w.next(4)
	if d == nil {
		return w.result
	}
	if h[0]&extension == 0 {
		return w.rawIP()
	}
	for next := d[3]; next != 0; {
		size := w.next(1)
		if size == nil {
			return w.result
		}
		if size[0] == 0 {
			return EnvelopeUnknown
		}
		if d = w.next(int(size[0])*4 - 1); d == nil {
			return w.result
		}
		next = d[len(d)-1]
	}
	return w.rawIP()
}

// l2tp opens a data message of L2TP version 2 (RFC 2661 section 3.1). Version 3 does
// not tell how long its cookie is.
func (w *walk) l2tp() Opening {
	h := w.next(2)
	if h == nil {
		return w.result
	}
	const control, length, sequence, offset = 0x80, 0x40, 0x08, 0x02
	if h[1]&0x0f != 2 {
		return EnvelopeUnknown
	}
	flags := h[0]
	if flags&control != 0 {
		return NoEnvelope
	}
	if flags&length != 0 {
		d := w.next(2)
		if d == nil {
			return w.result
		}
		w.end = min(w.end, w.at-4+int(be16(d)))
	}
	ids := w.next(4)
	if ids == nil {
		return w.result
	}
	w.tunnel.ID = uint32(be16(ids[2:]))
	if flags&sequence != 0 && w.next(4) == nil {
		return w.result
	}
	if flags&offset != 0 {
		d := w.next(2)
		if d == nil || w.next(int(be16(d))) == nil {
			return w.result
		}
	}
	return w.inner(traces.LinkPPP)
}

// teredo opens what a Teredo client, server or relay sends (RFC 4380 section 5.1.1):
// an IPv6 datagram, after what tells of authentication and of the origin.
func (w *walk) teredo() Opening {
	for {
		at := w.at
		d := w.next(2)
		if d == nil {
			return w.result
		}
		switch {
		case be16(d) == 0: // origin: port and address
			if w.next(6) == nil {
				return w.result
			}
		case be16(d) == 1: // authentication: identifier and value, nonce, confirmation
			sizes := w.next(2)
			if sizes == nil || w.next(int(sizes[0])+int(sizes[1])+9) == nil {
				return w.result
			}
		default:
			w.at = at
			return w.wholeIPv6()
		}
	}
}

// wholeIPv6 ends the walk where an IPv6 datagram begins that the envelope has room
// for; behind it trailers may stand (RFC 6081).
func (w *walk) wholeIPv6() Opening {
	at := w.at
	h := w.next(ipv6Size)
	if h == nil {
		return w.result
	}
	size := ipv6Size + int(be16(h[4:]))
	if size > w.end-at {
		return EnvelopeUnknown
	}
	w.at, w.end = at, at+size
	return w.inner(traces.LinkIPv6)
}

// ayiya opens what AYIYA forwards (draft-massar-v6ops-ayiya section 4).
func (w *walk) ayiya() Opening {
	h := w.next(8)
	if h == nil {
		return w.result
	}
	const nop, forward = 0, 1
	if code := h[2] & 0x0f; code == nop {
		return NoEnvelope
	} else if code != forward {
		return EnvelopeUnknown
	}
	identity, signature := 1<<(h[0]>>4), int(h[1]>>4)*4
	if w.next(identity+signature) == nil {
		return w.result
	}
	switch h[3] {
	case protoIPv4:
		return w.inner(traces.LinkIPv4)
	case protoIPv6:
		return w.inner(traces.LinkIPv6)
	}
	return EnvelopeUnknown
}
