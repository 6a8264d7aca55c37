package plot

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Options say which flows are drawn, and how.
type Options struct {
	// By is what flows are told from each other by; without any, by what the kind of
	// picture is best with.
	By []query.Key
	// Most is how many are shown each, the others as one.
	Most   int
	Filter *query.Expr // nil for all flows
	Title  string      // "" for one that tells the kind and By
	Zone   *time.Location
}

// Drawing is a record.Sink that draws what it has taken.
type Drawing interface {
	record.Sink
	WriteSVG(w io.Writer) error
}

// errRuleSets is for flows of several rulesets, of which each has counted a packet.
func errRuleSets(a, b int) error {
	return fmt.Errorf("there are flows of rulesets %d and %d, which have counted the same packets: choose one by FlowRuleSet == %[1]d", a, b)
}

// RatesOf is a record.Sink that draws the rates of what it takes.
type RatesOf struct {
	opts    Options
	times   timeline
	top     *query.Top // of the collection at hand
	began   *record.Collection
	series  map[string]*groupSeries
	ruleSet int
	unknown uint64
	err     error // of flows that fit into no picture
}

// groupSeries is the series of a group.
type groupSeries struct {
	Series
	group query.Group
}

// NewRatesOf returns a RatesOf of no collections yet.
func NewRatesOf(opts Options) (*RatesOf, error) {
	for _, k := range opts.By {
		if k.IsOfHosts() {
			return nil, fmt.Errorf("%s has both ends of a flow, which must not be stacked: take SourcePeerAddress or DestPeerAddress", k)
		}
	}
	return &RatesOf{opts: opts, series: make(map[string]*groupSeries)}, nil
}

// Begin implements record.Sink.
func (r *RatesOf) Begin(c *record.Collection) error {
	r.times.begin(c)
	r.began, r.top = c, nil
	return nil
}

// Flow implements record.Sink.
func (r *RatesOf) Flow(f *match.Flow, counted *record.Counters) error {
	if r.top == nil {
		if r.opts.By == nil {
			by, err := query.ParseKeys(firstSaved(f.Shape), nil)
			if err != nil {
				return err
			}
			r.opts.By = by
		}
		r.top = query.NewTop(query.Options{By: r.opts.By, Filter: r.opts.Filter})
		if err := r.top.Begin(r.began); err != nil {
			return err
		}
	}
	return r.top.Flow(f, counted)
}

// firstSaved returns the first attribute that flows of a shape have saved and that
// tells much, FlowRuleSet if there is none.
func firstSaved(s *match.Shape) string {
	first := attr.FlowRuleSet
	for _, saved := range s.Saved {
		switch saved.Attr {
		case attr.SourcePeerType, attr.DestPeerType, attr.SourceAdjacentType, attr.DestAdjacentType, attr.SourceInterface, attr.DestInterface:
			if first == attr.FlowRuleSet {
				first = saved.Attr
			}
			continue
		}
		return saved.Attr.String()
	}
	return first.String()
}

// End implements record.Sink.
func (r *RatesOf) End(sum *record.Summary) error {
	at := r.times.end(sum)
	if r.top == nil {
		return nil
	}
	if err := r.top.End(sum); err != nil {
		return err
	}
	r.unknown += r.top.Summary().Unknown
	r.top.Groups(func(g query.Group) {
		if r.ruleSet == 0 {
			r.ruleSet = g.RuleSet
		}
		if g.RuleSet != r.ruleSet && r.err == nil {
			r.err = errRuleSets(r.ruleSet, g.RuleSet)
		}
		if s := r.series[g.Key]; s == nil {
			r.series[g.Key] = &groupSeries{group: g}
		} else {
			s.group.Join(&g)
		}
		r.series[g.Key].Add(at, float64(g.Octets))
	})
	return nil
}

// WriteSVG draws the picture.
func (r *RatesOf) WriteSVG(w io.Writer) error {
	intervals, moved, err := r.times.sorted()
	if err = cmp.Or(r.err, err); err != nil {
		return err
	}
	p := &Rates{Title: r.opts.title("Rate"), Intervals: intervals, Unknown: r.unknown, Zone: r.opts.Zone}
	var all []Series
	names := query.NewTop(query.Options{By: r.opts.By})
	for _, s := range r.series {
		s.Name = names.Name(&s.group)
		for i := range s.Amounts {
			s.Amounts[i].Interval = moved[s.Amounts[i].Interval]
		}
		all = append(all, s.Series)
	}
	p.Series = Top(all, r.opts.Most)
	return p.WriteSVG(w)
}

// title returns the picture's title.
func (o *Options) title(kind string) string {
	if o.Title != "" {
		return o.Title
	}
	var by []string
	for _, k := range o.By {
		by = append(by, k.String())
	}
	if len(by) == 0 {
		return kind
	}
	return kind + " by " + strings.Join(by, ", ")
}

// attribute returns the attribute that a key is, if it is all of one.
func attribute(keys []query.Key) (attr.Attr, error) {
	if len(keys) == 1 {
		if a, ok := attr.ByName(keys[0].String()); ok {
			return a, nil
		}
	}
	return 0, errors.New("symbols are for the values of one attribute, such as SourceTransType or FlowKind")
}
