package query

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// readInto passes collections of flow data on, with what flows added in each.
func readInto(to record.Sink, in *Intervals, text string) error {
	all := flowfile.NewCollections(strings.NewReader(text))
	var seen Seen
	for {
		from, err := all.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			_, err = record.Copy(to, in.From(from, &seen))
		}
		if err != nil {
			return err
		}
	}
}

// halves returns the test's flow data as two files, of which one ends where the other
// begins.
func halves() (first, second string) {
	head := strings.Index(twoCollections, "#Time")
	cut := head + strings.Index(twoCollections[head+1:], "#Time") + 1
	return twoCollections[:cut], twoCollections[:head] + twoCollections[cut:]
}

// TestIntervals adds up what two intervals added, of one file and of two.
func TestIntervals(t *testing.T) {
	first, second := halves()
	for _, files := range [][]string{{twoCollections}, {first, second}} {
		top := NewTop(Options{By: by(t, "SourcePeerAddress"), Sort: Records})
		var in Intervals
		for _, file := range files {
			if err := readInto(top, &in, file); err != nil {
				t.Fatal(err)
			}
		}
		want := `ruleset 2
SourcePeerAddress  Records  PDUs  Octets (B)  bit/s                   %
192.0.2.1                3    36       33400  13360                  50
-                        1     5         210     84  16.666666666666668
192.0.2.2                1     3         180     72  16.666666666666668
2001:db8::1              1     2         200     80  16.666666666666668
total                    6    46       33990  13596                 100
`
		if got := shown(t, top.Tables()[:1]); got != want {
			t.Errorf("%d files:\n%s", len(files), got)
		}
		if s := top.Summary(); s != (Summary{Collections: 2, Length: 20e9, Lost: 7, Uncounted: 1}) {
			t.Errorf("%+v", s)
		}
	}
}

// TestTotal has the counters of each flow once, those of its last record that passes.
func TestTotal(t *testing.T) {
	for text, want := range map[string]uint64{"": 33990, "ToOctets > 1050": 33100, "ToOctets < 1050": 31890} {
		opts := Options{By: by(t, "Meter"), Total: true}
		if text != "" {
			e, err := Parse("filter", text+" && FlowRuleSet == 2")
			if err != nil {
				t.Fatal(err)
			}
			opts.Filter = e
		}
		top := NewTop(opts)
		if err := read(t, top, twoCollections); err != nil {
			t.Fatal(err)
		}
		if got := top.sections[2].all.octets; got != want {
			t.Errorf("%q: %d octets, want %d", text, got, want)
		}
	}
}

// TestUnknownIntervals begins in the middle: what a flow added before is not known.
func TestUnknownIntervals(t *testing.T) {
	_, second := halves()
	top := NewTop(Options{})
	if err := readInto(top, new(Intervals), second); err != nil {
		t.Fatal(err)
	}
	if s := top.Summary(); s.Unknown != 1 || top.sections[2].all.octets != 200 {
		t.Errorf("%+v, %+v", s, top.sections[2].all)
	}
}

// TestTwice refuses collections that have been read, in any order.
func TestTwice(t *testing.T) {
	first, second := halves()
	for _, files := range [][]string{{first, first}, {second, first}, {twoCollections, second}} {
		var in Intervals
		top := NewTop(Options{})
		err := errors.Join(readInto(top, &in, files[0]), readInto(top, &in, files[1]))
		if !errors.Is(err, ErrTwice) {
			t.Error(err)
		}
	}
}

// TestGoneBack refuses counters that are less than before.
func TestGoneBack(t *testing.T) {
	text := strings.Replace(twoCollections, "11 22  1100 32000", "11 22  999 32000", 1)
	if err := readInto(NewTop(Options{}), new(Intervals), text); err == nil || !strings.Contains(err.Error(), "the counters of flow 1 of ruleset 2 went back") {
		t.Error(err)
	}
}

// TestOverflow never gives a sum of more than 64 bits, and leaves the collection out
// in which it would be.
func TestOverflow(t *testing.T) {
	var shapes match.Shapes
	f := match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}}
	for _, counted := range [][2]record.Counters{
		{{ToOctets: math.MaxUint64}, {FromOctets: 1}},
		{{ToOctets: 1}, {ToOctets: math.MaxUint64, FromOctets: 1}},
		{{ToPDUs: math.MaxUint64 - 5}, {ToPDUs: 3, FromPDUs: 3}},
	} {
		top := NewTop(Options{By: by(t, "Meter")})
		top.Begin(&record.Collection{First: true})
		first := top.Flow(&f, &counted[0])
		if second := top.Flow(&f, &counted[1]); first != nil || !errors.Is(second, ErrOverflow) {
			t.Errorf("%+v: %v, %v", counted, first, second)
		}

		top = NewTop(Options{By: by(t, "Meter")})
		var err error
		for i := range counted {
			top.Begin(&record.Collection{First: true})
			top.Flow(&f, &counted[i])
			err = errors.Join(err, top.End(new(record.Summary)))
		}
		if counted[1].ToOctets != math.MaxUint64 && !errors.Is(err, ErrOverflow) {
			t.Errorf("%+v in two collections: %v", counted, err)
		}
	}
}

// TestTotalAfterDamage has a collection that is cut off, and then whole in another file:
// what its first flow had counted by then is in the sum, once.
func TestTotalAfterDamage(t *testing.T) {
	cut := strings.Index(twoCollections, "2 5 1200")
	_, second := halves()
	for _, opts := range []Options{{By: by(t, "Meter"), Total: true}, {Total: true}} {
		top := NewTop(opts)
		if err := read(t, top, twoCollections[:cut]); err == nil {
			t.Fatal("a collection that is cut off is whole")
		}
		if err := read(t, top, second); err != nil {
			t.Fatal(err)
		}
		if got := top.Tables()[0].Total; top.sections[2].all.octets != 33990 {
			t.Errorf("%d octets, want 33990: %v", top.sections[2].all.octets, got)
		}
	}
}
