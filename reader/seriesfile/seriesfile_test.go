package seriesfile

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"rtfm/meter/series"
)

// some are intervals as a meter makes them.
func some() []series.Interval {
	return []series.Interval{
		{Number: 1, From: 5e9, To: 6e9, Rows: []series.Row{
			{RuleSet: 2, Name: `a,"b"`, PDUs: 1, Octets: 2, Ignored: 3, Unmatched: 4, Stopped: 5, Uncounted: 6, ActiveFlows: 7, NewFlows: 8, Flows: 9},
			{RuleSet: 3, Name: "c"},
			{Interface: 0, PDUs: 1, Octets: 1 << 63, Filtered: 3, Lost: 4},
			{Interface: 1 << 31, Name: "eth0"},
		}},
		{Number: 2, From: 6e9, To: 100e9},
		{Number: 3, From: 100e9, To: 101e9, Rows: []series.Row{{RuleSet: 2, Name: "a"}}},
		{Number: 4, From: 101e9, To: 102e9, Rows: []series.Row{{RuleSet: 2, Name: "a"}}},
		{Number: 5, From: 102e9, To: 103e9},
	}
}

// read returns all intervals of a file.
func read(text string) (all []series.Interval, err error) {
	r := NewReader(strings.NewReader(text))
	for {
		i, err := r.Next()
		if err == io.EOF {
			return all, nil
		} else if err != nil {
			return all, err
		}
		all = append(all, *i)
	}
}

func TestWrittenIsRead(t *testing.T) {
	for _, csv := range []bool{false, true} {
		var b bytes.Buffer
		w := NewWriter(&b, csv, false)
		for _, i := range some() {
			if err := w.Write(&i); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Begin(); err != nil { // there is nothing left to begin
			t.Fatal(err)
		}
		if !Is(b.Bytes()[:StartLen]) {
			t.Errorf("not known as a series: %s", b.Bytes()[:StartLen])
		}
		if got, err := read(b.String()); err != nil || !reflect.DeepEqual(got, some()) {
			t.Errorf("csv %v: %v\n%v\nwant\n%v", csv, err, got, some())
		}
	}
}

// TestNothingWritten has CSV's header stand there at least, once.
func TestNothingWritten(t *testing.T) {
	for headed, want := range map[bool]string{false: csvStart, true: ""} {
		var b bytes.Buffer
		w := NewWriter(&b, true, headed)
		w.Begin()
		w.Begin()
		if got := b.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != len(want)/len(csvStart) {
			t.Errorf("headed %v: %q", headed, got)
		}
	}
}

func TestFaults(t *testing.T) {
	const start = `{"record":"series","IntervalStartNs":1,"IntervalEndNs":`
	for text, want := range map[string]string{
		start + "2}\n{":                                          "line 2: unexpected end",
		start + "1,\"Interface\":1}":                             "line 1: the interval from 1 to 1 is none",
		start + "2,\"FlowRuleSet\":0}":                           "no ruleset has number 0",
		start + "2,\"FlowRuleSet\":1,\"PDUs\":-1}":               "line 1: json: cannot unmarshal number -1",
		start + "2,\"FlowRuleSet\":1,\"Interface\":1}":           "both FlowRuleSet and Interface",
		`{"record":"flow"}`:                                      `its record is "flow": want "series" or "gap"`,
		csvStart + "PDUs\n1,2,1,a,,,x":                           "line 2: PDUs: strconv",
		csvStart + "PDUs\n1,2,1":                                 "line 2: it has 3 fields, the header 7",
		csvStart + "PDUs\n1,2,1,\"a,,,1":                         "line 2: parse error",
		strings.Repeat(start+"2,\"Interface\":1}\n", mostRows+1): "line 4097: its interval has more than 4096 rows",
		strings.Repeat("x", mostLine+1):                          "line 1: it is longer than 65536 octets",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
}

// FuzzRead reads anything; what could be read is written and read alike.
func FuzzRead(f *testing.F) {
	for _, csv := range []bool{false, true} {
		var b bytes.Buffer
		w := NewWriter(&b, csv, false)
		for _, i := range some() {
			w.Write(&i)
		}
		f.Add(b.String())
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := read(text)
		var b bytes.Buffer
		w := NewWriter(&b, false, false)
		for i := range got {
			w.Write(&got[i])
		}
		again, err := read(b.String())
		if err != nil {
			t.Fatal(err)
		}
		var c bytes.Buffer
		w = NewWriter(&c, false, false)
		for i := range again {
			w.Write(&again[i])
		}
		if b.String() != c.String() {
			t.Errorf("%s\nand then\n%s", b.String(), c.String())
		}
	})
}
