package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
)

// measure is a column of sums.
type measure struct {
	column table.Column
	value  func(*sums) table.Value
}

// measured appends the values of these columns.
func measured(row []table.Value, measures []measure, s *sums) []table.Value {
	for i := range measures {
		row = append(row, measures[i].value(s))
	}
	return row
}

// sumOf returns the column of a sum.
func sumOf(s Sum, name string) measure {
	return measure{table.Column{Name: name, Kind: s.kind()}, func(of *sums) table.Value { return table.Uint(s.of(of)) }}
}

// measures returns the columns of a table of which these are the sums of all.
func (t *Top) measures(all *sums) []measure {
	hosts := 0
	if isHosts(t.opts.By) {
		hosts = 1
	}
	name := func(s Sum) measure { return sumOf(s, sumNames[s][hosts]) }
	var list []measure
	if t.opts.By != nil {
		list = append(list, name(Records))
	}
	switch {
	case t.opts.Full:
		list = append(list, name(ToPDUs), name(FromPDUs), name(PDUs), name(ToOctets), name(FromOctets), name(Octets))
	case t.opts.By == nil && all.fromPDUs == 0:
		list = append(list, name(Octets), optional(titled(name(PDUs), "Packets")))
	case t.opts.By == nil:
		list = append(list, titled(name(ToOctets), "To"), titled(name(FromOctets), "From"), optional(titled(name(PDUs), "Packets")))
	case hosts == 1:
		list = append(list, name(PDUs), name(ToOctets), name(FromOctets), name(Octets))
	default:
		list = append(list, name(PDUs), name(Octets))
	}
	list = append(list, optional(rate(t.times.length())), optional(share(t.opts.Sort, t.opts.Sort.of(all))))
	if t.opts.By == nil || t.opts.Full {
		list = append(list, times(t.opts.Full)...)
	}
	return list
}

// titled returns a column that people know by another name.
func titled(m measure, title string) measure {
	m.column.Title = title
	return m
}

// optional returns a column that narrow tables are without.
func optional(m measure) measure {
	m.column.Optional = true
	return m
}

// rate is the mean rate over the time of all intervals, in bits a second.
func rate(length int64) measure {
	return measure{table.Column{Name: "BitRate", Title: "bit/s", Kind: table.BitRate}, func(s *sums) table.Value {
		return table.Float(8 * float64(s.octets) / (float64(length) / 1e9)) // nothing if there was no time
	}}
}

// share is the percentage of all that was counted.
func share(by Sum, all uint64) measure {
	return measure{table.Column{Name: "Percent", Title: "%", Kind: table.Percent}, func(s *sums) table.Value {
		return table.Float(100 * float64(by.of(s)) / float64(all)) // nothing if nothing was counted
	}}
}

// times are those of the packets.
func times(last bool) []measure {
	list := []measure{{table.Column{Name: "FirstTimeNs", Title: "First", Kind: table.Time, Optional: true}, func(s *sums) table.Value {
		return instantOf(s, s.first)
	}}}
	if last {
		list = append(list, measure{table.Column{Name: "LastActiveTimeNs", Title: "Last", Kind: table.Time}, func(s *sums) table.Value {
			return instantOf(s, s.last)
		}})
	}
	return append(list, measure{table.Column{Name: "DurationNs", Title: "Duration", Kind: table.Duration, Optional: true}, func(s *sums) table.Value {
		return instantOf(s, s.last-s.first)
	}})
}

// instantOf returns a time if there was any.
func instantOf(s *sums, ns int64) table.Value {
	if s.records == 0 || s.first == 0 || s.last < s.first {
		return table.Value{}
	}
	return table.Int(ns)
}

// Notes returns lines below the tables: what was read, and what is missing from it.
func (t *Top) Notes() []string {
	s := t.Summary()
	var all sums
	for _, section := range t.sections {
		all.records += section.all.records
	}
	note := fmt.Sprintf("%s, %.3f s, %s", plural(s.Collections, "collection"), float64(s.Length)/1e9, plural(all.records, "record"))
	if len(t.sections) == 1 {
		for _, section := range t.sections {
			note += fmt.Sprintf(", %d PDUs, %d octets", section.all.pdus, section.all.octets)
		}
	}
	notes := []string{note + fmt.Sprintf("; lost %d, uncounted %d", s.Lost, s.Uncounted)}
	if s.Unknown > 0 {
		notes = append(notes, UnknownNote(s.Unknown))
	}
	return slices.Concat(notes, t.KeyNotes(), t.Warnings())
}

// KeyNotes say what rows of these keys are, and what flows have that no column shows.
func (t *Top) KeyNotes() (notes []string) {
	for _, a := range slices.Sorted(maps.Keys(t.listed)) {
		notes = append(notes, fmt.Sprintf("%s: tables have no lists of packets, flow data has (-F FILE, --json, --csv)", a))
	}
	for i := range t.opts.By {
		k := &t.opts.By[i]
		if k.kind == keyHost {
			notes = append(notes, "a flow is in the rows of both its ends: rows come to up to twice the total")
		}
		if k.width[0] != whole && k.width[1] == whole && t.long {
			notes = append(notes, fmt.Sprintf("addresses of IPv6 are whole: %s/64 takes their first 64 bits", k))
		}
	}
	return notes
}

// Warnings returns lines about numbers that files do not tell, so that sums are not
// what their names say.
func (t *Top) Warnings() (notes []string) {
	var names []string
	for _, a := range [...]attr.Attr{attr.ToPDUs, attr.FromPDUs, attr.ToOctets, attr.FromOctets} {
		if t.untold[a] {
			names = append(names, a.String())
		}
	}
	if len(names) > 0 {
		notes = append(notes, "not told by a file, and 0 in the sums: "+strings.Join(names, ", "))
	}
	if len(t.sections) > 0 && t.sections[0] != nil {
		notes = append(notes, "FlowRuleSet is not told: if flows are of several rulesets, their packets are in the sums once for each")
	}
	return notes
}

// plural returns a number of things.
func plural[N int | uint64](n N, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// UnknownNote tells of flow records that are left out.
func UnknownNote(n uint64) string {
	return fmt.Sprintf("left out: %s of flows that began before the first collection; what they added in it is not known", plural(n, "record"))
}
