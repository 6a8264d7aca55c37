package flowfile

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
)

// copyAll passes all collections of a file to a sink, and returns how many.
func copyAll(r io.Reader, to record.Sink) (n int, err error) {
	for all := NewCollections(r); ; n++ {
		from, err := all.Next()
		if err == nil {
			_, err = record.Copy(to, from)
		}
		if err != nil {
			return n, err
		}
	}
}

// TestCollectionsAgain writes what it has read: the same file.
func TestCollectionsAgain(t *testing.T) {
	var first, again bytes.Buffer
	writeTest(t, &first, Options{Statistics: true})
	f, err := ruleset.ParseFormat(testFormat)
	if err != nil {
		t.Fatal(err)
	}
	n, err := copyAll(bytes.NewReader(first.Bytes()), NewSink(&again, testHeader(), f, Options{Statistics: true}))
	if n != 3 || err != io.EOF {
		t.Fatal(n, err)
	}
	if got, want := again.String(), first.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// ends is a sink that counts what ends.
type ends struct{ begun, ended, flows int }

func (e *ends) Begin(*record.Collection) error           { e.begun++; return nil }
func (e *ends) Flow(*match.Flow, *record.Counters) error { e.flows++; return nil }
func (e *ends) End(*record.Summary) error                { e.ended++; return nil }

// TestCollectionsFail has collections that are not whole fail.
func TestCollectionsFail(t *testing.T) {
	const head = "##NeTraMet v5.3.  m  100 flows  starting at 12:31:27 Wed 1 Feb 1995\n#Format: flowruleset flowindex  topdus\n"
	const begin = "#Time: 12:31:27 Wed  1 Feb 1995 m Flows from 1 to 3642\n"
	for name, tt := range map[string]struct {
		text string
		want error
		in   string
	}{
		"cut off":       {head + begin + "2 1  5\n", ErrIncomplete, ""},
		"not ended":     {head + begin + "2 1  5\n" + begin + "2 1  5\n#EndData:\n", ErrIncomplete, ""},
		"no number":     {head + begin + "2 1  x\n#EndData:\n", nil, "line 4: topdus"},
		"no ruleset":    {head + begin + "256 1  5\n#EndData:\n", nil, "256 is not a ruleset"},
		"no collection": {head + "2 1  5\n", nil, "line 3: a flow record outside a collection"},
	} {
		var e ends
		_, err := copyAll(strings.NewReader(tt.text), &e)
		if tt.want != nil && !errors.Is(err, tt.want) || err == nil || !strings.Contains(err.Error(), tt.in) || e.ended != 0 {
			t.Errorf("%s: %v, %+v", name, err, e)
		}
	}
	var e ends // of version 3, which had no #EndData
	if n, err := copyAll(strings.NewReader(strings.Replace(head, "5.3", "3.2", 1)+begin+"2 1  5\n"+begin+"2 1  6\n"), &e); n != 2 || err != io.EOF || e != (ends{2, 2, 2}) {
		t.Errorf("%d, %v, %+v", n, err, e)
	}
}

// FuzzCollections passes anything on: it ends, and what is written of it in any form
// can be read again.
func FuzzCollections(f *testing.F) {
	for _, opts := range []Options{{Statistics: true}, {JSON: true}, {JSON: true, ISO: true}} {
		var file bytes.Buffer
		writeTest(f, &file, opts)
		f.Add(file.Bytes())
		f.Add(converted(f, file.Bytes(), CSV))
		f.Add([]byte(strings.Join(flowLines(file.Bytes()), "")))
	}
	statistics := writeStatistics(f, 3)
	for _, form := range []Form{JSON, Text, CSV} {
		f.Add(converted(f, statistics, form))
	}
	f.Add([]byte("#Format: savedattributes sourcepeeraddress topacketsize deltatooctets\n#Time: 12:31:27 Wed  1 Feb 1995 m Flows from 1 to 3642\n0008 1.2.3.4 0 -\n"))
	f.Add([]byte("#Format: sourcepeeraddress topacketsize deltatooctets deltafromoctets\n#Time: 12:31:27 Wed  1 Feb 1995 m Flows from 1 to 3642\n1.2.3.4 1.0.250!1500:6.0.0!0:0:3:0:0:0:0:0 1 2\n"))
	f.Add([]byte("Meter,EpochNs,IntervalStartNs,IntervalEndNs,SourcePeerAddress,SourcePeerMask,ToPacketSize,DeltaToPacketSize\r\n" +
		"\"a,\"\"b\"\"\",1,2,3,1.2.3.0,24,1.0.250!1500:6.0.0!0:0:3:0:0:0:0:0,0:1:0:0:0:0:0\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var files [3]bytes.Buffer
		var collections [3]int
		for form := range files {
			k := Converter{W: &files[form], Form: Form(form), Version: "5.3", Format: testColumns(t)}
			all := NewCollections(bytes.NewReader(b))
			for {
				from, err := all.Next()
				if err != nil {
					break
				}
				if k.Write(all.Head(), from) != nil {
					break
				}
				collections[form]++
			}
		}
		for form := range files {
			var e ends
			if n, err := copyAll(bytes.NewReader(files[form].Bytes()), &e); Form(form) != CSV && n < collections[form] {
				t.Errorf("%v: %d collections, then %d: %v\n%s", Form(form), collections[form], n, err, files[form].Bytes())
			}
		}
	})
}

func testColumns(t testing.TB) *ruleset.Format {
	t.Helper()
	f, err := ruleset.ParseFormat(testFormat)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
