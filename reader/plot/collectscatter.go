package plot

import (
	"fmt"
	"io"
	"math/bits"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// ScatterOf is a record.Sink that draws how long the flows lasted that it takes, and
// how fast they were. A flow is one point, whatever the number of collections that
// have it.
type ScatterOf struct {
	opts  Options
	by    attr.Attr // 0 for none
	times timeline
	began *record.Collection
	row   query.Row
	flows map[identity]lasted
	read  map[identity]lasted // of the collection at hand
	names map[string]int
	named []string // by their numbers
}

// identity tells flows from each other.
type identity struct {
	meter   string
	epoch   int64
	first   int64
	index   uint32
	ruleSet int32
}

// lasted is how long a flow has lasted.
type lasted struct {
	duration int64
	octets   uint64
	group    int // number of its name
}

// NewScatterOf returns a ScatterOf of no collections yet.
func NewScatterOf(opts Options) (*ScatterOf, error) {
	s := &ScatterOf{opts: opts, flows: make(map[identity]lasted), read: make(map[identity]lasted), names: make(map[string]int)}
	var err error
	if opts.By != nil {
		s.by, err = attribute(opts.By)
	}
	return s, err
}

// Begin implements record.Sink.
func (s *ScatterOf) Begin(c *record.Collection) error {
	s.times.begin(c)
	s.began = c
	clear(s.read)
	return nil
}

// Flow implements record.Sink.
func (s *ScatterOf) Flow(f *match.Flow, counted *record.Counters) error {
	if s.opts.Filter != nil {
		all := record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}
		s.row = query.Row{Flow: f, Counted: &all}
		if !s.opts.Filter.Match(&s.row) {
			return nil
		}
	}
	if s.by == 0 {
		s.by = firstOf(f.Shape, attr.FlowKind, attr.SourceTransType, attr.DestTransType)
	}
	octets, over := bits.Add64(f.ToOctets, f.FromOctets, 0)
	if over != 0 {
		return query.ErrOverflow
	}
	name := s.nameOf(f)
	group, ok := s.names[name]
	if !ok {
		group = len(s.named)
		s.names[name] = group
		s.named = append(s.named, name)
	}
	key := identity{s.began.Meter, s.began.Epoch, f.FirstTime, f.Index, int32(f.Shape.RuleSet)}
	s.read[key] = lasted{f.LastTime - f.FirstTime, octets, group}
	return nil
}

// firstOf returns the first of some attributes that flows of a shape have saved, the
// number of their ruleset if they have none of them.
func firstOf(s *match.Shape, some ...attr.Attr) attr.Attr {
	for _, a := range some {
		if _, saved := s.Mask(a); saved {
			return a
		}
	}
	return attr.FlowRuleSet
}

// nameOf returns what a flow is shown as: FlowKind's character, as nifty has shown it,
// or what people call the value.
func (s *ScatterOf) nameOf(f *match.Flow) string {
	switch s.by {
	case attr.FlowRuleSet:
		return fmt.Sprintf("ruleset %d", f.Shape.RuleSet)
	case attr.FlowKind, attr.SourceKind, attr.DestKind, attr.FlowClass, attr.SourceClass, attr.DestClass:
		if v := f.Value(s.by); len(v) > 0 && v[len(v)-1] > ' ' && v[len(v)-1] < 0x7f {
			return s.by.String() + " " + string(v[len(v)-1:])
		}
		return s.by.String() + " " + f.Show(s.by, true)
	}
	if name := f.Show(s.by, false); name != "" {
		return name
	}
	return "no " + s.by.String()
}

// End implements record.Sink.
func (s *ScatterOf) End(sum *record.Summary) error {
	s.times.end(sum)
	for key, now := range s.read {
		s.flows[key] = now
	}
	return nil
}

// WriteSVG draws the picture.
func (s *ScatterOf) WriteSVG(w io.Writer) error {
	groups := make([]Group, len(s.named))
	for i, name := range s.named {
		groups[i].Name = name
		if k := len(name) - 2; k > 0 && name[k] == ' ' && name[:k] == s.by.String() {
			groups[i].Symbol = rune(name[k+1])
		}
	}
	var all, over uint64
	for _, f := range s.flows {
		if all, over = bits.Add64(all, f.octets, 0); over != 0 {
			return query.ErrOverflow
		}
		groups[f.group].Add(f.duration, f.octets)
	}
	intervals := s.times.all
	if sorted, _, err := s.times.sorted(); err == nil {
		intervals = sorted
	}
	title := s.opts.title("Duration and rate of flows")
	if s.opts.By == nil && s.by != 0 && s.opts.Title == "" {
		title += " by " + s.by.String()
	}
	p := &Scatter{Title: title, Intervals: intervals, Groups: topGroups(groups, s.opts.Most), Zone: s.opts.Zone}
	return p.WriteSVG(w)
}
