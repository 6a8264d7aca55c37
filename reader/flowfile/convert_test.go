package flowfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/traces/tracetest"
)

// converted returns a file in another form.
func converted(t testing.TB, file []byte, to Form) []byte {
	t.Helper()
	var out bytes.Buffer
	k := Converter{W: &out, Form: to, Version: Release("test")}
	if to != JSON {
		var found ColumnsOf
		each(t, file, func(_ *Head, from record.From) error {
			_, err := record.Copy(&found, from)
			return err
		})
		if k.Format = found.Table(); to == Text {
			k.Format = nil
		}
	}
	each(t, file, k.Write)
	return out.Bytes()
}

// each calls f for each collection of a file.
func each(t testing.TB, file []byte, f func(*Head, record.From) error) {
	t.Helper()
	for all := NewCollections(bytes.NewReader(file)); ; {
		from, err := all.Next()
		if err == io.EOF {
			return
		}
		if err == nil {
			err = f(all.Head(), from)
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
	}
}

// flowLines returns the lines of flows.
func flowLines(file []byte) (flows []string) {
	for line := range strings.Lines(string(file)) {
		if strings.HasPrefix(line, jsonFlow) || line[0] >= '0' && line[0] <= '9' {
			flows = append(flows, line)
		}
	}
	return flows
}

// TestConverted: text is the same after JSON, JSON after JSON, CSV after JSON and CSV,
// and the flows of JSON after CSV.
func TestConverted(t *testing.T) {
	var text, json, csv bytes.Buffer
	writeTest(t, &text, Options{Statistics: true})
	writeTest(t, &json, Options{JSON: true})
	again := func(what string, got, want []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", what, got, want)
		}
	}
	again("text, JSON, text", converted(t, converted(t, text.Bytes(), JSON), Text), text.Bytes())
	again("text, text", converted(t, text.Bytes(), Text), text.Bytes())
	again("JSON, JSON", converted(t, json.Bytes(), JSON), json.Bytes())
	csv.Write(converted(t, json.Bytes(), CSV))
	again("CSV, CSV", converted(t, csv.Bytes(), CSV), csv.Bytes())
	again("CSV, JSON, CSV", converted(t, converted(t, csv.Bytes(), JSON), CSV), csv.Bytes())
	if got, want := flowLines(converted(t, csv.Bytes(), JSON)), flowLines(json.Bytes()); len(want) != 4 || !slices.Equal(got, want) {
		t.Errorf("JSON, CSV, JSON: got\n%s\nwant\n%s", got, want)
	}
	// Without #Stats, which some text has not.
	bare := converted(t, bytes.ReplaceAll(text.Bytes(), []byte(markStats), []byte("# ")), Text)
	again("text without #Stats", converted(t, converted(t, bare, JSON), Text), bare)
}

// oneBlank leaves one blank between values: where #Format is wrapped, it does not tell
// how many there were.
func oneBlank(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, words(line))
	}
	return all
}

// TestPublishedConverted converts files that NeMaC has written: once they are text of
// ours, that is the same after JSON, and all their flows are there.
func TestPublishedConverted(t *testing.T) {
	dir := filepath.Join(tracetest.Require(t, "traces"), "flowdata")
	names, err := filepath.Glob(filepath.Join(dir, "*.flows"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := converted(t, file, Text)
		if got, want := oneBlank(flowLines(text)), oneBlank(flowLines(file)); len(want) < 50 || !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		json := converted(t, text, JSON)
		if again := converted(t, json, Text); !bytes.Equal(again, text) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, again, text)
		}
		if got, want := flowLines(converted(t, converted(t, json, CSV), JSON)), flowLines(json); !slices.Equal(got, want) {
			t.Errorf("%s: JSON, CSV, JSON: got\n%s\nwant\n%s", name, got[:1], want[:1])
		}
	}
}

// BenchmarkCollections reads a thousand flows of each form.
func BenchmarkCollections(b *testing.B) {
	flows := testFlows()[:1]
	for _, opts := range []Options{{}, {JSON: true}, {CSV: true}} {
		var file bytes.Buffer
		format := DefaultFormat([]attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress})
		if opts.CSV {
			format = tableOf([]attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress}, nil)
		}
		w := NewWriter(&file, testHeader(), epoch, format, opts)
		w.Begin(epoch + 1e9)
		for i := range 1000 {
			fl := *flows[0]
			fl.Index = uint32(i + 1)
			w.Flow(&fl, &record.Counters{ToPDUs: 1})
		}
		if err := w.End(record.Summary{}); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("json=%v,csv=%v", opts.JSON, opts.CSV), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(file.Len()))
			for b.Loop() {
				if n, err := copyAll(bytes.NewReader(file.Bytes()), new(ends)); n != 1 || err != io.EOF {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/flow")
		})
	}
}
