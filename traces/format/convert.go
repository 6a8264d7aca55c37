package format

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"rtfm/traces"
)

// Conversion says what to copy from one trace to another. The zero value means
// everything.
type Conversion struct {
	// Packets before From and those at To or later are left out.
	From, To Limit
	// Sample, unless it is nil, says which of the others are looked at.
	Sample func(p *traces.Packet) bool
	// Pass, unless it is nil, says which of the others are copied.
	Pass func(p *traces.Packet) bool
	// Rewrite, unless it is nil, changes those before they are cut and written. It may
	// replace their Data.
	Rewrite func(p *traces.Packet)
	// Writer, unless it is nil, is called before a packet is written, and returns where
	// it goes, and all behind it.
	Writer func(p *traces.Packet) (*Writer, error)
	// Snap is the most octets of a packet that are kept; 0 means all.
	Snap uint32
	// Keep, unless it is nil, returns how many octets of a packet are to be
	// kept.
	Keep func(p *traces.Packet) int
}

// Converted counts what a conversion did.
type Converted struct {
	Packets uint64 // written
	Outside uint64 // left out by Conversion.From and To
	// NotSampled packets were left out by Conversion.Sample.
	NotSampled uint64
	// Filtered packets were left out by Conversion.Pass.
	Filtered uint64
	// Damage is what ended reading, nil if that was the end of the trace.
	Damage error
}

// Convert writes the packets of src to w, until src ends or ctx is done. The
// error is that of writing. w may be nil if there is Conversion.Writer; what was lost
// before the first packet that is written is told with it then.
func Convert(ctx context.Context, w *Writer, src traces.Source, c Conversion) (done Converted, err error) {
	var b traces.Batch
	told := make(losses)
	describer, _ := src.(traces.Describer)
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	begun := false
	for {
		if done.Damage = ctx.Err(); done.Damage != nil {
			return done, nil
		}
		if err := src.ReadBatch(&b); err != nil {
			if !errors.Is(err, io.EOF) {
				done.Damage = err
			}
			told.tell(w, src)
			return done, nil
		}
		if describer != nil && w != nil {
			w.Describe(describer.Describe().Interfaces)
		}
		told.tell(w, src)
		if !begun {
			begun = true
			from, to = c.From.After(b.Packets[0].Time, from), c.To.After(b.Packets[0].Time, to)
		}
		for i := range b.Packets {
			p := &b.Packets[i]
			if p.Time < from || p.Time >= to {
				done.Outside++
				continue
			}
			if c.Sample != nil && !c.Sample(p) {
				done.NotSampled++
				continue
			}
			if c.Pass != nil && !c.Pass(p) {
				done.Filtered++
				continue
			}
			if c.Writer != nil {
				next, err := c.Writer(p)
				if err != nil {
					return done, err
				}
				if next != w {
					if w = next; describer != nil {
						w.Describe(describer.Describe().Interfaces)
					}
					told.tell(w, src)
				}
			}
			if c.Rewrite != nil {
				c.Rewrite(p)
			}
			c.cut(p)
			if err := w.Write(p); err != nil {
				return done, err
			}
			done.Packets++
		}
	}
}

// losses are the packets that a Writer was told to be lost, by interface.
type losses map[uint32]uint64

// tell tells w of the losses of src that it was not told of.
func (l losses) tell(w *Writer, src traces.Source) {
	if w == nil {
		return
	}
	for _, f := range src.Stats().PerInterface {
		if n := l[f.Number]; f.Lost > n {
			w.Lost(f.Number, f.Lost-n)
			l[f.Number] = f.Lost
		}
	}
}

// cut takes off what is not to be kept of p.
func (c *Conversion) cut(p *traces.Packet) {
	n := len(p.Data)
	if c.Keep != nil {
		n = min(n, c.Keep(p))
	}
	if c.Snap != 0 {
		n = min(n, int(c.Snap))
	}
	p.Data = p.Data[:n]
}

// Limit is a moment, absolute or relative to the first packet of a trace. The
// zero Limit means no limit.
type Limit struct {
	ns            int64
	set, relative bool
}

// ParseLimit reads a moment: "2026-11-21T09:13:25.5Z" (RFC 3339), seconds since
// the Unix epoch, "1795252405.5", or seconds or another time after the first
// packet, "+60" or "+1m". There may be up to nine digits after the point.
func ParseLimit(s string) (Limit, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		if ns := t.UnixNano(); time.Unix(0, ns).Equal(t) {
			return Limit{ns: ns, set: true}, nil
		}
		return Limit{}, fmt.Errorf("%q is not a time between the years 1678 and 2262", s)
	}
	digits, relative := strings.CutPrefix(s, "+")
	if d, err := time.ParseDuration(digits); err == nil && relative && d >= 0 && !strings.HasPrefix(digits, "+") {
		return Limit{ns: int64(d), set: true, relative: true}, nil
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	sec, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || sec >= math.MaxInt64/1_000_000_000 || len(fraction) > 9 {
		return Limit{}, notLimit(s)
	}
	ns := uint64(0)
	if fraction != "" {
		if ns, err = strconv.ParseUint(fraction+strings.Repeat("0", 9-len(fraction)), 10, 63); err != nil {
			return Limit{}, notLimit(s)
		}
	}
	return Limit{ns: int64(sec*1e9 + ns), set: true, relative: relative}, nil
}

func notLimit(s string) error {
	return fmt.Errorf("%q is none of 2026-11-21T09:13:25.5Z, seconds since 1970, or + and seconds after the first packet", s)
}

// After returns the moment in nanoseconds since the Unix epoch, for a trace
// whose first packet has time first; other if there is no limit.
func (l Limit) After(first, other int64) int64 {
	switch {
	case !l.set:
		return other
	case l.relative && first > math.MaxInt64-l.ns:
		return math.MaxInt64
	case l.relative:
		return first + l.ns
	}
	return l.ns
}
