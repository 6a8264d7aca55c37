package cmd

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/ruleset"
	"rtfm/traces"
)

// reloading is a source that pauses when programs were read again, so that they take
// the places of those that run between two packets.
type reloading struct {
	traces.Source
	meter *meter.Meter
	sink  *runSink
	rules []*ruleset.RuleSet // that run, in the order of the options
	next  chan []reloaded
	done  chan []*ruleset.RuleSet // what runs once next was taken
	tell  func(message string)    // nil if nobody is to be told
}

// reloaded is a ruleset that was read again.
type reloaded struct {
	rules *ruleset.RuleSet
	ready *meter.Prepared // nil if its rules are as they were: only names may be others
}

// reloads reports whether SIGHUP has programs read again, rather than end the run.
func (o *runOptions) reloads() bool {
	programs := o.programs.programs
	return o.capture.isLive() && len(programs) > 0 && !slices.ContainsFunc(programs, func(p program) bool { return p.name == "-" })
}

// reloading returns a source whose programs are read again at each of hups until stop is
// called.
func (o *runOptions) reloading(cmd *cobra.Command, hups <-chan os.Signal, src traces.Source, m *meter.Meter, s *runSink, rules []*ruleset.RuleSet) (r *reloading, stop func()) {
	r = &reloading{
		Source: src, meter: m, sink: s, rules: slices.Clone(rules), tell: o.notify(cmd.ErrOrStderr()),
		next: make(chan []reloaded, 1), done: make(chan []*ruleset.RuleSet, 1),
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	terminal := hasTerminal()
	go func() {
		for {
			select {
			case <-hups:
			case <-ctx.Done():
				return
			}
			if terminal && !hasTerminal() { // it was closed
				endAfterAll(ctx)
				return
			}
			next, err := o.readAgain(cmd, rules)
			if err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%v\nrtfm: the rules were not read again: all goes on as before\n", err)
				continue
			}
			r.next <- next
			select {
			case rules = <-r.done:
			case <-ctx.Done():
				return
			}
		}
	}()
	return r, cancel
}

// readAgain reads programs again, and makes ready those whose rules have changed.
func (o *runOptions) readAgain(cmd *cobra.Command, before []*ruleset.RuleSet) ([]reloaded, error) {
	rules, err := o.rules(cmd)
	if err != nil {
		return nil, err
	}
	if was, is := o.columns(before), o.columns(rules); was != is {
		return nil, fmt.Errorf("the rules want other columns of the flow data, which has begun: %s instead of %s", is, was)
	}
	next := make([]reloaded, len(rules))
	for i, rs := range rules {
		next[i].rules = rs
		if rs.Hash() == before[i].Hash() {
			continue
		}
		if next[i].ready, err = meter.Prepare(rs); err != nil {
			return nil, fmt.Errorf("%s: %w", rs.Name, err)
		}
	}
	return next, nil
}

// ReadBatch implements traces.Source.
func (r *reloading) ReadBatch(b *traces.Batch) error {
	if len(r.next) > 0 {
		b.Packets = b.Packets[:0]
		return meter.ErrPause
	}
	return r.Source.ReadBatch(b)
}

// run has the meter run the source to its end.
func (r *reloading) run(ctx context.Context) error {
	for {
		if err := r.meter.Run(ctx, r, r.sink); err != meter.ErrPause || len(r.next) == 0 {
			return err // the pause is another's
		}
		r.replace(<-r.next)
		r.done <- slices.Clone(r.rules)
	}
}

// replace has the rulesets run that were read again. One that the meter has no number
// for goes on as it was.
func (r *reloading) replace(next []reloaded) {
	var news []string
	all := true
	for i, n := range next {
		if n.ready == nil {
			r.rules[i] = n.rules
			continue
		}
		number := r.meter.Stats().Tasks[i].RuleSet
		own, err := r.meter.Replace(number, n.ready, n.rules.Name)
		if err != nil {
			fmt.Fprintf(r.sink.errors, "rtfm: %s was not replaced, and goes on as before: %v\n", n.rules.Name, err)
			all = false
			continue
		}
		r.rules[i] = n.rules
		news = append(news, fmt.Sprintf("%s is ruleset %d now, and the flows of ruleset %d are collected as before", n.rules.Name, own, number))
	}
	r.sink.replace(running(r.meter, r.rules))
	if len(news) == 0 && all {
		news = []string{"their rules are as they were"}
	}
	if r.tell != nil && len(news) > 0 {
		r.tell("the rules were read again: " + strings.Join(news, "; "))
	}
}
