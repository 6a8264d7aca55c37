package client

import (
	"context"
	"fmt"
	"time"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// PulseEvery is how often a meter is asked for its pulse, and how long the answer
// may take: so a meter that is told to end is collected in its grace time, and one
// that was started again is known within a second of being seen.
const PulseEvery = time.Second

// Pulse is what a meter tells in one short request of whether all goes on.
type Pulse struct {
	as Status // of its members those that tell one run of a meter from another
	// Ending tells that the meter was told to end, and counts no more packets.
	Ending bool
}

// Boot returns the meter's boot identifier, zero if it has none.
func (p *Pulse) Boot() [8]byte { return p.as.Boot }

// Restarted reports whether the meter was started again since it was as in before.
func (p *Pulse) Restarted(before *Status) bool { return p.as.Restarted(before) }

// Pulse asks whether the meter is still the same, and goes on. It takes one
// request of a few objects that cost the meter nothing, and gives up after
// PulseEvery.
func (c *Client) Pulse(ctx context.Context) (*Pulse, error) {
	ctx, cancel := context.WithTimeout(ctx, PulseEvery)
	defer cancel()
	vars, err := c.get(ctx, module.RtfmMeterBoot.At(0), module.RtfmMeterEnding.At(0), module.SysUpTime.At(0))
	if err != nil {
		return nil, err
	}
	var r values
	p := new(Pulse)
	if !absent(&vars[0]) {
		p.as.Extension = true
		if n := copy(p.as.Boot[:], r.octets(&vars[0], len(p.as.Boot))); n < len(p.as.Boot) && r.err == nil {
			r.err = nonsense(vars[0].Name, "%d octets, not %d", n, len(p.as.Boot))
		}
		if !absent(&vars[1]) { // not of an older meter
			p.Ending = r.truth(&vars[1])
		}
	}
	if vars[2].Value.Type == smi.TimeTicks {
		p.as.SysUpTime = uint32(vars[2].Value.Uint)
	}
	if r.err != nil {
		return nil, c.wrap(fmt.Errorf("asking how the meter is: %w", r.err))
	}
	return p, nil
}
