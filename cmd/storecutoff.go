package cmd

import (
	"fmt"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/traces"
	"rtfm/traces/store"
)

// appendFlowKey appends the key of a packet's flow.
func appendFlowKey(b []byte, p *traces.Packet) []byte {
	var m match.Packet
	packet.Decode(&m, p.Link, p.Data, p.Wire)
	return packet.AppendFlowKey(b, &m)
}

// headersOf returns how many octets the headers of a packet have.
func headersOf(p *traces.Packet) int { return packet.Headers(p.Link, p.Data, p.Wire) }

// flowHeaders is headersOf for packets of flows; other packets are all header.
func flowHeaders(p *traces.Packet) int {
	var m match.Packet
	if packet.Decode(&m, p.Link, p.Data, p.Wire); m.PeerLen == 0 {
		return len(p.Data)
	}
	return headersOf(p)
}

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
