package reader

import (
	"errors"
	"fmt"
	"io"

	"rtfm/mib/client"
)

// DefaultMaxFlows is how many flows a collection may have unless Config says
// otherwise: twice what a meter has room for unless it is told otherwise.
const DefaultMaxFlows = 2_000_000

// Limits of what a meter can make a Collector take, for each flow that a
// collection may have.
const (
	// fileOctets are written, on the average.
	fileOctets = 4096
	// memoryOctets are remembered, to tell what flows count in an interval.
	memoryOctets = 128
)

// ErrLimit is for a collection that is larger than it may be.
var ErrLimit = errors.New("the collection is too large")

// maxFlows is how many flows a collection may have.
func (k *Collector) maxFlows() int {
	if k.cfg.MaxFlows > 0 {
		return k.cfg.MaxFlows
	}
	return DefaultMaxFlows
}

// warnOfLimit warns of a meter that may come to have more flows than a
// collection may.
func (k *Collector) warnOfLimit(c *client.Client, st *client.Status) {
	if most := k.maxFlows(); st.MaxFlows > most && !k.warned {
		k.warned = true
		k.cfg.Warn(fmt.Errorf("%s: the meter has room for %d flows, and collections of more than %d are refused: max-flows allows more", c.Address(), st.MaxFlows, most))
	}
}

// limited is an io.Writer with an end.
type limited struct {
	w    io.Writer
	left int64
	most int64
}

// Write implements io.Writer.
func (l *limited) Write(b []byte) (int, error) {
	if l.left -= int64(len(b)); l.left < 0 {
		return 0, fmt.Errorf("%w: it has more than %d octets: max-flows allows more", ErrLimit, l.most)
	}
	return l.w.Write(b)
}
