package metrics

import (
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Beside returns a sink that gives collections to another one, and then to c.
func (c *Collected) Beside(to record.Sink) record.Sink {
	b := beside{to, c}
	if p, ok := to.(record.Parallel); ok && c.values == nil {
		return besideParts{b, p}
	}
	return b
}

// beside is a sink and the sums beside it.
type beside struct {
	record.Sink
	c *Collected
}

// Differences implements record.Differing.
func (b beside) Differences() bool {
	return b.c.Differences() || record.WantsDifferences(b.Sink)
}

// Begin implements record.Sink.
func (b beside) Begin(in *record.Collection) error {
	b.c.Begin(in)
	return b.Sink.Begin(in)
}

// Flow implements record.Sink.
func (b beside) Flow(f *match.Flow, counted *record.Counters) error {
	b.c.Flow(f, counted)
	return b.Sink.Flow(f, counted)
}

// End implements record.Sink.
func (b beside) End(sum *record.Summary) error {
	b.c.End(sum)
	return b.Sink.End(sum)
}

// besideParts is beside where nobody looks at flows but the sink, which takes them in
// parts.
type besideParts struct {
	beside
	parallel record.Parallel
}

// Parts implements record.Parallel.
func (b besideParts) Parts(n int, flows func(part int, put func(f *match.Flow, counted *record.Counters))) {
	b.parallel.Parts(n, flows)
}
