package cmd

import (
	"encoding/binary"

	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/traces"
	"rtfm/traces/store"
)

// keyOf returns a function for store.Config.Key, with memory of its own.
func keyOf() func(k *store.Key, p *traces.Packet) bool {
	var m match.Packet
	var u packet.Usual
	return func(k *store.Key, p *traces.Packet) bool {
		if p.Link == traces.LinkEthernet && u.Read(p.Data) {
			k.Set(u.Source.PeerType(), u.Source.TransType(), 0, u.PeerLen)
			for n, e := range [...]*attr.End{&u.Source, &u.Dest} {
				binary.LittleEndian.PutUint64(k.Address(n)[:], e.Peer[0])
				binary.LittleEndian.PutUint64(k.Address(n)[8:], e.Peer[1])
				binary.BigEndian.PutUint16(k.Port(n)[:], e.Port())
			}
			return true
		}
		packet.Decode(&m, p.Link, p.Data, p.Wire)
		return setKey(k, &m)
	}
}

// tupleOf returns what store.Config.Tuple does for the keys of keyOf.
func tupleOf(p *traces.Packet) (t store.Tuple, ok bool) {
	if p.Link == traces.LinkEthernet {
		t.Addresses, t.Ports, ok = packet.Tuple(p.Data)
	}
	return t, ok
}

// setKey sets k to the key of a packet. It reports false if it cannot.
func setKey(k *store.Key, m *match.Packet) bool {
	vlan := binary.BigEndian.Uint16(m.Key[attr.VLANid.Info().Offset:])
	length := m.PeerLen
	if length != 4 && length != 16 {
		length = 0
	}
	k.Set(m.Key.PeerType(), m.Key.TransType(), vlan, length)
	for end := range 2 {
		if length > 0 {
			copy(k.Address(end)[:], m.Key.Peer(end)[:length])
			*k.Port(end) = *m.Key.Trans(end)
		} else if m.Key.PeerType() == 0 && (*m.Key.Peer(end) != [attr.MaxAddress]byte{} || *m.Key.Trans(end) != [2]byte{}) {
			return false // flowKnown takes them for zeros
		}
	}
	return true
}

// flowKnown returns the bits of match keys that are known by a key of a store: with
// addresses, or of packets that have none, or have some that are not in it.
func flowKnown(addresses bool) (known attr.Key) {
	known.SetPeerType(0xff)
	binary.BigEndian.PutUint16(known[attr.VLANid.Info().Offset:], 0xffff)
	if !addresses {
		return known
	}
	known.SetTransType(0xff)
	for end := range 2 {
		for i := range known.Peer(end) {
			known.Peer(end)[i] = 0xff
		}
		*known.Trans(end) = [2]byte{0xff, 0xff}
	}
	return known
}

// What is asked of an index at most: peer addresses that are looked up, and rules that
// are looked at. Beyond that it is quicker to read packets.
const (
	mostEnds  = 10_000
	mostSteps = 100_000_000
)

// wanted returns which flows of a store may have wanted packets, nil for all. It is all
// if packets are looked for in tunnels, whose flows no index knows.
func (o *storeGetOptions) wanted() (all *store.Flows) {
	if o.filter.program != nil && o.origin.tunnels.kinds == 0 {
		all = flowsOf(o.filter.program)
		all.Late = o.origin.of != nil
	}
	return bothOf(o.origin.wanted(), all)
}

// flowsOf returns which flows may have packets that the program counts, of either
// direction, or with their ends changed over.
func flowsOf(program *pme.Program) *store.Flows {
	s := pme.NewPossible(program)
	with, without := flowKnown(true), flowKnown(false)
	f := &store.Flows{Wanted: func(k *store.Key) bool {
		if s.Steps > mostSteps {
			return true
		}
		known := &with
		if k.Length() == 0 && k.PeerType() != 0 {
			known = &without
		}
		for end := range 2 {
			var key attr.Key
			key.SetPeerType(k.PeerType())
			key.SetTransType(k.TransType())
			key.SetVLAN(k.VLAN())
			for e := range 2 {
				copy(key.Peer(e)[:], k.Address(e ^ end)[:])
				*key.Trans(e) = *k.Port(e ^ end)
			}
			if s.Counts(&key, known) {
				return true
			}
		}
		return false
	}}
	if prefixes, widths, ok := s.Ends(mostEnds); ok {
		f.Ends = prefixesOf(prefixes, widths)
	}
	return f
}
