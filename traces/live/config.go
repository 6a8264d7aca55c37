package live

import (
	"errors"
	"fmt"
	"time"
)

// All is the name that stands for all interfaces, including those that appear
// later.
const All = "any"

// Config says what to capture, and how.
type Config struct {
	// Interfaces are the names of the interfaces, each once, or All alone for all
	// that exist at any time, which are not made promiscuous.
	Interfaces []string
	// RingSize is the size of each ring in octets; it is rounded up to whole
	// blocks, at least four, of at least 256 KiB and twice SnapLen.
	RingSize int
	// Rings is the number of rings of each interface.
	Rings int
	// SnapLen is the most octets of each packet that are captured.
	SnapLen int
	// Promiscuous captures packets to other stations too.
	Promiscuous bool
	// CardStamps has network cards stamp packets that come in, which takes
	// CAP_NET_ADMIN unless they do already, and stays so. Where a card does not,
	// the kernel does; Stats.Stamps counts the packets of each.
	CardStamps bool
	// Idle is for how long at most ReadBatch waits for packets before it returns none;
	// 0, or more than the time in which losses are asked for, means that.
	Idle time.Duration
	// Notify is called with what whoever runs the meter should know: offloads that
	// falsify counts, interfaces that vanish and return. Open and ReadBatch call
	// it.
	Notify func(message string)
}

// Defaults of Config's numbers.
const (
	DefaultRingSize = 64 << 20
	DefaultSnapLen  = 128
)

// Limits of Config's numbers. MaxSnapLen is more than any interface's packets.
const (
	MaxRings    = 64
	MaxRingSize = 1 << 30
	MaxSnapLen  = 256 << 10
)

// ErrUnsupported means that the system has no packet sockets of Linux's kind.
var ErrUnsupported = errors.New("live capture needs Linux")

// check finds numbers that cannot be meant.
func (c *Config) check() error {
	seen := make(map[string]bool)
	for _, name := range c.Interfaces {
		if seen[name] {
			return fmt.Errorf("interface %s is given twice", name)
		}
		seen[name] = true
	}
	if seen[All] && len(c.Interfaces) > 1 {
		return errors.New("any is all interfaces: no other can be given beside it")
	}
	switch {
	case len(c.Interfaces) == 0:
		return errors.New("no interface to capture at")
	case c.RingSize < 1 || c.RingSize > MaxRingSize:
		return fmt.Errorf("ring size %d: want 1 to %d octets", c.RingSize, MaxRingSize)
	case c.Rings < 1 || c.Rings > MaxRings:
		return fmt.Errorf("%d rings: want 1 to %d", c.Rings, MaxRings)
	case c.SnapLen < 1 || c.SnapLen > MaxSnapLen:
		return fmt.Errorf("snap length %d: want 1 to %d octets", c.SnapLen, MaxSnapLen)
	}
	return nil
}
