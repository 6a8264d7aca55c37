package cmd

import (
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/traces"
)

// TestDuplicatesAtInterfaces has two interfaces with one name, and one with a / in its
// name: numbers of one name are one number, and people are told all names whole.
func TestDuplicatesAtInterfaces(t *testing.T) {
	s := traces.Stats{
		PerInterface: []traces.InterfaceStats{{Number: 1, Name: "eth0"}, {Number: 2, Name: "eth0"}, {Number: 3, Name: "ge-0/0/1"}},
		Duplicates: traces.Duplicates{By: [3]uint64{0, 12, 0}, Pairs: []traces.DuplicatePair{
			{Class: traces.Switched, First: 1, Again: 2, Packets: 3},
			{Class: traces.Switched, First: 2, Again: 1, Packets: 4},
			{Class: traces.Switched, First: 3, Again: 1, Packets: 5},
		}},
	}
	want := []record.Number{{Name: "switched", Value: 12}, {Name: "switched-eth0/eth0", Value: 7}, {Name: "switched-ge-0/0/1/eth0", Value: 5}}
	if got := duplicatesBy(&s); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var b strings.Builder
	printDuplicates(&b, &s)
	if want := "5 duplicates are switched, seen first at interface ge-0/0/1, again at eth0\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s, want %s", b.String(), want)
	}
}
