package cmd

import (
	"slices"
	"time"

	"rtfm/meter"
	"rtfm/reader/record"
)

// Collect implements meter.Sink.
func (s *runSink) Collect(c meter.Collection) error {
	s.begun = true
	if c.Last && s.stop != nil {
		s.stop()
	}
	if c.Last {
		s.feed.end() // what became of it is in the collection
	}
	if s.replaced {
		counts, _ := s.meter.Counts()
		s.ruleSets = slices.DeleteFunc(s.ruleSets, func(rs record.RuleSet) bool {
			_, known := counts.RuleSets[rs.Number]
			return !known
		})
	}
	if s.room == nil {
		return s.copy(c)
	}
	return s.room.collect(c.Last, func() error { return s.copy(c) })
}

// copy has the sink take a collection.
func (s *runSink) copy(c meter.Collection) error {
	next := record.Collection{Meter: s.name, Epoch: c.Start, To: c.To, Skipped: int(c.PassedOver), RuleSets: s.ruleSets}
	if s.windows {
		next.From = c.From
	}
	if s.room != nil {
		next.Postponed = s.room.postponed
	}
	from := s.process.From(s.meter, next, c.Last)
	to := s.to
	if s.watched != nil {
		to = s.watched.Beside(to)
	}
	sum, err := record.Copy(to, from)
	if err != nil {
		return err
	}
	s.process.Done()
	if s.watched != nil {
		s.watched.Written(0)
	}
	s.check(sum)
	return nil
}

// place returns whose clock intervals end by, nil for none.
func (o *runOptions) place() *time.Location {
	form := o.form.form(o.output)
	if o.exports.wanted() && o.output == "" {
		form = formJSON // which it is sent in
	}
	return o.interval.place(form, o.capture.isLive())
}
