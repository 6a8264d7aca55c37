package cmd

import (
	"fmt"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/store"
)

// flowKey sets the key of a packet's flow, if it has addresses that keys have.
func flowKey(k *store.Key, p *traces.Packet) bool {
	var m match.Packet
	packet.Decode(&m, p.Link, p.Data, p.Wire)
	if m.PeerLen != 4 && m.PeerLen != 16 {
		return false
	}
	k.Set(m.Key.PeerType(), m.Key.TransType(), 0, m.PeerLen)
	for end := range 2 {
		copy(k.Address(end)[:], m.Key.Peer(end)[:m.PeerLen])
		*k.Port(end) = *m.Key.Trans(end)
	}
	return true
}

// headersOf returns how many octets the headers of a packet have.
func headersOf(p *traces.Packet) int { return packet.Headers(p.Link, p.Data, p.Wire) }

// cutText tells what the cutoff has done, "" if nothing.
func cutText(t *store.Totals) (text string) {
	if t.Cut > 0 {
		text = fmt.Sprintf("%d of them have headers only, beyond the cutoff", t.Cut)
	}
	if t.Uncounted > 0 {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%d are whole since a file has more than %d flows", t.Uncounted, store.MaxFlows)
	}
	return text
}
