package packet

import "rtfm/ruleset/match"

// Look sets the ends of the packet that p, which Decode has filled in, carries in an
// envelope of one of these kinds, as far as its headers were captured; and kind and
// number of the tunnel, unless these are to tell of one that p has come out of. What
// cannot be opened leaves p as it is. inner is room for the packet within.
func (k TunnelKinds) Look(p, inner *match.Packet, tells bool) {
	var t Tunnel
	if k.Open(p, &t) != Opened {
		return
	}
	Decode(inner, t.Link, t.Inner(p.Data), t.Octets)
	p.Key.SetInner(&inner.Key)
	if tells {
		p.Key.SetTunnel(uint8(t.Kind), t.ID)
	}
}
