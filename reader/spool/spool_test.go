package spool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// put seals a segment of this text.
func put(t *testing.T, s *Spool, text string) {
	t.Helper()
	f, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(text)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Seal(); err != nil {
		t.Fatal(err)
	}
}

// TestSpool puts segments in and takes them out by several outlets in random order, and
// opens the folder again and again: each outlet gets every segment since it was made
// once, in order, or is told of a gap; what all have passed is gone.
func TestSpool(t *testing.T) {
	for _, drop := range []bool{false, true} {
		for seed := range uint64(4) {
			testSpool(t, rand.New(rand.NewPCG(seed, 1)), drop)
		}
	}
}

func testSpool(t *testing.T, r *rand.Rand, drop bool) {
	folder := filepath.Join(t.TempDir(), "s")
	cfg := Config{Limit: 100, Drop: drop}
	var s *Spool
	names := []string{"a", "b", "c"}
	next := map[string]int{} // what each outlet is to get next
	outlets := map[string]*Outlet{}
	sealed := 0
	open := func() {
		var err error
		if s, err = Open(folder, cfg); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if outlets[name], err = s.Outlet(name, "to "+name); err != nil {
				t.Fatal(err)
			}
			if _, ok := next[name]; !ok {
				next[name] = sealed + 1
			}
		}
		if err := s.Keep(names...); err != nil {
			t.Fatal(err)
		}
	}
	open()
	none, cancel := context.WithCancel(context.Background())
	cancel()
	for range 200 {
		switch name := names[r.IntN(len(names))]; r.IntN(5) {
		case 0, 1:
			if !s.Full() {
				sealed++
				put(t, s, fmt.Sprintf("%09d\n", sealed))
			}
		case 2, 3:
			seg, gap, err := outlets[name].Next(none)
			if err != nil {
				if next[name] != sealed+1 {
					t.Fatalf("%s: nothing at %d of %d", name, next[name], sealed)
				}
				continue
			}
			if gap != nil {
				if !drop || int(gap.First) != next[name] || int(gap.Last) > sealed {
					t.Fatalf("%s: gap %+v, at %d of %d", name, *gap, next[name], sealed)
				}
				next[name] = int(gap.Last) + 1
				if err := outlets[name].Done(gap.Last); err != nil {
					t.Fatal(err)
				}
				continue
			}
			text, err := os.ReadFile(seg.path)
			if err != nil || string(text) != fmt.Sprintf("%09d\n", next[name]) {
				t.Fatalf("%s: %q, %v, want %d", name, text, err, next[name])
			}
			next[name]++
			if err := outlets[name].Done(seg.Number); err != nil {
				t.Fatal(err)
			}
		case 4:
			s.Close()
			os.WriteFile(filepath.Join(folder, currentName), []byte("half"), 0o600)
			open()
			if err := os.Remove(s.Current()); err != nil {
				t.Fatal(err)
			}
		}
		least := sealed + 1
		for _, n := range next {
			least = min(least, n)
		}
		st := s.Status()
		if !drop && st.Segments != sealed+1-least || st.Octets > 110 || st.Octets != int64(10*st.Segments) {
			t.Fatalf("%d segments of %d octets, sealed %d, least %d", st.Segments, st.Octets, sealed, least)
		}
	}
	s.Close()
}

// TestSpoolNewOutlet: an outlet that is made later begins there, and one that is no longer
// wanted keeps nothing back.
func TestSpoolNewOutlet(t *testing.T) {
	s, err := Open(t.TempDir(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Open(s.Folder(), Config{}); err == nil {
		t.Error("opened twice")
	}
	if _, err := s.Outlet("old", "x"); err != nil {
		t.Fatal(err)
	}
	put(t, s, "1")
	late, err := s.Outlet("late", "y")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "2")
	if err := s.Keep("late"); err != nil {
		t.Fatal(err)
	}
	seg, _, err := late.Next(context.Background())
	if err != nil || seg.Number != 2 || s.Status().Segments != 1 {
		t.Errorf("%+v, %v, %d segments", seg, err, s.Status().Segments)
	}
	if err := late.Stop("no"); err != nil || s.Status().Outlets[0].Stopped != "no" {
		t.Error(err, s.Status())
	}
	if err := late.Skip(); err != nil || s.Status().Segments != 0 || s.Status().Outlets[0].Stopped != "" {
		t.Error(err, s.Status())
	}
	names := []string{}
	entries, _ := os.ReadDir(s.Folder())
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"late.outlet", "lock"}) {
		t.Errorf("%q are left", names)
	}
}
