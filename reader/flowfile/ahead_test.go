package flowfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// seen writes down what it is told.
type seen struct {
	text  strings.Builder
	fails int // the flow at which it fails, none if it is 0
	n     int
}

var errSeen = errors.New("enough")

func (s *seen) Begin(c *record.Collection) error {
	fmt.Fprintln(&s.text, "begin", c.From, c.To, c.RuleSets)
	return nil
}

func (s *seen) Flow(f *match.Flow, counted *record.Counters) error {
	if s.n++; s.n == s.fails {
		return errSeen
	}
	s.text.Write(f.Key[:])
	fmt.Fprintln(&s.text, f.Index, f.Shape.RuleSet, f.FirstTime, f.ToOctets, f.Counters)
	if counted != nil {
		fmt.Fprintln(&s.text, counted.ToPDUs, counted.Measures)
	}
	return nil
}

func (s *seen) End(sum *record.Summary) error {
	fmt.Fprintln(&s.text, "end", sum.Flows)
	return nil
}

// manyFlows returns collections of many flows.
func manyFlows(t *testing.T, o Options) []byte {
	t.Helper()
	format, err := ruleset.ParseFormat(testFormat)
	if err != nil {
		t.Fatal(err)
	}
	if o.CSV {
		var found ColumnsOf
		for _, f := range testFlows() {
			found.Flow(f, new(record.Counters))
		}
		format = found.Table()
	}
	var file bytes.Buffer
	w := NewWriter(&file, testHeader(), epoch, format, o)
	index := uint32(0)
	for n, flows := range []int{300, sureLen + 1000, 5, 1000} {
		w.Begin(epoch + int64(n+1)*1e9)
		for i := range flows {
			index++
			f := *testFlows()[i%len(testFlows())]
			f.Index = index
			counted := record.Counters{ToPDUs: uint64(i)}
			for _, c := range f.Counters {
				counted.Measures = append(counted.Measures, c...)
			}
			w.Flow(&f, &counted)
		}
		if err := w.End(record.Summary{}); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

// TestAhead reads flows ahead, in chunks, as it does one after the other: the same, in
// order, with the same faults in the same lines; and what takes them may fail.
func TestAhead(t *testing.T) {
	for _, o := range []Options{{}, {JSON: true}, {CSV: true}} {
		file := manyFlows(t, o)
		for i := range 6 {
			text := bytes.Clone(file)
			fails := 0
			switch at := len(text) * i / 6; i {
			case 1, 2: // a fault
				line := at + bytes.IndexByte(text[at:], '\n') + 1
				text = append(append(bytes.Clone(text[:line]), "77 x\n"...), text[line:]...)
			case 3:
				text = text[:at]
			case 4:
				fails = sureLen + 900
			case 5: // without rows of ours
				text = append(bytes.Clone(text[:at]), bytes.ReplaceAll(text[at:], []byte{'\n'}, []byte("\r\n"))...)
			}
			one, many := seen{fails: fails}, seen{fails: fails}
			n, wantErr := copyAll(iotest.OneByteReader(bytes.NewReader(text)), &one)
			got, err := copyAll(bytes.NewReader(text), &many)
			if got != n || err.Error() != wantErr.Error() || one.text.String() != many.text.String() {
				t.Errorf("%+v, %d: %d collections, %v; one after the other %d, %v", o, i, got, err, n, wantErr)
			}
			if fails > 0 && err != errSeen || i == 0 && (err != io.EOF || n != 4) || one.n == 0 {
				t.Errorf("%+v, %d: %d collections, %v", o, i, n, err)
			}
		}
	}
}
