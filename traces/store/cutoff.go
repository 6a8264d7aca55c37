package store

import "rtfm/traces"

// MaxFlows is how many flows of a file have their octets counted for Config.Cutoff.
// Packets of others are stored whole.
const MaxFlows = 1 << 18

// cutoff finds packets of flows that have been long enough.
type cutoff struct {
	cfg   *Config
	flows map[Key]uint64 // octets of a flow; room for MaxFlows, so that none is made later
	key   Key
}

func newCutoff(cfg *Config) *cutoff {
	return &cutoff{cfg: cfg, flows: make(map[Key]uint64, MaxFlows)}
}

// keep returns how many octets of a packet are stored, and counts it.
func (c *cutoff) keep(p *traces.Packet, t *Totals) int {
	c.key = Key{}
	if !c.cfg.FlowKey(&c.key, p) || c.key[keyLength] == 0 {
		return len(p.Data)
	}
	c.key.order()
	had, known := c.flows[c.key]
	switch {
	case !known && len(c.flows) == MaxFlows:
		t.Uncounted++
		return len(p.Data)
	case had < c.cfg.Cutoff:
		c.flows[c.key] = had + uint64(p.Wire)
		return len(p.Data)
	}
	return min(max(c.cfg.Headers(p), 0), len(p.Data))
}
