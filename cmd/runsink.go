package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"rtfm/meter"
	"rtfm/reader/flowfile"
	"rtfm/reader/metrics"
	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/traces/format"
)

// runSink writes the flow data file.
type runSink struct {
	meter   record.Meter
	process record.Process
	to      record.Sink
	name    string // the meter's
	// ruleSets are those that the meter runs.
	ruleSets []record.RuleSet
	replaced bool // some were, and may be forgotten
	windows  bool // collections are windows of a schedule
	errors   io.Writer
	damaged  bool
	begun    bool // there was a collection
	faulty   bool // numbers did not add up
	// disorder is why the traces were not all read, nil if they were.
	disorder error
	stop     func() // ends the reading of the source, if that may wait
	feed     *feeding
	room     *spoolRoom         // nil if collections go into no spool
	watched  *metrics.Collected // nil if nobody asks for numbers
}

// sink returns what writes the flow data file of a run of these rulesets.
func (o *runOptions) sink(w io.Writer, m *meter.Meter, rules []*ruleset.RuleSet) record.Sink {
	form := o.form.form(o.output)
	if o.isTables() {
		q := o.top.options()
		if form != formTable {
			q.Full = true
			if !o.topGiven {
				q.Rows = 0 // there is no line for the others
			}
		}
		t := newTables(w, q, o.isSeveral(), o.place())
		t.form, t.iso = form, o.form.iso
		return t
	}
	format := o.format(rules)
	options := flowfile.Options{JSON: form == formJSON, CSV: form == formCSV, ISO: o.form.iso}
	for _, rs := range rules {
		options.Statistics = options.Statistics || rs.Statistics
	}
	return flowfile.NewSink(w, o.header(), format, options)
}

// header returns what flow data begins with.
func (o *runOptions) header() flowfile.Header {
	return flowfile.Header{
		Version: flowfile.Release(version()), Parameters: o.parameters(),
		Meter: o.meterName(), Interfaces: o.sources(), MaxFlows: o.maxFlows,
	}
}

// format returns the columns of flow data of these rulesets.
func (o *runOptions) format(rules []*ruleset.RuleSet) *ruleset.Format {
	switch {
	case o.form.form(o.output) == formCSV:
		return flowfile.TableFor(rules...)
	case o.form.format != nil:
		return o.form.format
	}
	return flowfile.FormatFor(rules...)
}

// columns returns those that flow data of these rulesets has from its beginning on.
func (o *runOptions) columns(rules []*ruleset.RuleSet) string {
	if form := o.form.form(o.output); o.isTables() || form == formJSON {
		return ""
	}
	return o.format(rules).String()
}

// running returns what is to be told of the rulesets that a meter runs.
func running(m *meter.Meter, rules []*ruleset.RuleSet) (sets []record.RuleSet) {
	tasks := m.Stats().Tasks
	for i, rs := range rules {
		sets = append(sets, record.RuleSetOf(tasks[i].RuleSet, rs))
	}
	return sets
}

// replace tells which rulesets run now. Those that ran before may have flows.
func (s *runSink) replace(now []record.RuleSet) {
	s.replaced = true
	if s.ruleSets == nil {
		return // nobody is told
	}
	for _, rs := range s.ruleSets {
		if !slices.ContainsFunc(now, func(o record.RuleSet) bool { return o.Number == rs.Number }) {
			now = append(now, rs)
		}
	}
	s.ruleSets = now
}

// Damage implements meter.Sink.
func (s *runSink) Damage(err error) {
	var order *format.OrderError
	if errors.As(err, &order) {
		s.disorder = fmt.Errorf("%w%s", err, hint(err))
		return
	}
	s.damaged = true
	fmt.Fprintf(s.errors, "rtfm: %v%s\n", err, hint(err))
}

// BackInTime implements meter.Sink.
func (s *runSink) BackInTime(file string, before, at int64) {
	fmt.Fprintf(s.errors, "rtfm: %s: warning: time goes back, from %s to %s; such packets count at the later time\n",
		file, utc(before), utc(at))
}
