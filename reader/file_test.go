package reader

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const header = "##NeTraMet v5.3 (rtfm test).  meter  10 flows  starting at 12:00:00 Mon 1 Jan 2024\n#Format: flowindex\n"

// collection is one that ends at this uptime.
func collection(to int) string {
	return fmt.Sprintf("#Time: 12:00:00 Mon  1 Jan 2024 meter Flows from 1 to %d\n1\n#EndData: flows=1\n", to)
}

// put appends a collection, with a header if one is wanted.
func put(t *testing.T, f *File, to int) {
	t.Helper()
	err := f.Append(func(w io.Writer, fresh bool) error {
		text := collection(to)
		if fresh {
			text = header + text
		}
		_, err := io.WriteString(w, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// open opens the file and returns what is known of it.
func open(t *testing.T, path string) (*File, *State) {
	t.Helper()
	f, known, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, known
}

// wantFile compares a file with what it should hold.
func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%v: the file holds\n%swant\n%s", err, got, want)
	}
}

// TestFileKilled ends a process at every octet that it writes, before and
// after the state was written.
func TestFileKilled(t *testing.T) {
	first := header + collection(100)
	second := header + collection(200) // by a second process
	for _, form := range []struct{ first, second string }{
		{first, second},
		{jsonOf(first), jsonOf(second)},
	} {
		for n := 0; n <= len(form.second); n++ {
			path := filepath.Join(t.TempDir(), "flows")
			f, known := open(t, path)
			if known != nil {
				t.Fatalf("a new file has a state: %+v", known)
			}
			if err := f.Append(func(w io.Writer, fresh bool) error { _, err := io.WriteString(w, form.first); return err }); err != nil {
				t.Fatal(err)
			}
			if err := f.Remember(&State{Boot: "ab", To: 100, Collected: map[int]uint64{2: 100}}); err != nil {
				t.Fatal(err)
			}
			f.Close()
			if err := os.WriteFile(path, []byte(form.first+form.second[:n]), 0o644); err != nil {
				t.Fatal(err)
			}
			want, to := form.first, uint64(100)
			if n == len(form.second) {
				want, to = form.first+form.second, 200
			}
			_, known = open(t, path)
			if known == nil || known.To != to || known.Boot != "ab" || !maps.Equal(known.Collected, map[int]uint64{2: to}) {
				t.Errorf("killed at octet %d: known is %+v, want a collection up to %d", n, known, to)
			}
			wantFile(t, path, want)
		}
	}
}

// jsonOf returns the same as JSON lines.
func jsonOf(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "##"):
			b.WriteString(`{"record":"header","version":"5.3"}` + "\n")
		case strings.HasPrefix(line, "#Time"):
			words := strings.Fields(line)
			b.WriteString(`{"record":"start","meter":"m","from":1,"to":` + words[len(words)-1] + "}\n")
		case strings.HasPrefix(line, "#End"):
			b.WriteString(`{"record":"end","flows":1}` + "\n")
		case line[0] != '#':
			b.WriteString(`{"record":"flow","FlowIndex":1}` + "\n")
		}
	}
	return b.String()
}

// TestFileRotated renames and cuts the file between collections.
func TestFileRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	f, _ := open(t, path)
	put(t, f, 1)
	put(t, f, 2)
	wantFile(t, path, header+collection(1)+collection(2))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	put(t, f, 3)
	put(t, f, 4)
	wantFile(t, path, header+collection(3)+collection(4))
	wantFile(t, path+".1", header+collection(1)+collection(2))
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	put(t, f, 5)
	wantFile(t, path, header+collection(5))
	// Another flow data file in its place is gone on with.
	other := header + collection(7)
	if err := os.WriteFile(path+".other", []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".other", path); err != nil {
		t.Fatal(err)
	}
	put(t, f, 8)
	wantFile(t, path, other+header+collection(8))
	// The state is behind all that, so the next start looks at the whole file.
	if err := f.Remember(&State{To: 8, Collected: map[int]uint64{1: 8}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	g, known := open(t, path)
	if known == nil || known.To != 8 {
		t.Errorf("after a rename and a restart the state is %+v", known)
	}
	put(t, g, 9)
	wantFile(t, path, header+collection(9))
}

// TestFileForeign finds something else where the flow data should be.
func TestFileForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes")
	const notes = "not to be lost\n"
	if err := os.WriteFile(path, []byte(notes), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "no flow data file") {
		t.Errorf("opening it: %v", err)
	}
	wantFile(t, path, notes)
	other := filepath.Join(t.TempDir(), "flows")
	f, _ := open(t, other)
	put(t, f, 1)
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte(notes), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.Append(func(io.Writer, bool) error { return nil }); err == nil {
		t.Error("appended to something else")
	}
	wantFile(t, other, notes)
	if _, _, err := OpenFile(other + "/x/y"); err == nil {
		t.Error("made a file where there is no folder")
	}
}

// TestFileLocked opens a file twice.
func TestFileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	open(t, path)
	if _, _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "another reader") {
		t.Errorf("the second time: %v", err)
	}
}

// TestFileFails has writing fail in the middle of a collection.
func TestFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	f, _ := open(t, path)
	put(t, f, 1)
	full := errors.New("the disk is full")
	err := f.Append(func(w io.Writer, fresh bool) error {
		io.WriteString(w, collection(2)[:30])
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
	wantFile(t, path, header+collection(1))
	put(t, f, 3)
	wantFile(t, path, header+collection(1)+collection(3))
}
