package flowfile

import (
	"fmt"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// part is one of the values of a statistic: a member of its object in JSON, a column
// of CSV.
type part struct {
	// name is the member's. Behind the attribute's name, with a capital, it is the
	// column's.
	name   string
	what   partKind
	number int  // which of the statistic's numbers it is
	added  bool // an interval adds to it
}

type partKind uint8

const (
	partNumber partKind = iota
	partBound           // the least or the greatest value, if there was any
	partSquares
	partMean
	partDeviation
	partSeen // flags
	partPairs
	partWhole // all, in its text form
)

// parts are those of each form. Statistics with one part are that, without an object.
var parts = map[attr.Form][]part{
	attr.FormStats: {
		{"n", partNumber, attr.StatCount, true}, {"sum", partNumber, attr.StatSum, true}, {"ssq", partSquares, attr.StatSquaresLow, true},
		{"min", partBound, attr.StatMin, false}, {"max", partBound, attr.StatMax, false},
		{"mean", partMean, 0, true}, {"sd", partDeviation, 0, true},
	},
	attr.FormRange: {
		{"n", partNumber, attr.RangeCount, true}, {"min", partBound, attr.RangeMin, false}, {"max", partBound, attr.RangeMax, false},
	},
	attr.FormFlags:   flagParts(),
	attr.FormCount:   {{"", partNumber, 0, true}},
	attr.FormPackets: {{"", partWhole, 0, false}},
	attr.FormID:      {{"", partWhole, 0, false}},
	attr.FormDigest:  {{"", partWhole, 0, false}},
	attr.FormEdges:   {{"", partNumber, 0, false}},
}

// pairParts are those of turnaround times.
var pairParts = append([]part{{"pairs", partPairs, 0, false}}, parts[attr.FormStats]...)

func flagParts() []part {
	list := []part{{"seen", partSeen, 0, false}}
	for i, name := range attr.FlagNames {
		list = append(list, part{strings.ToLower(name), partNumber, 1 + i, true})
	}
	return list
}

// partsOf returns those of a statistic.
func partsOf(a attr.Attr) []part {
	if a.CountsPairs() {
		return pairParts
	}
	return parts[a.Form()]
}

// isObject reports whether a statistic has several values.
func isObject(a attr.Attr) bool { return len(partsOf(a)) > 1 }

// column returns the name of the column of a statistic's part.
func (p *part) column(a attr.Attr) string {
	if p.name == "" {
		return a.String()
	}
	return a.String() + strings.ToUpper(p.name[:1]) + p.name[1:]
}

// partColumns returns the columns of a statistic in CSV: what it has, and with Delta
// before the names what the interval added.
func partColumns(a attr.Attr) (names []string) {
	list := partsOf(a)
	for i := range list {
		names = append(names, list[i].column(a))
	}
	for i := range list {
		if list[i].added {
			names = append(names, deltaName+list[i].column(a))
		}
	}
	return names
}

// partByColumn finds the part of a statistic that has a column of this name.
func partByColumn(name string) (f field, ok bool) {
	rest, delta := strings.CutPrefix(name, deltaName)
	for _, in := range attr.All() {
		if in.Class != attr.ClassStatistic || !strings.HasPrefix(rest, in.Name) || delta && !isAdded(in.Attr) {
			continue
		}
		list := partsOf(in.Attr)
		for i := range list {
			if list[i].column(in.Attr) != rest || delta && !list[i].added {
				continue
			}
			f = field{name: name, kind: fieldPart, attr: in.Attr, place: uint16(i)}
			if delta {
				f.kind = fieldDeltaPart
			}
			return f, true
		}
	}
	return f, false
}

// isAdded reports whether intervals add to a statistic.
func isAdded(a attr.Attr) bool {
	for _, p := range partsOf(a) {
		if p.added {
			return true
		}
	}
	return false
}

// value appends a part of the numbers of a statistic, nothing if there is none.
func (p *part) value(b []byte, d *attr.Measure, numbers []uint64) []byte {
	switch p.what {
	case partBound:
		if numbers[0] == 0 {
			return b
		}
	case partSquares:
		return attr.AppendSumOfSquares(b, numbers)
	case partMean:
		if mean, ok := attr.Mean(numbers); ok {
			b = appendRate(b, mean)
		}
		return b
	case partDeviation:
		if deviation, ok := attr.Deviation(numbers); ok {
			b = appendRate(b, deviation)
		}
		return b
	case partSeen:
		return append(b, attr.FlagWords(uint8(numbers[0]))...)
	case partPairs:
		p1, _, _ := d.Parameters()
		return append(b, attr.PairKind(p1).String()...)
	case partWhole:
		return d.Attr.Form().AppendStatistic(b, numbers)
	}
	return strconv.AppendUint(b, numbers[p.number], 10)
}

// isText reports whether it is a string in JSON.
func (p *part) isText() bool {
	return p.what == partSeen || p.what == partPairs || p.what == partWhole
}

// statistic adds statistic i of the shape, as text has it.
func (p *printer) statistic(i int) { p.value(kindStatistic, i, 0) }

// csvStatistic adds the columns of statistic a.
func (p *printer) csvStatistic(a attr.Attr) {
	at := p.measure(a)
	columns := func(k kind, list []part) {
		for i := range list {
			if k == kindDeltaPart && !list[i].added {
				continue
			}
			if at >= 0 {
				p.value(k, at, i)
			}
			p.text(",")
		}
	}
	columns(kindPart, partsOf(a))
	columns(kindDeltaPart, partsOf(a))
	p.end = strings.TrimSuffix(p.end, ",")
}

// measure returns the place of a measure in the shape, -1 if the flows have none.
func (p *printer) measure(a attr.Attr) int {
	for i := range p.shape.Measures {
		if p.shape.Measures[i].Attr == a {
			return i
		}
	}
	return -1
}

// jsonStatistic adds statistic i of the shape: an object, or a value.
func (p *printer) jsonStatistic(i int) {
	a := p.shape.Measures[i].Attr
	p.text(fmt.Sprintf(`,"%s":`, a))
	p.value(kindStatisticJSON, i, 0)
	switch {
	case isObject(a):
		p.text(`,"delta":`)
		p.value(kindDeltaStatisticJSON, i, 0)
		p.text("}")
	case isAdded(a):
		p.text(fmt.Sprintf(`,"%s%s":`, deltaName, a))
		p.value(kindDeltaStatisticJSON, i, 0)
	}
}

// appendStatisticJSON appends a statistic with these numbers: a value, or an object to
// which more is added.
func (p *printer) appendStatisticJSON(b []byte, i int, numbers []uint64) []byte {
	d := &p.shape.Measures[i]
	if d.Attr.Form() == attr.FormPackets {
		return appendPacketsJSON(b, attr.ListedIn(numbers))
	}
	if d.Attr.Form() == attr.FormDigest && attr.NoDigest(numbers) {
		return append(b, "null"...)
	}
	return appendPartsJSON(b, d, numbers, false)
}

// appendPartsJSON appends the parts of a statistic, of an interval those that it adds
// to. An object is left open.
func appendPartsJSON(b []byte, d *attr.Measure, numbers []uint64, interval bool) []byte {
	list := partsOf(d.Attr)
	if len(list) > 1 {
		b = append(b, '{')
	}
	from := len(b)
	for i := range list {
		if p := &list[i]; !interval || p.added {
			b = p.member(b, d, numbers, len(b) == from)
		}
	}
	return b
}

// member appends a part as a member of an object, whose first one it may be; or alone
// if it has no name.
func (p *part) member(b []byte, d *attr.Measure, numbers []uint64, first bool) []byte {
	from := len(b)
	if !first {
		b = append(b, ',')
	}
	if p.name != "" {
		b = append(append(append(b, '"'), p.name...), `":`...)
	}
	if p.isText() {
		b = append(b, '"')
	}
	at := len(b)
	if b = p.value(b, d, numbers); len(b) == at && p.what != partSeen {
		return b[:from] // there is none
	}
	if p.isText() {
		b = append(b, '"')
	}
	return b
}

// appendDeltaStatisticJSON appends what the interval added to statistic i.
func (p *printer) appendDeltaStatisticJSON(b []byte, pc *piece, delta *record.Counters) []byte {
	numbers := p.deltaCounters(pc, delta)
	if numbers == nil {
		return append(b, "null"...)
	}
	d := &p.shape.Measures[pc.offset]
	if b = appendPartsJSON(b, d, numbers, true); isObject(d.Attr) {
		b = append(b, '}')
	}
	return b
}

// appendPacketsJSON appends the packets of a FormPackets, as lists of each of what is
// told of them.
func appendPacketsJSON(b []byte, packets []uint64) []byte {
	list := func(name string, of func(attr.Listed) int64) {
		b = append(append(append(b, '"'), name...), `":[`...)
		for i, n := range packets {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, of(attr.Listed(n)), 10)
		}
		b = append(b, "],"...)
	}
	b = append(b, '{')
	list("octets", func(l attr.Listed) int64 { return int64(l.Octets()) })
	list("directions", func(l attr.Listed) int64 {
		if l.Backward() {
			return -1
		}
		return 1
	})
	list("gaps", func(l attr.Listed) int64 { return int64(l.Gap()) })
	list("flags", func(l attr.Listed) int64 { return int64(l.Flags()) })
	b[len(b)-1] = '}'
	return b
}
