package flowfile

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"
)

// endWith returns a file with one collection, at whose end these numbers stand.
func endWith(t testing.TB, more []record.Number) string {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b, Header{Version: "5.3", Start: time.Unix(0, 0).UTC()}, 0, DefaultFormat(nil), Options{Statistics: true})
	w.Begin(1)
	if err := w.End(record.Summary{Lost: 4, More: more}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// numbersOf reads them again.
func numbersOf(t testing.TB, file string) []record.Number {
	t.Helper()
	for r := NewReader(strings.NewReader(file)); ; {
		rec, err := r.Next()
		if err == io.EOF {
			t.Fatalf("no #Stats in %s", file)
		} else if err != nil {
			t.Fatalf("%v in %s", err, file)
		}
		if rec.Kind == KindStats {
			return rec.Summary.More
		}
	}
}

// TestNumberNames writes and reads what was lost at interfaces of any name that a
// system allows.
func TestNumberNames(t *testing.T) {
	for _, n := range []string{"eth0", "a=b", "=", "a=5=6", "%", "%3D", "%25=", "lost=7", "x\tlost=9", "\u00e9th", "\xff"} {
		more := []record.Number{{Name: "lost-" + n, Value: 3}, {Name: "duplicates", Value: 8}}
		file := endWith(t, more)
		more[0].Name = name(more[0].Name)
		if got := numbersOf(t, file); !slices.Equal(got, more) {
			t.Errorf("%q: %v of %s", n, got, file)
		}
		for word := range strings.FieldsSeq(file[strings.Index(file, markStats):]) {
			if strings.Count(word, "=") > 1 {
				t.Errorf("%q: %q can be taken for another number", n, word)
			}
		}
	}
	// As it was written before.
	old := strings.Replace(endWith(t, []record.Number{{Name: "lost-AB", Value: 3}}), "lost-AB", "lost-a=b", 1)
	if got := numbersOf(t, old); !slices.Equal(got, []record.Number{{Name: "lost-a=b", Value: 3}}) {
		t.Errorf("%v of %s", got, old)
	}
}

// FuzzNumberNames writes and reads numbers of any name.
func FuzzNumberNames(f *testing.F) {
	f.Add("a=b", "%", uint64(1))
	f.Add("lost=5", "%3D%25", uint64(1<<63))
	f.Fuzz(func(t *testing.T, one, other string, n uint64) {
		more := []record.Number{{Name: "lost-" + one, Value: n}, {Name: "lost-" + other, Value: n + 1}}
		file := endWith(t, more)
		for i := range more {
			more[i].Name = name(more[i].Name)
		}
		if got := numbersOf(t, file); !slices.Equal(got, more) {
			t.Errorf("%v of %q", got, file)
		}
	})
}
