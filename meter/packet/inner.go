package packet

import "rtfm/ruleset/match"

// Look sets what p, which Decode has filled in, tells of the packet that it carries in
// an envelope of one of these kinds: kind and number of the tunnel, and the ends of
// the packet within, as far as its headers were captured. A tunnel that p has come out
// of stays its tunnel. What cannot be opened leaves p as it is. inner is room for the
// packet within.
func (k TunnelKinds) Look(p, inner *match.Packet) {
	var t Tunnel
	if k.Open(p, &t) != Opened {
		return
	}
	Decode(inner, t.Link, t.Inner(p.Data), t.Octets)
	p.Key.SetInner(&inner.Key)
	if p.Key.TunnelKind() == 0 {
		p.Key.SetTunnel(uint8(t.Kind), t.ID)
	}
}
