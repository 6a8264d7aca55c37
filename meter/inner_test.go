package meter

import (
	"math/rand/v2"

	"rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// carried is what packets carry in VXLAN, by their octets.
type carried map[*byte]inVNI

type inVNI struct {
	traces.Packet
	vni uint32 // 0 if the packet is not to tell it
}

// carrying puts some of the packets into envelopes, some of these into others.
func carrying(r *rand.Rand, packets []traces.Packet) ([]traces.Packet, carried) {
	in := make(carried)
	for i, p := range packets {
		for n := r.IntN(3); n > 0; n-- {
			w := inVXLAN(p, 7)
			in[&w.Data[0]], p = inVNI{p, 7}, w
		}
		packets[i] = p
	}
	return packets, in
}

// halfCarried returns what those of the packets carry that are envelopes which were cut
// behind their own headers, by a meter that was to open them.
func halfCarried(packets []traces.Packet) carried {
	in := make(carried)
	for _, p := range packets {
		if len(p.Data) > envelopeSize && len(p.Data) < int(p.Wire) {
			inner := p
			inner.Data, inner.Wire = p.Data[envelopeSize:], p.Wire-envelopeSize
			in[&p.Data[0]] = inVNI{inner, 0}
		}
	}
	return in
}

// look sets what a packet tells of the one that it carries.
func (c carried) look(from *traces.Packet, key *attr.Key) {
	in, ok := c[&from.Data[0]]
	if !ok {
		return
	}
	var inner match.Packet
	packet.Decode(&inner, in.Link, in.Data, in.Wire)
	if in.vni != 0 {
		key.SetTunnel(uint8(packet.VXLAN), in.vni)
	}
	key.SetInner(&inner.Key)
}

// insides returns a ruleset that saves what packets tell of those that they carry.
func insides() *ruleset.RuleSet {
	rs := &ruleset.RuleSet{}
	for _, a := range []attr.Attr{
		attr.TunnelKind, attr.TunnelID, attr.InnerSourcePeerType, attr.InnerSourcePeerAddress, attr.InnerDestPeerAddress,
		attr.InnerSourceTransType, attr.InnerSourceTransAddress, attr.InnerDestTransAddress,
	} {
		rs.Rules = append(rs.Rules, ruleset.Rule{
			Attr: a, Mask: attr.Ones(a.Info().Size), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2,
		})
	}
	rs.Rules[len(rs.Rules)-1].Op = ruleset.OpCountPkt
	return rs
}

// tunnelsOnly returns a ruleset that counts packets in VXLAN, and ignores others.
func tunnelsOnly() *ruleset.RuleSet {
	return &ruleset.RuleSet{Rules: []ruleset.Rule{
		{Attr: attr.TunnelKind, Mask: attr.Ones(1), Value: attr.MakeValue(byte(packet.VXLAN)), Op: ruleset.OpCountPkt},
		{Op: ruleset.OpIgnore},
	}}
}
