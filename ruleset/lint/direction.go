package lint

import (
	"math/rand/v2"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
)

// Packets that are tried to find a direction that is ignored.
const (
	triesOfCount = 60 // for each COUNT
	mostTries    = 20_000
)

// directions looks for packets that are counted though those that answer them are
// ignored: an IGNORE where the match of RFC 2722 section 4.3 wants a NOMATCH.
func (l *linter) directions() {
	var shapes match.Shapes
	program, err := pme.Compile(l.rs, 1, &shapes)
	if err != nil {
		return
	}
	p := &picker{a: l.a, Rand: rand.New(rand.NewPCG(2722, 43))}
	last := 0
	watch := func(s *pme.Step) { last = s.Rule }
	try := func(pkt *match.Packet, key attr.Key) (pme.Verdict, int) {
		var k match.FlowKey
		v := program.Match(pkt, &key, false, &k)
		return v, last
	}
	told := map[ruleset.Place]bool{}
	tries := 0
	for _, c := range l.a.counted {
		for range triesOfCount {
			if tries++; tries*len(l.rs.Rules) > 1000*mostTries || tries > mostTries {
				return
			}
			pkt := p.packet(c.s)
			if pkt == nil {
				break
			}
			program.Watch(nil)
			if v, _ := try(pkt, pkt.Key); v != pme.Success {
				continue
			}
			if v, _ := try(pkt, pkt.Key.Reverse()); v != pme.Ignore {
				continue
			}
			program.Watch(watch)
			_, count := try(pkt, pkt.Key)
			_, ignore := try(pkt, pkt.Key.Reverse())
			at := l.rs.Rules[ignore-1].At
			if where := (ruleset.Place{Line: at.Line, Col: at.Col}); !told[where] {
				told[where] = true
				l.say(at, OneWay, "packets are ignored here that answer those counted at %s, such as %s: NOMATCH has them counted in their flows",
					l.place(count), describe(pkt))
			}
		}
	}
}

// place tells where a rule is.
func (l *linter) place(rule int) string {
	if at := l.rs.Rules[rule-1].At; at.Known() {
		return at.Where()
	}
	return "the end"
}

// describe names the ends of a packet.
func describe(p *match.Packet) string {
	show := func(a attr.Attr, n int) string {
		in := a.Info()
		return attr.Show(a, p.Key[in.Offset:in.Offset+n], attr.Ones(n), attr.Beside{PeerType: p.Key.PeerType()}, true)
	}
	text := attr.NameOf(attr.SourceTransType, uint64(p.Key.TransType()), 0)
	if text != "" {
		text += " "
	}
	n := int(p.PeerLen)
	return text + "from " + show(attr.SourcePeerAddress, n) + " port " + show(attr.SourceTransAddress, 2) +
		" to " + show(attr.DestPeerAddress, n) + " port " + show(attr.DestTransAddress, 2)
}

// picker makes packets of what is known of them.
type picker struct {
	a *analysis
	*rand.Rand
	used map[attr.Attr][]number // values that rules test, and those next to them
}

// packet returns one that may be in a state, or nearly; nil if that has only
// protocols whose packets are no answers of others.
func (p *picker) packet(s *state) *match.Packet {
	if p.used == nil {
		p.collect()
	}
	protocol, ok := p.protocol(s.values[p.a.facts[attr.SourceTransType]])
	if !ok {
		return nil
	}
	pkt := &match.Packet{AdjacentLen: 6, PeerLen: 4}
	pkt.Key.SetTransType(protocol)
	peers := s.values[p.a.facts[attr.SourcePeerType]]
	v6 := peers.holds(&number{2}) && (!peers.holds(&number{1}) || p.IntN(4) == 0)
	for end, a := range [2]attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress} {
		usual := number{192, 168, byte(p.IntN(256)), byte(1 + p.IntN(250))}
		if v6 {
			usual = number{0x20, 3, byte(p.IntN(64)), byte(p.IntN(256)), 15: byte(1 + p.IntN(250))}
		}
		n := p.value(s, a, usual)
		if f, known := p.a.facts[a]; known && n[3] == 0 {
			n[3] = 1 // as hosts have it
			if !s.values[f].holds(&n) {
				n[3] = 0
			}
		}
		if n[0] >= 224 || n[0] == 0 { // no source is a group
			n = usual
		}
		if end == 0 && v6 != (n[0]&0xe0 == 0x20) && peers.holds(&number{1}) {
			v6 = !v6
		}
		*pkt.Key.Peer(end) = n
	}
	pkt.Key.SetPeerType(1)
	if v6 {
		pkt.PeerLen = 16
		pkt.Key.SetPeerType(2)
	}
	for end := range 2 {
		clear(pkt.Key.Peer(end)[pkt.PeerLen:])
	}
	p.ports(s, pkt)
	for i, at := range p.a.attrs {
		switch in := at.Info(); {
		case in.Class != attr.ClassInteger && in.Class != attr.ClassAddress:
		case at.IsPeer() && !at.IsInner(), at.IsType(), at == attr.SourceTransAddress, at == attr.DestTransAddress:
		default:
			n := p.value(s, p.a.attrs[i], number{})
			copy(pkt.Key[in.Offset:in.Offset+in.Size], n[:])
		}
	}
	return pkt
}

// ports gives a packet ports, of which one is the client's unless both must be others.
func (p *picker) ports(s *state, pkt *match.Packet) {
	var client [2]bool
	for end, a := range [2]attr.Attr{attr.SourceTransAddress, attr.DestTransAddress} {
		usual := number{200 + byte(p.IntN(50)), byte(p.IntN(256))}
		n := p.value(s, a, usual)
		client[end] = n == usual
		copy(pkt.Key.Trans(end)[:], n[:2])
	}
	f, known := p.a.facts[attr.SourceTransAddress]
	usual := number{0xc0, byte(p.IntN(256))}
	if !client[0] && !client[1] && (!known || s.values[f].holds(&usual)) {
		copy(pkt.Key.Trans(0)[:], usual[:2])
	}
}

// collect notes the values that rules test.
func (p *picker) collect() {
	p.used = map[attr.Attr][]number{}
	for i := range p.a.rs.Rules {
		r := &p.a.rs.Rules[i]
		if iv, ok := prefixed(r.Attr, r.Mask, r.Value); ok && r.Attr.Info().Size > 0 && len(p.used[r.Attr]) < 4096 {
			for _, a := range []attr.Attr{r.Attr, r.Attr.Reverse()} {
				p.used[a] = append(p.used[a], iv.lo)
			}
		}
	}
}

// protocol returns one of a set, not ICMP: its answers have other types in the place
// of ports, not the same changed over.
func (p *picker) protocol(s *set) (protocol byte, ok bool) {
	var all []byte
	for n := range 256 {
		if n != 1 && n != 58 && s.holds(&number{byte(n)}) {
			all = append(all, byte(n))
		}
	}
	for _, usual := range []byte{6, 17} {
		if p.IntN(4) > 0 && s.holds(&number{usual}) {
			return usual, true
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	return all[p.IntN(len(all))], true
}

// value returns one that an attribute may have, if possible the usual one.
func (p *picker) value(s *state, a attr.Attr, usual number) number {
	f, known := p.a.facts[a]
	if !known {
		return usual
	}
	v := s.values[f]
	if used := p.used[a]; len(used) > 0 && p.IntN(2) == 0 {
		if n := used[p.IntN(len(used))]; v.holds(&n) {
			return n
		}
	}
	if v.holds(&usual) || v.empty() {
		return usual
	}
	return v.list[p.IntN(len(v.list))].lo
}

// families tells of networks of one family that hold addresses of the other: both are
// compared by their first octets.
func (l *linter) families() {
	for i := range l.rs.Rules {
		r := &l.rs.Rules[i]
		if !l.a.rules[i].peers || !r.Attr.IsPeer() || r.Attr.IsInner() || r.Op.Pushes() && l.a.statement[i] {
			continue
		}
		width, ok := r.Mask.Width()
		if !ok || width == 0 || r.Value.And(r.Mask).Padded() != r.Value.Padded() {
			continue
		}
		is := attr.MakePrefix(r.Value, width, 0)
		switch {
		case r.Value.Len() == 4 && width <= 32:
			for _, v6 := range inUse {
				if v6.Holds(&is) || is.Holds(&v6) {
					l.say(r.At, BothFamilies, "%s holds addresses of IPv6 too, those of %s: test SourcePeerType == ipv4 first",
						showRule(r), showRule(&ruleset.Rule{Attr: r.Attr, Mask: attr.WidthMask(width, 16), Value: r.Value.Resize(16)}))
					break
				}
			}
		case r.Value.Len() == 16 && width < 32:
			l.say(r.At, BothFamilies, "%s holds addresses of IPv4 too, those of %s: test SourcePeerType == ipv6 first",
				showRule(r), showRule(&ruleset.Rule{Attr: r.Attr, Mask: attr.WidthMask(width, 4), Value: r.Value.Resize(4)}))
		}
	}
}

// inUse are the networks of IPv6 that IANA has given to registries.
var inUse = prefixes(
	0x2001_0000, 16, 0x2002_0000, 16, 0x2003_0000, 18, 0x2400_0000, 11, 0x2600_0000, 12, 0x2610_0000, 23, 0x2620_0000, 23,
	0x2630_0000, 12, 0x2800_0000, 12, 0x2a00_0000, 11, 0x2c00_0000, 12)

// prefixes makes prefixes of their first octets and lengths.
func prefixes(list ...uint32) (all []attr.Prefix) {
	for i := 0; i < len(list); i += 2 {
		n := list[i]
		all = append(all, attr.MakePrefix(attr.MakeValue(byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), int(list[i+1]), 0))
	}
	return all
}
