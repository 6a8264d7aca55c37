package filter

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// vlan reads vlan with or without a number.
func (p *parser) vlan() *node {
	t := p.next()
	if p.tok.text == "" || p.tok.text[0] < '0' || p.tok.text[0] > '9' {
		n := leafOf(t.Place, head{kind: taggedKind})
		n.tagged = true
		return n
	}
	v := p.next()
	number, err := strconv.ParseUint(v.text, 0, 16)
	switch {
	case err != nil || number > 4095:
		return p.fault(v, "expected the number of a VLAN, 1 to 4095, behind vlan, found %s", v)
	case number == 0:
		return p.refuse(v, "vlan 0 cannot be told from packets without a tag")
	}
	n := leafOf(t.Place, head{kind: vlanKind}, operand(v, strconv.FormatUint(number, 10)))
	n.tagged = true
	return n
}

// value reads what stands behind the words of q.
func (p *parser) value(q qualifier) *node {
	switch {
	case q.proto == "ether" && q.kind == "proto":
		return p.etherProto(q)
	case q.proto == "ether":
		return p.mac(q)
	}
	switch q.kind {
	case "port", "portrange":
		return p.ports(q)
	case "proto":
		return p.protocol(q)
	}
	return p.address(q)
}

// operand returns a value of SRL for what stands at a token.
func operand(t token, text string) srl.Operand {
	return srl.Operand{Value: srl.Word{Place: t.Place, Text: text}}
}

// etherProto reads a network protocol of those that have attributes.
func (p *parser) etherProto(q qualifier) *node {
	t := p.next()
	number, err := strconv.ParseUint(t.text, 0, 16)
	switch {
	case strings.EqualFold(t.text, "ip"), err == nil && number == 0x0800:
		return leafOf(q.Place, head{kind: protoKind, proto: "ip"})
	case strings.EqualFold(t.text, "ip6"), err == nil && number == 0x86dd:
		return leafOf(q.Place, head{kind: protoKind, proto: "ip6"})
	}
	return p.refuse(t, "ether proto %s cannot be asked of a meter: no attribute has the type of a frame; ip and ip6 can", t)
}

// mac reads a MAC address.
func (p *parser) mac(q qualifier) *node {
	t := p.next()
	a, err := net.ParseMAC(t.text)
	if err != nil || len(a) != 6 {
		return p.fault(t, "expected a MAC address such as 02:00:5e:10:00:01, found %s", t)
	}
	return leafOf(q.Place, head{kind: etherKind, dir: q.dir}, operand(t, strings.ReplaceAll(a.String(), ":", "-")))
}

// protocol reads the number or name of a protocol.
func (p *parser) protocol(q qualifier) *node {
	t := p.next()
	number, err := strconv.ParseUint(t.text, 0, 8)
	if err != nil {
		v, ok := attr.ValueName(attr.SourceTransType, t.text)
		if !ok {
			return p.fault(t, "no protocol %s: numbers are 0 to 255, and \"rtfm srl names\" has the names", t)
		}
		number = v.Uint()
	}
	return leafOf(q.Place, head{kind: numberKind, proto: q.proto}, operand(t, strconv.FormatUint(number, 10)))
}

// ports reads a port or range of ports.
func (p *parser) ports(q qualifier) *node {
	t := p.next()
	first, last, ok := portRange(t.text, q.kind == "portrange")
	switch {
	case !ok && q.kind == "portrange":
		return p.fault(t, "expected ports such as 6000-6008, numbers or names, found %s", t)
	case !ok && strings.Contains(t.text, "-"):
		return p.fault(t, "no port %s: a range stands behind portrange", t)
	case !ok:
		return p.fault(t, "no port %s: numbers are 1 to 65535, and \"rtfm srl names\" has the names", t)
	case last == 0:
		return p.refuse(t, "port 0 cannot be told from a port that a packet does not have, as in fragments")
	}
	o := operand(t, strconv.Itoa(int(max(first, 1))))
	if first < last {
		o.To = srl.Word{Place: t.Place, Text: strconv.Itoa(int(last))}
	}
	return leafOf(q.Place, head{kind: portKind, proto: q.proto, dir: q.dir}, o)
}

// portRange reads a port, or two with a hyphen between them if there may be;
// names may have hyphens themselves.
func portRange(text string, isRange bool) (first, last uint16, ok bool) {
	if first, ok = port(text); ok || !isRange {
		return first, first, ok
	}
	for i := range text {
		if text[i] != '-' {
			continue
		}
		first, ok1 := port(text[:i])
		last, ok2 := port(text[i+1:])
		if ok1 && ok2 {
			return min(first, last), max(first, last), true
		}
	}
	return 0, 0, false
}

// port reads the number or name of a port.
func port(text string) (uint16, bool) {
	if n, err := strconv.ParseUint(text, 0, 16); err == nil {
		return uint16(n), true
	}
	v, ok := attr.ValueName(attr.SourceTransAddress, text)
	return uint16(v.Uint()), ok
}

// address reads an address or a network.
func (p *parser) address(q qualifier) *node {
	t := p.next()
	a, width, ok := parseAddress(t.text)
	switch {
	case !ok && strings.Count(t.text, ":") == 5 || strings.Count(t.text, "-") == 5:
		return p.fault(t, "%s is a MAC address: write ether host", t)
	case !ok && t.text[0] >= '0' && t.text[0] <= '9':
		return p.fault(t, "%s is no address", t)
	case !ok:
		return p.fault(t, "%s is no address, and names are not looked up: write the address itself", t)
	case q.proto == "ip" && !a.Is4(), q.proto == "ip6" && a.Is4():
		return p.fault(t, "%s is no address of %s", t, q.proto)
	}
	h := head{kind: addressKind, proto: "ip", dir: q.dir}
	if !a.Is4() {
		h.proto = "ip6"
	}
	if a.Is4() && width < 32 && q.kind == "host" && !p.tok.is("/") && !p.tok.is("mask") {
		return p.fault(t, "%s is no whole address: write net %s for the network", t, t)
	}
	o := operand(t, a.StringExpanded())
	switch {
	case p.tok.is("/"):
		p.next()
		w := p.next()
		n, err := strconv.ParseUint(w.text, 10, 8)
		if err != nil || int(n) > a.BitLen() {
			return p.fault(w, "expected a width of 0 to %d bits behind the /, found %s", a.BitLen(), w)
		}
		width = int(n)
	case p.tok.is("mask"):
		p.next()
		return p.masked(q, t, h, a)
	}
	if q.kind == "net" || width < a.BitLen() {
		if network := netip.PrefixFrom(a, width).Masked(); network.Addr() != a {
			return p.fault(t, "%s has bits beyond its width: write %v", t, network)
		}
		o.Width, o.Mask = true, srl.Word{Place: t.Place, Text: strconv.Itoa(width)}
	}
	return leafOf(q.Place, h, o)
}

// masked reads the mask of an IPv4 network, which need not be a width.
func (p *parser) masked(q qualifier, t token, h head, a netip.Addr) *node {
	m := p.next()
	mask, err := netip.ParseAddr(m.text)
	if err != nil || !mask.Is4() || !a.Is4() {
		return p.fault(m, "expected an IPv4 mask such as 255.255.0.0 behind mask, found %s", m)
	}
	octets, bits := a.As4(), mask.As4()
	for i := range octets {
		if octets[i]&^bits[i] != 0 {
			return p.fault(t, "%s has bits beyond its mask %s", t, m)
		}
	}
	o := operand(t, a.String())
	o.Mask = srl.Word{Place: m.Place, Text: mask.String()}
	return leafOf(q.Place, h, o)
}

// parseAddress reads an IPv6 address, or an IPv4 address of which octets may be
// missing at the end, and returns the bits that are there.
func parseAddress(text string) (a netip.Addr, width int, ok bool) {
	if strings.Contains(text, ":") {
		a, err := netip.ParseAddr(text)
		return a, 128, err == nil && a.Zone() == "" && !a.Is4()
	}
	var octets [4]byte
	fields := strings.Split(text, ".")
	if len(fields) > len(octets) {
		return a, 0, false
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 8)
		if err != nil {
			return a, 0, false
		}
		octets[i] = byte(n)
	}
	return netip.AddrFrom4(octets), 8 * len(fields), true
}

// IsWord reports whether a word is one of tcpdump's, though it may be refused.
func IsWord(word string) bool { return isKeyword(strings.ToLower(word)) }

// isKeyword reports whether a word is one of the language.
func isKeyword(word string) bool { return slices.Contains(keywords, word) || refused[word] != "" }
