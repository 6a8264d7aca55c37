package cmd

import (
	"fmt"
	"time"
)

// pairFault is what is wrong with a collection, the better the less.
type pairFault int

const (
	none pairFault = iota
	losses
	restarted
	overlaps // its interval begins earlier than the one that was taken last ends
	nothing
)

// fault returns the worst that is wrong with a half's latest collection.
func (h *pairHalf) fault(p *pairReading) pairFault {
	switch {
	case h.last != p.round:
		return nothing
	case p.to != 0 && h.before != p.to:
		return overlaps
	case h.result.Restarted:
		return restarted
	case h.result.Summary.Lost+h.result.Summary.Uncounted > 0:
		return losses
	}
	return none
}

// tell says what is wrong with a half's latest collection.
func (h *pairHalf) tell(p *pairReading) string {
	switch h.fault(p) {
	case nothing:
		return fmt.Sprintf("was not collected: %v", h.err)
	case overlaps:
		return "was not collected before: its interval is longer"
	case restarted:
		return "was restarted"
	case losses:
		return fmt.Sprintf("has lost %d packets, and not counted %d", h.result.Summary.Lost, h.result.Summary.Uncounted)
	}
	return "has lost nothing"
}

// seam says, for the log, by how much a half's interval does not begin where the one that
// was taken before ends, by the clocks of the meters: packets of that time are in both, or
// in neither. A meter that was restarted begins anew.
func (h *pairHalf) seam(p *pairReading) []any {
	gap := time.Duration(h.from - p.end)
	switch {
	case p.to == 0, h.result.Restarted, gap == 0:
		return nil
	case gap < 0:
		return []any{"in both intervals", -gap}
	}
	return []any{"in no interval", gap}
}
