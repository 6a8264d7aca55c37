package record

import "rtfm/ruleset/match"

// tee is several sinks, one after the other.
type tee []Sink

// Tee returns a sink that gives everything to all of these.
func Tee(sinks ...Sink) Differing { return tee(sinks) }

func (t tee) Differences() bool {
	for _, s := range t {
		if WantsDifferences(s) {
			return true
		}
	}
	return false
}

func (t tee) Begin(c *Collection) error {
	return t.each(func(s Sink) error { return s.Begin(c) })
}

func (t tee) Flow(f *match.Flow, counted *Counters) error {
	return t.each(func(s Sink) error { return s.Flow(f, counted) })
}

func (t tee) End(sum *Summary) error {
	return t.each(func(s Sink) error { return s.End(sum) })
}

func (t tee) each(do func(Sink) error) error {
	for _, s := range t {
		if err := do(s); err != nil {
			return err
		}
	}
	return nil
}
