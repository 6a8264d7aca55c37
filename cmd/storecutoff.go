package cmd

import (
	"fmt"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/store"
)

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
