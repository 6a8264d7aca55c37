package reader

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOthersState has something else stand in the place of the state: nothing is
// done to it.
func TestOthersState(t *testing.T) {
	for what, put := range map[string]func(path, victim string) error{
		"a link":        func(path, victim string) error { return os.Symlink(victim, path) },
		"a link to no":  func(path, victim string) error { return os.Symlink(victim+".new", path) },
		"a second name": func(path, victim string) error { return os.Link(victim, path) },
		"another file":  func(path, victim string) error { return os.WriteFile(path, []byte("{}\n"), 0o644) },
		"a binary file": func(path, victim string) error { return os.WriteFile(path, []byte("\x00\x01"), 0o644) },
		"a folder":      func(path, victim string) error { return os.Mkdir(path, 0o755) },
	} {
		dir := t.TempDir()
		path, victim := filepath.Join(dir, "flows"), filepath.Join(dir, "victim")
		if err := os.WriteFile(victim, []byte("not to be lost\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := put(path+".state", victim); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path + ".state")
		if f, _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "flows.state: ") || !strings.Contains(err.Error(), "nothing was done to it") {
			t.Errorf("%s: %v", what, err)
			if err == nil {
				f.Close()
			}
		}
		if after, _ := os.ReadFile(path + ".state"); string(after) != string(before) {
			t.Errorf("%s: it was %q and is %q", what, before, after)
		}
		if _, err := os.Lstat(victim + ".new"); err == nil {
			t.Errorf("%s: a file was made elsewhere", what)
		}
	}
}

// TestDamagedState has a state be damaged: it is told, and all goes on.
func TestDamagedState(t *testing.T) {
	const whole = `{"boot":"ab","epochNs":0,"to":7,"toNs":70000000,"collected":{"2":7},"counts":{},"size":0}`
	for _, text := range []string{whole[:1], whole[:len(whole)-1], whole[:9] + "\x00\x00", strings.Repeat("\x00", 100), `{"boot":5}`} {
		path := filepath.Join(t.TempDir(), "flows")
		if err := os.WriteFile(path+".state", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, known := open(t, path)
		if known != nil || f.Damage() == nil || !strings.Contains(f.Damage().Error(), "flows.state: damaged") {
			t.Errorf("%q: %+v, %v", text, known, f.Damage())
		}
		put(t, f, 1)
		if err := f.Remember(&State{Boot: "ab", To: 1}); err != nil {
			t.Error(err)
		}
		f.Close()
		if f, known = open(t, path); known == nil || known.To != 1 || f.Damage() != nil {
			t.Errorf("%q: afterwards %+v, %v", text, known, f.Damage())
		}
	}
	path := filepath.Join(t.TempDir(), "flows")
	if f, known := open(t, path); known != nil || f.Damage() != nil {
		t.Errorf("a new file: %+v, %v", known, f.Damage())
	}
	for name, text := range map[string]string{"whole": whole, "longer before": whole + `\n"size":123}`} {
		path := filepath.Join(t.TempDir(), "flows")
		if err := os.WriteFile(path+".state", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, known := open(t, path); known == nil || known.To != 7 || f.Damage() != nil {
			t.Errorf("%s: %+v, %v", name, known, f.Damage())
		}
	}
}

// TestTwoNames has two readers write to one file by two names: no collection that
// is complete is cut off, and one of them is told.
func TestTwoNames(t *testing.T) {
	for what, link := range map[string]func(path, other string) error{"a symbolic link": os.Symlink, "a hard link": os.Link} {
		path := filepath.Join(t.TempDir(), "flows")
		other := path + ".other"
		f, _ := open(t, path)
		put(t, f, 1)
		if err := link(path, other); err != nil {
			t.Fatal(err)
		}
		g, _ := open(t, other)
		put(t, g, 2)
		want := header + collection(1) + header + collection(2)
		wantFile(t, path, want)
		for range 2 {
			err := f.Append(func(w io.Writer, fresh bool) error { _, err := io.WriteString(w, collection(3)); return err })
			if !errors.Is(err, errLocked) {
				t.Errorf("%s: %v", what, err)
			}
			wantFile(t, path, want)
		}
		put(t, g, 4)
		wantFile(t, path, want+collection(4))
		// While one writes, the other cannot even begin.
		err := g.Append(func(w io.Writer, fresh bool) error {
			if _, _, err := OpenFile(path + ".third"); err != nil {
				return err
			}
			return f.Append(func(io.Writer, bool) error { return errors.New("written") })
		})
		if !errors.Is(err, errLocked) {
			t.Errorf("%s: while the other writes: %v", what, err)
		}
	}
}

// TestModes wants a new file to have the mode of the one before, and the state to
// be for nobody else.
func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flows")
	f, _ := open(t, path)
	put(t, f, 1)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Close()
	f, _ = open(t, path)
	for i := range 2 {
		if err := os.Rename(path, fmt.Sprint(path, i)); err != nil {
			t.Fatal(err)
		}
		put(t, f, 2)
		for _, name := range []string{path, path + ".state"} {
			if st, err := os.Stat(name); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%v: %v", err, st.Mode())
			}
		}
	}
}
