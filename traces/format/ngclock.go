package format

import (
	"fmt"
	"math"
	"math/bits"
)

// ngClock turns a pcapng interface's units of time into nanoseconds. Its units
// may be any power of ten or two of a second (if_tsresol), counted from any
// second (if_tsoffset), so that numbers of 128 bits occur on the way.
type ngClock struct {
	binary   bool  // units are 2 to the -exponent seconds, else 10 to the -exponent
	exponent uint8 // 0 to 127
	offset   int64 // seconds
}

// newNgClock returns the clock of an if_tsresol's octet and an if_tsoffset.
func newNgClock(resol uint8, offset int64) ngClock {
	return ngClock{binary: resol&0x80 != 0, exponent: resol & 0x7f, offset: offset}
}

// unit returns the name of the unit: "1 µs", "2^-20 s".
func (c ngClock) unit() string {
	base := 10
	if c.binary {
		base = 2
	}
	switch {
	case c.exponent == 0:
		return "1 s"
	case c.exponent == 6 && !c.binary:
		return "1 µs"
	case c.exponent == 9 && !c.binary:
		return "1 ns"
	}
	return fmt.Sprintf("%d^-%d s", base, c.exponent)
}

// simple returns the nanoseconds in a unit, when that is a whole number and
// there is no offset, else 0.
func (c ngClock) simple() int64 {
	switch {
	case c.offset != 0 || c.binary && c.exponent > 0 || c.exponent > 9:
		return 0
	}
	return int64(pow10(9 - c.exponent))
}

// time returns when a number of units have passed, in nanoseconds since the
// Unix epoch, cut to whole ones. A time before the epoch is given as that, and one
// after the latest that fits as the latest: then fits is false.
func (c ngClock) time(ticks uint64) (t int64, fits bool) {
	sec, ns := c.split(ticks)
	if c.offset >= 0 {
		var carry uint64
		if sec, carry = bits.Add64(sec, uint64(c.offset), 0); carry != 0 {
			return math.MaxInt64, false
		}
	} else {
		back := -uint64(c.offset)
		if back > sec {
			return 0, false
		}
		sec -= back
	}
	hi, lo := bits.Mul64(sec, 1e9)
	if lo += ns; hi != 0 || lo > math.MaxInt64 || lo < ns {
		return math.MaxInt64, false
	}
	return int64(lo), true
}

// split returns ticks as whole seconds and the nanoseconds beyond them.
func (c ngClock) split(ticks uint64) (sec, ns uint64) {
	if c.binary {
		if c.exponent < 64 {
			sec = ticks >> c.exponent
			ticks &= 1<<c.exponent - 1
		}
		hi, lo := bits.Mul64(ticks, 1e9)
		switch e := c.exponent; {
		case e == 0:
			return sec, 0
		case e < 64:
			return sec, hi<<(64-e) | lo>>e
		default:
			return sec, hi >> (e - 64)
		}
	}
	switch e := c.exponent; {
	case e <= 9:
		unit := pow10(e)
		return ticks / unit, ticks % unit * pow10(9-e)
	case e <= 19:
		unit := pow10(e)
		return ticks / unit, ticks % unit / pow10(e-9)
	case e-9 <= 19: // 64 bits are less than two seconds
		return 0, ticks / pow10(e-9)
	}
	return 0, 0
}

// pow10 returns 10 to the n, for n up to 19.
func pow10(n uint8) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}
