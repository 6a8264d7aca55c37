package store

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"rtfm/traces"
)

// TestDamageUnindexed changes an octet of a chunk's mark in a file without an index: that
// the chunks from there on are missing is told. So it is if the head is damaged.
func TestDamageUnindexed(t *testing.T) {
	packets := plain(rand.New(rand.NewPCG(51, 52)), 7_000)
	for _, size := range []int64{leastFile, 64 << 20} {
		dir := t.TempDir()
		store(t, Config{Dir: dir, Buffer: 32 << 20, FileSize: size}, &list{packets: slices.Clone(packets)})
		files, err := Files(dir)
		if err != nil || size == leastFile && len(files) < 2 {
			t.Fatalf("%d files: %v", len(files), err)
		}
		f := files[0]
		path := filepath.Join(dir, f.Name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, indexName(f.Name)))
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		ix, err := marks(file)
		file.Close()
		if err != nil || len(ix.chunks) < 2 {
			t.Fatalf("%d chunks: %v", len(ix.chunks), err)
		}
		for _, at := range []int64{0, ix.chunks[1].at} {
			broken := append([]byte(nil), whole...)
			broken[at+8] ^= 1
			os.WriteFile(path, broken, 0o640)
			src, err := Open(dir, Query{To: forever})
			if err != nil {
				t.Fatal(err)
			}
			got, faults := readAll(t, src)
			if c := src.Covered(); len(got) == len(packets) || len(faults) == 0 || c.Damaged == 0 || c.Complete() {
				t.Errorf("%s, offset %d: %d packets of %d, %v; %+v", f.Name, at, len(got), len(packets), faults, c)
			}
		}
		os.WriteFile(path, whole, 0o640)
		src, err := Open(dir, Query{To: forever})
		if err != nil {
			t.Fatal(err)
		}
		if got, faults := readAll(t, src); len(got) != len(packets) || len(faults) > 0 {
			t.Errorf("%d packets of %d, %v", len(got), len(packets), faults)
		}
	}
}

// TestLostLast: what is lost behind the last packet of a file is told of it.
func TestLostLast(t *testing.T) {
	for _, kind := range Formats() {
		dir := t.TempDir()
		w, err := NewWriter(Config{Dir: dir, Format: kind, Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		src := &list{packets: plain(rand.New(rand.NewPCG(53, 54)), 10)}
		tee := w.Tee(src)
		b := traces.NewBatch(64)
		for err == nil {
			err = tee.ReadBatch(b)
		}
		w.pass()
		src.stats.Lose(1, 7)
		w.lose(src.Stats())
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := Files(dir)
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files: %v", len(files), err)
		}
		if s, err := Look(dir, files[0]); err != nil || s.Lost != 7 || s.Packets != 10 {
			t.Errorf("%s: %d lost of %d packets, want 7 of 10: %v", kind, s.Lost, s.Packets, err)
		}
	}
}

// TestNothingWritten: a file that not even one chunk could be written to is removed.
func TestNothingWritten(t *testing.T) {
	for _, kind := range Formats() {
		cfg := Config{Dir: t.TempDir(), Format: kind, Notify: func(string) {}}
		d, err := openDisk(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.create(&chunk{begins: true}); err != nil {
			t.Fatal(err)
		}
		d.end()
		if err := d.close(); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(cfg.Dir)
		if err != nil || len(entries) != 1 { // the lock
			t.Errorf("%s: %v: %v", kind, entries, err)
		}
	}
}

// TestLeft: what a writer that is killed has left of an index is removed.
func TestLeft(t *testing.T) {
	dir := t.TempDir()
	store(t, Config{Dir: dir, Wait: true}, &list{packets: plain(rand.New(rand.NewPCG(55, 56)), 10)})
	files, err := Files(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	foreign := filepath.Join(dir, "mine.idx.new")
	left := []string{filepath.Join(dir, indexName(files[0].Name)+".new"), filepath.Join(dir, marksName(files[0].Name)+".new")}
	for _, path := range append(left, foreign) {
		if err := os.WriteFile(path, []byte("part of it"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	store(t, Config{Dir: dir, Wait: true}, &list{packets: plain(rand.New(rand.NewPCG(57, 58)), 10)})
	for _, path := range left {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error(err)
	}
}

// TestExportRemoved: what a limit removes of a store while it is exported is missing.
func TestExportRemoved(t *testing.T) {
	dir := t.TempDir()
	store(t, Config{Dir: dir, Wait: true}, &list{packets: plain(rand.New(rand.NewPCG(59, 60)), 10)})
	s, err := Open(dir, Query{To: forever})
	if err != nil {
		t.Fatal(err)
	}
	f := s.files[0]
	s.files = s.files[1:]
	os.Remove(filepath.Join(dir, f.Name))
	e := export{s: s}
	if err := e.file(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if c := s.Covered(); c.Removed != 1 || c.Complete() || len(e.damaged) != 1 || !errors.Is(e.damaged[0], ErrRemoved) {
		t.Errorf("%+v, %v", c, e.damaged)
	}
}

// TestMarksHuge: marks are read block by block, up to what is none, however much follows.
func TestMarksHuge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.marks")
	var side []byte
	for n := range 2_000 { // more than a block
		m := besideMark{Mark: Mark{Length: 100, Packets: 1, Number: uint32(n)}, losses: make([]Loss, n%maxLosses)}
		side = m.appendTo(side)
	}
	if err := os.WriteFile(path, side, 0o640); err != nil {
		t.Fatal(err)
	}
	if marks, err := readMarks(path, "erf"); err != nil || len(marks) != 2_000 || marks[1_999].offset != 199_900 || len(marks[99].losses) != 99 {
		t.Errorf("%d marks: %v", len(marks), err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Skip(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	marks, err := readMarks(path, "erf")
	if !errors.Is(err, errMarks) || len(marks) != 2_000 {
		t.Errorf("%d marks: %v", len(marks), err)
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 16<<20 {
		t.Errorf("%d octets of memory", after.TotalAlloc-before.TotalAlloc)
	}
}

// TestRecoverDamaged: when a chunk is damaged in the middle of a file that has no index, the
// next writer leaves all that is behind it, and it is told that it cannot be read.
func TestRecoverDamaged(t *testing.T) {
	packets := plain(rand.New(rand.NewPCG(57, 58)), 7_000)
	dir := t.TempDir()
	store(t, Config{Dir: dir, Buffer: 32 << 20, FileSize: 64 << 20}, &list{packets: slices.Clone(packets)})
	files, err := Files(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	path := filepath.Join(dir, files[0].Name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{8, chunkSize / 2, chunkSize + chunkSize/2} { // the first chunk's head and packets, the second's
		broken := append([]byte(nil), whole...)
		broken[at] ^= 1
		os.WriteFile(path, broken, 0o640)
		os.Remove(filepath.Join(dir, indexName(files[0].Name)))
		w, err := NewWriter(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, broken) {
			t.Errorf("offset %d: %d octets are left of %d, %v", at, len(after), len(broken), err)
		}
		src, err := Open(dir, Query{To: forever})
		if err != nil {
			t.Fatal(err)
		}
		if got, faults := readAll(t, src); len(faults) == 0 || src.covered.Complete() {
			t.Errorf("offset %d: %d packets of %d, nothing is told", at, len(got), len(packets))
		}
	}
}

// TestExportUnmarked: when it is not known of a file what is missing, it is not of its copy.
func TestExportUnmarked(t *testing.T) {
	for _, kind := range others {
		dir, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
		store(t, Config{Dir: dir, Wait: true, Format: kind}, &list{packets: plain(rand.New(rand.NewPCG(59, 60)), 5_000)})
		files, err := Files(dir)
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files: %v", len(files), err)
		}
		os.Remove(filepath.Join(dir, marksName(files[0].Name)))
		if n, covered, _, err := Export(context.Background(), dir, Query{To: forever}, Config{Dir: to}); err != nil || n != 5_000 || covered.Unmarked != 1 {
			t.Errorf("%s: %d packets are copied, %+v, %v", kind, n, covered, err)
		}
		src, err := Open(to, Query{To: forever})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := readAll(t, src); len(got) != 5_000 || src.covered.Complete() {
			t.Errorf("%s: %d packets, %+v", kind, len(got), src.Covered())
		}
	}
}
