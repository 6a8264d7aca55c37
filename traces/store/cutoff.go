package store

import "rtfm/traces"

// MaxFlows is how many flows of a file have their octets counted for Config.Cutoff.
// Packets of others are stored whole.
const MaxFlows = 1 << 18

// cutoff finds packets of flows that have been long enough.
type cutoff struct {
	cfg   *Config
	flows map[flowKey]uint64 // octets of a flow; room for MaxFlows, so that none is made later
	key   []byte
}

// flowKey is a flow's key, filled up with zeros; its first octet is how long it is.
type flowKey [65]byte

func newCutoff(cfg *Config) *cutoff {
	return &cutoff{cfg, make(map[flowKey]uint64, MaxFlows), make([]byte, 0, len(flowKey{}))}
}

// keep returns how many octets of a packet are stored, and counts it.
func (c *cutoff) keep(p *traces.Packet, t *Totals) int {
	c.key = c.cfg.FlowKey(c.key[:0], p)
	var k flowKey
	k[0] = byte(copy(k[1:], c.key))
	had, known := c.flows[k]
	switch {
	case !known && len(c.flows) == MaxFlows:
		t.Uncounted++
		return len(p.Data)
	case had < c.cfg.Cutoff:
		c.flows[k] = had + uint64(p.Wire)
		return len(p.Data)
	}
	return min(max(c.cfg.Headers(p), 0), len(p.Data))
}
