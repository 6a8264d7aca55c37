package feed

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// fileOf returns a file of messages, and where each begins.
func fileOf(r *rand.Rand, records int) (all []byte, starts []int) {
	for _, m := range write(r, Form{}, LeastMTU, records) {
		starts = append(starts, len(all))
		all = append(all, m.b...)
	}
	return all, starts
}

// readFile reads a file to its end, and returns its messages and what ends it.
func readFile(f *File) (found []string, err error) {
	for {
		b, err := f.Next()
		if err != nil {
			return found, err
		}
		found = append(found, string(b))
	}
}

// TestFile damages a file at random, by each kind of damage: all messages that are whole
// come, in their order, and what is no message is counted to the octet.
func TestFile(t *testing.T) {
	r := rand.New(rand.NewPCG(5655, 1))
	all, starts := fileOf(r, 2000)
	ends := append(starts[1:], len(all))
	kinds := map[string]func(b []byte, at, n int) []byte{
		"zeros":   func(b []byte, at, n int) []byte { clear(b[at : at+n]); return b },
		"noise":   func(b []byte, at, n int) []byte { return append(append(b[:at:at], noise(r, n)...), b[at+n:]...) },
		"cut out": func(b []byte, at, n int) []byte { return append(b[:at:at], b[at+n:]...) },
		"added":   func(b []byte, at, n int) []byte { return append(append(b[:at:at], noise(r, n)...), b[at:]...) },
	}
	for kind, damage := range kinds {
		for range 50 {
			n := 1 + r.IntN(1<<r.IntN(15))
			at := r.IntN(len(all) - n)
			touched := n
			if kind == "added" {
				touched = 0
			}
			b := damage(bytes.Clone(all), at, n)
			var want []string
			for i, start := range starts {
				if ends[i] <= at || start >= at+touched && (i > 0 || at > 0) {
					want = append(want, string(all[start:ends[i]]))
				}
			}
			f := NewFile(iotest.HalfReader(bytes.NewReader(b)), false)
			found, err := readFile(f)
			octets := 0
			for _, m := range found {
				octets += len(m)
				if len(want) > 0 && m == want[0] {
					want = want[1:]
				}
			}
			if len(want) > 0 {
				t.Fatalf("%s of %d octets at %d: %d whole messages did not come, %v", kind, n, at, len(want), err)
			}
			if err == io.EOF && int64(octets)+f.Skipped != int64(len(b)) || (f.Skipped > 0) != (f.Places > 0) || f.Places > 1 || f.Places == 1 && (int(f.First) > at+n+LeastMTU || int(f.First) < at-LeastMTU) {
				t.Fatalf("%s of %d octets at %d: %d in messages, %d skipped of %d in %d places from %d, %v", kind, n, at, octets, f.Skipped, len(b), f.Places, f.First, err)
			}
		}
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestFileEnds: a file that is whole, one that is cut off, and what is no feed end as they
// do for ReadMessage; nothing is skipped.
func TestFileEnds(t *testing.T) {
	all, starts := fileOf(rand.New(rand.NewPCG(5655, 2)), 60)
	ends := append(starts[1:], len(all))
	for n := 0; n <= len(all); n += 1 + n%29 {
		f := NewFile(bytes.NewReader(all[:n]), false)
		found, err := readFile(f)
		whole, want := 0, io.ErrUnexpectedEOF
		for whole < len(ends) && ends[whole] <= n {
			whole++
		}
		if n == 0 || whole > 0 && ends[whole-1] == n {
			want = io.EOF
		}
		if err != want || len(found) != whole || f.Skipped != 0 {
			t.Fatalf("%d octets: %d messages of %d, %d skipped, %v, want %v", n, len(found), whole, f.Skipped, err, want)
		}
	}
	for _, text := range []string{"this is no feed, but text", strings.Repeat("\x00\x0a", 3<<20), string(all[1:20])} {
		f := NewFile(strings.NewReader(text), false)
		if found, err := readFile(f); len(found) > 0 || err == nil || err == io.EOF || f.Skipped != 0 {
			t.Errorf("%.10q: %d messages, %v", text, len(found), err)
		}
	}
	fault := NewFile(io.MultiReader(bytes.NewReader(all), iotest.ErrReader(io.ErrNoProgress)), false)
	if found, err := readFile(fault); err != io.ErrNoProgress || len(found) != len(starts) {
		t.Errorf("%d messages, %v", len(found), err)
	}
}

// FuzzFile: of anybody's file each octet is in one message, or skipped.
func FuzzFile(f *testing.F) {
	all, _ := fileOf(rand.New(rand.NewPCG(5655, 3)), 50)
	f.Add(all)
	f.Add(append(append(bytes.Clone(all), 0, 10, 0, 15), all...))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := NewFile(bytes.NewReader(b), len(b)%2 == 0)
		found, err := readFile(file)
		octets := file.Skipped
		for _, m := range found {
			octets += int64(len(m))
		}
		if octets > int64(len(b)) || err == io.EOF && octets != int64(len(b)) {
			t.Fatalf("%d of %d octets, %v", octets, len(b), err)
		}
	})
}
