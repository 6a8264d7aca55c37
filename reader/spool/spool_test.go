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
		for seed := range uint64(2) {
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
		if left, err := s.Keep(names...); err != nil || len(left) > 0 {
			t.Fatal(left, err)
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
	left, err := s.Keep("late")
	if err != nil || len(left) != 1 || left[0].Name() != "old" || left[0].Waiting() != 2 {
		t.Fatal(left, err)
	}
	put(t, s, "3")
	if left[0].Waiting() != 2 {
		t.Error("an outlet that is no longer wanted gets more")
	}
	if err := s.Forget("old"); err != nil {
		t.Fatal(err)
	}
	seg, _, err := late.Next(context.Background())
	if err != nil || seg.Number != 2 || s.Status().Segments != 2 {
		t.Errorf("%+v, %v, %d segments", seg, err, s.Status().Segments)
	}
	if err := late.Stop("no"); err != nil || s.Status().Outlets[0].Stopped != "no" {
		t.Error(err, s.Status())
	}
	if err := late.Skip(); err != nil || s.Status().Segments != 1 || s.Status().Outlets[0].Stopped != "" {
		t.Error(err, s.Status())
	}
	names := []string{}
	entries, _ := os.ReadDir(s.Folder())
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"0000000000000003.jsonl", "late.outlet", "lock"}) {
		t.Errorf("%q are left", names)
	}
}

// TestSpoolDamaged: what an outlet's file told is lost, as after a loss of power. All that
// is there is sent again, and that is told.
func TestSpoolDamaged(t *testing.T) {
	for _, damaged := range []string{"", "\x00\x00\x00\x00", `{"to":"x","ne`, "{}"} {
		folder := t.TempDir()
		s, err := Open(folder, Config{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := s.Outlet("a", "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Outlet("b", "y"); err != nil {
			t.Fatal(err)
		}
		put(t, s, "1")
		put(t, s, "2")
		if err := o.Done(2); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if err := os.WriteFile(o.path(), []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(folder, Config{}); err != nil {
			t.Fatal(err)
		}
		if o, err = s.Outlet("a", "x"); err != nil || o.Damage() == nil || o.Waiting() != 2 {
			t.Errorf("%q: %v, damage %v", damaged, err, o.Damage())
		}
		put(t, s, "3")
		if seg, _, err := o.Next(context.Background()); err != nil || seg.Number != 1 {
			t.Errorf("%q: %+v, %v", damaged, seg, err)
		}
		s.Close()
	}
}

// TestSpoolRemove leaves alone what is not the spool's.
func TestSpoolRemove(t *testing.T) {
	folder := t.TempDir()
	s, err := Open(folder, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Outlet("a", "x"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "thesis"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 || entries[0].Name() != "thesis" {
		t.Error(entries, err)
	}
}
