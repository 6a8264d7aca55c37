package query

import (
	"errors"
	"math/bits"
	"slices"
	"strings"

	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/match"
	"rtfm/ruleset/spell"
)

// sums are what flows have counted together. No sum is greater than that of all
// flows: who has checked that one for overflow need not check others.
type sums struct {
	records                                uint64 // flow records
	pdus, octets                           uint64 // of both directions, each flow once
	toPDUs, fromPDUs, toOctets, fromOctets uint64
	first, last                            int64 // the time of the first and of the last packet; 0 of none
}

// ErrOverflow is for counters whose sum is more than 64 bits hold.
var ErrOverflow = errors.New("the sum of the counters is more than 64 bits hold: they cannot be right")

// add adds what a flow has counted, changed over if reverse is set.
func (s *sums) add(f *match.Flow, c *record.Counters, reverse bool) {
	s.records++
	s.pdus += c.ToPDUs + c.FromPDUs
	s.octets += c.ToOctets + c.FromOctets
	if reverse {
		s.directions(c.FromPDUs, c.ToPDUs, c.FromOctets, c.ToOctets)
	} else {
		s.directions(c.ToPDUs, c.FromPDUs, c.ToOctets, c.FromOctets)
	}
	s.span(f.FirstTime, f.LastTime)
}

// directions adds to the sums of each direction.
func (s *sums) directions(toPDUs, fromPDUs, toOctets, fromOctets uint64) {
	s.toPDUs += toPDUs
	s.fromPDUs += fromPDUs
	s.toOctets += toOctets
	s.fromOctets += fromOctets
}

// span takes the time of a flow in.
func (s *sums) span(first, last int64) {
	if s.first == 0 || first < s.first {
		s.first = first
	}
	s.last = max(s.last, last)
}

// addChecked is add for the sum of all flows.
func (s *sums) addChecked(f *match.Flow, c *record.Counters) error {
	pdus, over1 := bits.Add64(c.ToPDUs, c.FromPDUs, 0)
	octets, over2 := bits.Add64(c.ToOctets, c.FromOctets, 0)
	_, over3 := bits.Add64(s.pdus, pdus, 0)
	_, over4 := bits.Add64(s.octets, octets, 0)
	if over1|over2|over3|over4 != 0 {
		return ErrOverflow
	}
	s.add(f, c, false)
	return nil
}

// take takes the sums of some of the flows away. What remains has no times.
func (s *sums) take(o *sums) {
	s.records -= o.records
	s.pdus -= o.pdus
	s.octets -= o.octets
	s.directions(-o.toPDUs, -o.fromPDUs, -o.toOctets, -o.fromOctets)
	s.first, s.last = 0, -1
}

// join adds the sums of other flows.
func (s *sums) join(o *sums) {
	s.records += o.records
	s.pdus += o.pdus
	s.octets += o.octets
	s.directions(o.toPDUs, o.fromPDUs, o.toOctets, o.fromOctets)
	if o.records > 0 {
		s.span(o.first, o.last)
	}
}

// Sum is one of the sums that tables have, by which they can be sorted.
type Sum uint8

// The sums. Octets and PDUs are of both directions.
const (
	Octets Sum = iota
	PDUs
	ToOctets
	FromOctets
	ToPDUs
	FromPDUs
	Records
)

// sumNames are the names of the sums, and those they have in tables of hosts.
var sumNames = [...][2]string{
	Octets: {"Octets", "Octets"}, PDUs: {"PDUs", "PDUs"},
	ToOctets: {"ToOctets", "SentOctets"}, FromOctets: {"FromOctets", "ReceivedOctets"},
	ToPDUs: {"ToPDUs", "SentPDUs"}, FromPDUs: {"FromPDUs", "ReceivedPDUs"},
	Records: {"Records", "Records"},
}

// SumNames returns the names that ParseSum knows.
func SumNames() []string {
	var names []string
	for _, both := range sumNames {
		for _, n := range both {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// ParseSum finds a sum by its name, whatever the case of its letters.
func ParseSum(name string) (Sum, error) {
	for s, names := range sumNames {
		if strings.EqualFold(name, names[0]) || strings.EqualFold(name, names[1]) {
			return Sum(s), nil
		}
	}
	return 0, errors.New(spell.UnknownOf("sum", name, SumNames()))
}

// String returns the sum's name.
func (s Sum) String() string { return sumNames[s][0] }

// of returns the sum's value.
func (s Sum) of(of *sums) uint64 {
	switch s {
	case PDUs:
		return of.pdus
	case ToOctets:
		return of.toOctets
	case FromOctets:
		return of.fromOctets
	case ToPDUs:
		return of.toPDUs
	case FromPDUs:
		return of.fromPDUs
	case Records:
		return of.records
	}
	return of.octets
}

// kind returns what the sum counts, for tables.
func (s Sum) kind() table.Kind {
	switch s {
	case Octets, ToOctets, FromOctets:
		return table.Octets
	}
	return table.Count
}
