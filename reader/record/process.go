package record

import (
	"cmp"

	"rtfm/ruleset/match"
)

// Meter is a meter in this process at the end of an interval: it stands still
// while the interval's flows are read.
type Meter interface {
	// Flows calls put for each flow that was active in the interval, in order of
	// ruleset number and index, until that fails. The flow is valid until put
	// returns.
	Flows(put func(*match.Flow) error) error
	// Parts returns the same flows in parts that several goroutines may read; none
	// if they must be read one after the other.
	Parts() []func(put func(*match.Flow))
	// Counts returns what the meter has counted since it was started.
	Counts() (Counts, Levels)
}

// Process makes the collections of a meter in this process. The zero value is for
// a meter of which none was made.
type Process struct {
	// Differences is set if the sink wants what flows count in each interval, see
	// WantsDifferences. What all flows have counted since the start is known
	// without.
	Differences bool
	// Fails is set if a collection may fail and be made once more, longer: what is
	// remembered of flows is that of the collections for which Done was called.
	Fails bool

	deltas Deltas
	before Counts
	to     int64 // the end of the collection before
	// Of the one that was read last:
	read  Readings
	now   Counts
	until int64
}

// From returns the meter's collection c; From, First and Boot need not be set. From is
// the end of the collection before unless it is. last tells that no other follows.
func (p *Process) From(m Meter, c Collection, last bool) Parted {
	c.First, c.From = p.to == 0, cmp.Or(c.From, p.to)
	if c.First {
		c.From = c.Epoch
	}
	c.Boot = BootOf(c.Epoch)
	p.read = p.deltas.Readings()
	return &processed{p, m, c, last && c.First}
}

// Done tells that the collection which was read last is where it was to go: the next one
// begins where it ended.
func (p *Process) Done() {
	p.before, p.to = p.now, p.until
	if p.Fails {
		p.deltas.KeepAll(&p.read)
	}
}

// processed is a collection of a Process.
type processed struct {
	*Process
	meter Meter
	c     Collection
	whole bool // the only collection: all was counted in it
}

// Collection implements From.
func (p *processed) Collection() *Collection { return &p.c }

// Flows implements From.
func (p *processed) Flows(put func(*match.Flow, *Counters) error) error {
	var counted Counters
	return p.meter.Flows(func(f *match.Flow) error { return put(f, p.counted(f, &counted)) })
}

// Parts implements Parted.
func (p *processed) Parts() (parts []func(func(*match.Flow, *Counters))) {
	if p.Differences && !p.whole {
		return nil // the differences are taken one after the other
	}
	for _, flows := range p.meter.Parts() {
		parts = append(parts, func(put func(*match.Flow, *Counters)) {
			var counted Counters
			flows(func(f *match.Flow) { put(f, p.counted(f, &counted)) })
		})
	}
	return parts
}

// counted sets to to what f has counted in the interval and returns it, nil if that
// is not known.
func (p *processed) counted(f *match.Flow, to *Counters) *Counters {
	switch {
	case p.whole && !p.Differences:
		*to = Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}
	case !p.Differences:
		return nil
	case p.whole:
		*to = CountersOf(f)
	case p.Fails:
		*to, _ = p.deltas.Peek(f)
		p.read.Add(f)
	default:
		*to = p.deltas.Since(f)
	}
	return to
}

// Summary implements From.
func (p *processed) Summary(collected func(ruleSet int) *uint64) (*Summary, error) {
	now, levels := p.meter.Counts()
	s := Summarize(&now, &p.before, levels, collected)
	p.now, p.until = now, p.c.To
	return &s, nil
}
