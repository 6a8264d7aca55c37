package flowfile

import (
	"slices"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TableFor returns the columns of CSV of the flows of these rulesets, beside those
// that all flows have: what they may save, by number, with the names of values that
// have some, and the masks of addresses that they may not save whole.
func TableFor(rulesets ...*ruleset.RuleSet) *ruleset.Format {
	var all, named []attr.Attr
	for _, rs := range rulesets {
		all, named = append(all, rs.SavesAndMasks()...), append(named, rs.Names.Attrs()...)
	}
	return tableOf(all, named)
}

// tableOf returns columns of these attributes, each once, and of the names of some.
func tableOf(all, named []attr.Attr) *ruleset.Format {
	slices.Sort(all)
	f := &ruleset.Format{}
	for _, a := range slices.Compact(all) {
		f.Fields = append(f.Fields, ruleset.Field{Attr: a, Separator: ",", Name: slices.Contains(named, a)})
	}
	return f
}

// names returns those of a ruleset of the present collection, nil if there are none.
func (p *page) names(number int) *ruleset.Names {
	if p.c == nil {
		return nil
	}
	return p.c.RuleSet(number).Names
}

// value is one of the values that are the same of a ruleset's flows in a collection,
// empty if it is not known.
type value struct {
	text   string
	quoted bool // in JSON
}

// identity returns the values of record.Identity for a ruleset of the present
// collection.
func (p *page) identity(number int) []value {
	c := p.c
	if c == nil {
		c = &record.Collection{}
	}
	rs := c.RuleSet(number)
	ns := func(at int64) value { return value{text: strconv.FormatInt(at, 10)} }
	values := []value{
		{text: strconv.Itoa(record.Schema)}, {p.meter, true}, {c.Boot, true}, ns(p.in.epoch),
		{rs.Hash, true}, {rs.Name, true}, {text: strconv.Itoa(number)}, ns(p.in.start), ns(p.in.end),
	}
	if number == 0 { // no meter has such a ruleset
		values[6].text = ""
	}
	return values
}

// missing returns what is not known of the present collection's flows.
func (p *page) missing() []attr.Attr {
	if p.c == nil {
		return nil
	}
	return p.c.Missing
}

// deltaName is what stands before the name of a distribution in the name of the
// column that has what it counted in the interval.
const deltaName = "Delta"

// appendCSVHeader appends the names of the columns.
func appendCSVHeader(b []byte, f *ruleset.Format, iso bool) []byte {
	add := func(names ...string) {
		for _, name := range names {
			b = append(append(b, name...), ',')
		}
	}
	all := func(columns []record.Column) {
		for _, c := range columns {
			add(c.Name)
		}
	}
	all(record.Identity())
	if iso {
		all(record.Texts())
	}
	all(record.Own())
	for _, fd := range f.Fields {
		if fd.Attr.Form() != attr.FormBuckets {
			add(partColumns(fd.Attr)...)
			continue
		}
		add(fd.Attr.String())
		if fd.Name {
			add(record.NameColumn(fd.Attr))
		}
		if fd.Attr.Info().Class == attr.ClassDistrib {
			add(deltaName + fd.Attr.String())
		}
	}
	all(record.Counted())
	b[len(b)-1] = '\n'
	return b
}

// csvLead returns what the rows of a ruleset begin with.
func (p *page) csvLead(number int) (b []byte) {
	for _, v := range p.identity(number) {
		b = append(appendCSV(b, v.text), ',')
	}
	if p.opts.ISO {
		b = append(appendTime(b, p.in.start), ',')
		b = append(appendTime(b, p.in.end), ',')
	}
	return b[:len(b)-1]
}

// appendCSV appends a value, in quotation marks if it needs them.
func appendCSV(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return append(b, text...)
	}
	return append(append(append(b, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}

// csvPrinter returns the printer of a flow's row, behind its lead. What flows do not
// have is empty.
func (p *page) csvPrinter(s *match.Shape) *printer {
	pr := &printer{shape: s}
	if p.opts.ISO {
		pr.text(",")
		pr.value(kindFirstText, 0, 0)
		pr.text(",")
		pr.value(kindLastText, 0, 0)
	}
	numbers := func(columns []record.Column) {
		for _, c := range columns {
			pr.text(",")
			if a, _ := attr.ByName(c.Name); !slices.Contains(p.missing(), a) {
				pr.value(measured[a], 0, 0)
			}
		}
	}
	numbers(record.Own())
	for _, fd := range p.format.Fields {
		pr.text(",")
		pr.csvSaved(fd.Attr)
		if fd.Name {
			pr.text(",")
			pr.name(kindName, fd.Attr)
		}
	}
	numbers(record.Counted())
	pr.text("\n")
	return pr
}

// csvSaved adds an attribute that the flows may have saved, or a mask, or a
// distribution and what that counted in the interval.
func (p *printer) csvSaved(a attr.Attr) {
	in := a.Info()
	switch in.Class {
	case attr.ClassStatistic:
		p.csvStatistic(a)
		return
	case attr.ClassDistrib:
		p.distributionOf(a, kindCounters)
		p.text(",")
		if i := p.measure(a); i >= 0 {
			p.value(kindDeltaCounters, i, 0)
		}
		return
	case attr.ClassMask:
		address := a - 1
		if mask, ok := p.shape.Mask(address); ok && mask != attr.Ones(p.shape.Len(address)) {
			text, _ := rowMask(match.Saved{Attr: address, Mask: mask})
			p.text(text)
		}
		return
	}
	n := p.shape.Len(a)
	if _, ok := p.shape.Mask(a); ok && n > 0 {
		p.value(keyKind(a, n), in.Offset, n)
	}
}
