package query

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
)

// Row is a flow record: what an Expr is about. Counted is what Octets and the like
// mean: what the flow added in the interval, or what it has counted altogether.
type Row struct {
	Flow       *match.Flow
	Counted    *record.Counters
	Collection *record.Collection
	// Length is the time in which that was counted, in nanoseconds: Rate is over it.
	Length int64
}

// begin is called before the rows of a collection.
func (r *Row) begin(c *record.Collection, total bool) {
	r.Collection = c
	from := c.From
	if total {
		from = c.Epoch
	}
	r.Length = max(c.To-from, 0)
}

// predicate is what an expression is compiled to.
type predicate func(*Row) bool

// Expr is an expression about flow records. It is safe for concurrent use, and
// allocates nothing for a record.
type Expr struct {
	match  predicate
	attrs  []attr.Attr
	varies bool
	deltas bool
}

// Match reports whether the expression is true of a flow.
func (e *Expr) Match(r *Row) bool { return e.match(r) }

// Attributes returns the attributes which flows must have saved for the expression to
// have a meaning, in order of their numbers.
func (e *Expr) Attributes() []attr.Attr { return e.attrs }

// Varies reports whether the expression can be true of some of a flow's records and
// false of others, as it is if it asks what the flow has counted.
func (e *Expr) Varies() bool { return e.varies }

// Deltas reports whether the expression names what the interval added as such, which it
// cannot be asked together with what flows have counted altogether.
func (e *Expr) Deltas() bool { return e.deltas }

// Parse reads an expression: one of SRL, whose attributes are those that flows save,
// and the names in numbers.go. Faults are a ruleset.Diagnostics in which the text
// has this name.
func Parse(file, text string) (*Expr, error) {
	tree, err := srl.ParseExpr(file, words(text), srl.Options{})
	if err != nil {
		return nil, err
	}
	c := &compiler{file: file}
	e := &Expr{match: c.expr(tree)}
	e.varies, e.deltas = c.varies, c.deltas
	if len(c.faults) > 0 {
		c.faults.Sort()
		return nil, c.faults
	}
	slices.Sort(c.attrs)
	e.attrs = slices.Compact(c.attrs)
	return e, nil
}

// Times and rates have marks in them that values of SRL have not. Until they are read
// as values they have _ and ! instead, which values may have.
const (
	perSecond, perSecondWord = "bit/s", "bit_s"
	timeLike                 = "dddd-dd-ddTdd:dd" // d is a digit
)

// words makes single words of the times and rates in a text, and of statistics and
// their parts.
func words(text string) string {
	b := []byte(text)
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"' || b[i] == '\'':
			end := strings.IndexByte(text[i+1:], b[i])
			if end < 0 {
				return string(b)
			}
			i += end + 1
		case b[i] == '.' && isPart(text, i):
			b[i] = '_'
		case strings.HasPrefix(text[i:], perSecond) && i > 0 && isWord(text[i-1]):
			copy(b[i:], perSecondWord)
		case isTime(text[i:]) && (i == 0 || !isWord(text[i-1])):
			for i++; i < len(text) && (isWord(text[i]) || strings.IndexByte(":.-+", text[i]) >= 0) && !strings.HasPrefix(text[i:], ".."); i++ {
				switch b[i] {
				case ':':
					b[i] = '_'
				case '+':
					b[i] = '!'
				}
			}
			i--
		}
	}
	return string(b)
}

// isTime reports whether text begins as a time with a date does.
func isTime(text string) bool {
	if len(text) < len(timeLike) {
		return false
	}
	for i := range len(timeLike) {
		if timeLike[i] == 'd' && !isDigit(text[i]) || timeLike[i] != 'd' && text[i] != timeLike[i] {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord reports whether c may be part of a name or number.
func isWord(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
}

// compiler makes a predicate of a tree.
type compiler struct {
	file   string
	faults ruleset.Diagnostics
	attrs  []attr.Attr
	varies bool
	deltas bool
}

// fault reports what is wrong at a place. It returns nil, which Parse does not use.
func (c *compiler) fault(at srl.Place, format string, args ...any) predicate {
	c.faults = append(c.faults, at.Diagnose(c.file, fmt.Sprintf(format, args...)))
	return nil
}

func (c *compiler) expr(e srl.Expr) predicate {
	switch e := e.(type) {
	case *srl.Or:
		return anyOf(c.all(e.Terms))
	case *srl.And:
		return allOf(c.all(e.Factors))
	case *srl.Not:
		return not(c.expr(e.X))
	case *srl.Test:
		return c.test(e)
	}
	return c.fault(e.At(), "this is no test of flow records")
}

func (c *compiler) all(list []srl.Expr) []predicate {
	var ps []predicate
	for _, e := range list {
		ps = append(ps, c.expr(e))
	}
	return ps
}

// anyOf is true if one of them is.
func anyOf(ps []predicate) predicate {
	switch len(ps) {
	case 1:
		return ps[0]
	case 2:
		p, q := ps[0], ps[1]
		return func(r *Row) bool { return p(r) || q(r) }
	}
	return func(r *Row) bool {
		for _, p := range ps {
			if p(r) {
				return true
			}
		}
		return false
	}
}

// allOf is true if none is false.
func allOf(ps []predicate) predicate {
	if len(ps) == 2 {
		p, q := ps[0], ps[1]
		return func(r *Row) bool { return p(r) && q(r) }
	}
	return func(r *Row) bool {
		for _, p := range ps {
			if !p(r) {
				return false
			}
		}
		return true
	}
}

func not(p predicate) predicate { return func(r *Row) bool { return !p(r) } }

// test compiles the comparison of something with values.
func (c *compiler) test(t *srl.Test) predicate {
	name := t.Attr.Text
	if n := numberByName(name); n != nil {
		c.varies = c.varies || !n.lasts
		c.deltas = c.deltas || len(name) > 5 && strings.EqualFold(name[:5], "Delta")
		return c.numbers(n, t)
	}
	if strings.EqualFold(name, meterWord) {
		return c.meter(t)
	}
	if a, part, ok := statisticByWord(name); ok {
		return c.statistic(t, a, part)
	}
	switch of := attr.ByWord(name); len(of) {
	case 1:
		return c.attribute(t, of[0])
	case 2:
		return c.bothEnds(t, of[0])
	}
	a, ok := attr.ByName(name)
	if !ok {
		return c.fault(t.Attr.Place, "%s", unknownAttribute(name, Names()))
	}
	return c.attribute(t, a)
}

// attribute compiles the test of what flows have saved.
func (c *compiler) attribute(t *srl.Test, a attr.Attr) predicate {
	c.attrs = append(c.attrs, a)
	switch class := a.Info().Class; {
	case class == attr.ClassInteger, class == attr.ClassComputed, isPort(a):
		return c.integers(t, a)
	case class == attr.ClassAddress:
		return c.addresses(t, a)
	case class.IsMeasure():
		return c.fault(t.Attr.Place, "%s is a distribution, which has no single value to be compared", a)
	}
	return c.fault(t.Attr.Place, "%s is not part of flow records", a)
}

// bothEnds compiles the test of either end of a flow: == is true if it is of one of
// them, != if it is of both, as the contrary of ==.
func (c *compiler) bothEnds(t *srl.Test, a attr.Attr) predicate {
	own := *t
	if own.Op == srl.NotEqual {
		own.Op = srl.Equal
	}
	p := anyOf([]predicate{c.attribute(&own, a), c.attribute(&own, a.Reverse())})
	c.faults = slices.CompactFunc(c.faults, func(a, b ruleset.Diagnostic) bool { return a.Line == b.Line && a.Col == b.Col })
	if t.Op == srl.NotEqual {
		return not(p)
	}
	return p
}

// meterWord is the meter's name, in expressions and keys.
const meterWord = "Meter"

// meter compiles the test of the meter's name.
func (c *compiler) meter(t *srl.Test) predicate {
	if t.Op != srl.Equal && t.Op != srl.NotEqual {
		return c.fault(t.Attr.Place, "names of meters have no order: write == or !=")
	}
	var names []string
	for i := range t.Operands {
		o := &t.Operands[i]
		if o.Mask.Text != "" || o.To.Text != "" {
			return c.fault(o.Value.Place, "a meter's name has neither mask nor range")
		}
		text := o.Value.Text
		if n := len(text); n >= 2 && (text[0] == '"' || text[0] == '\'') {
			text = text[1 : n-1]
		}
		names = append(names, text)
	}
	p := func(r *Row) bool { return slices.Contains(names, r.Collection.Meter) }
	if t.Op == srl.NotEqual {
		return not(p)
	}
	return p
}

// Names returns all that an expression can test.
func Names() []string {
	names := append(attr.Words(), meterWord)
	for i := range numbers {
		names = append(names, numbers[i].name)
	}
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			names = append(names, in.Name)
		case attr.ClassStatistic:
			names = append(names, statisticNames(in.Attr)...)
		}
	}
	return names
}
