package cmd

import (
	"rtfm/meter/flowset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/store"
)

// wanted returns which flows of a store may have packets that are counted, nil for all.
func (o *originOptions) wanted() (all *store.Flows) {
	switch {
	case o.tunnels.kinds != 0:
	case len(o.rules) == 1:
		all = flowsOf(o.rules[0])
	case len(o.rules) == 0 && o.of != nil:
		all = flowsIn(o.of.Set)
	}
	if all != nil {
		all.Late = o.of != nil // who asks what time it is when a packet comes
	}
	return all
}

// inKey reports whether keys of a store have an attribute of packets.
func inKey(a attr.Attr) bool {
	switch a {
	case attr.SourcePeerType, attr.DestPeerType, attr.SourcePeerAddress, attr.DestPeerAddress, attr.VLANid,
		attr.SourceTransType, attr.DestTransType, attr.SourceTransAddress, attr.DestTransAddress:
		return true
	}
	return false
}

// flowsIn returns which flows of a store may have packets of the flows in a set; nil for
// all.
func flowsIn(set *flowset.Set) *store.Flows {
	alike := set.Alike(inKey)
	if alike == nil {
		return nil
	}
	f := &store.Flows{Wanted: func(k *store.Key) bool {
		if k.Length() == 0 && k.PeerType() != 0 {
			return true // it has addresses that are not in the key
		}
		p := match.Packet{PeerLen: uint8(k.Length())}
		p.Key.SetPeerType(k.PeerType())
		p.Key.SetTransType(k.TransType())
		p.Key.SetVLAN(k.VLAN())
		for end := range 2 {
			copy(p.Key.Peer(end)[:], k.Address(end)[:k.Length()])
			*p.Key.Trans(end) = *k.Port(end)
		}
		return alike.HasPacket(&p, 0)
	}}
	if addresses, widths, ok := set.Ends(mostEnds); ok {
		f.Ends = prefixesOf(addresses, widths)
	}
	return f
}

// prefixesOf returns addresses of which so many bits count.
func prefixesOf(addresses []attr.Value, widths []int) []store.Prefix {
	all := make([]store.Prefix, len(addresses))
	for i, v := range addresses {
		address := v.Padded()
		copy(all[i].Address[:], address[:])
		all[i].Bits = min(widths[i], 8*len(all[i].Address))
	}
	return all
}

// bothOf returns the flows that a and b want, of which either may be nil, for all.
func bothOf(a, b *store.Flows) *store.Flows {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	f := &store.Flows{Wanted: func(k *store.Key) bool { return a.Wanted(k) && b.Wanted(k) }, Ends: a.Ends, Late: a.Late || b.Late}
	if f.Ends == nil {
		f.Ends = b.Ends
	}
	return f
}
