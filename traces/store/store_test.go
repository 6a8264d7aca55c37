package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// list is a Source of packets, which has lost some.
type list struct {
	packets []traces.Packet
	stats   traces.Stats
	lose    func(n int, st *traces.Stats) // before the batch that begins with packet n
}

func (l *list) ReadBatch(b *traces.Batch) error {
	b.Reset("list")
	if l.lose != nil {
		l.lose(len(l.packets), &l.stats)
	}
	if len(l.packets) == 0 {
		return io.EOF
	}
	n := min(cap(b.Packets), len(l.packets))
	b.Packets = append(b.Packets, l.packets[:n]...)
	l.packets = l.packets[n:]
	return nil
}

func (l *list) Stats() traces.Stats { return l.stats.Snapshot() }
func (l *list) Close() error        { return nil }

// random returns packets of several interfaces and link types, some of them long.
func random(r *rand.Rand, n int) []traces.Packet {
	packets := make([]traces.Packet, n)
	now := int64(1_795_252_441_000_000_000)
	for i := range packets {
		now += int64(r.IntN(1_000_000))
		data := make([]byte, r.IntN(1515))
		if r.IntN(200) == 0 {
			data = make([]byte, r.IntN(200_000))
		}
		for j := range data {
			data[j] = byte(i + j)
		}
		p := traces.Packet{Time: now - int64(r.IntN(3)*1000), Data: data, Wire: uint32(len(data) + r.IntN(3)), Link: traces.LinkEthernet, Interface: 1 + uint32(r.IntN(3))}
		if r.IntN(500) == 0 {
			p.Link, p.Interface = 101, uint32(r.IntN(30))+1
		}
		packets[i] = p
	}
	return packets
}

// text returns what has to be the same of a packet in a store; the number of an
// interface with a second link type changes in pcapng.
func text(p *traces.Packet) string {
	n := p.Interface
	if p.Link != traces.LinkEthernet {
		n = 0
	}
	return fmt.Sprint(p.Time, p.Wire, p.Link, n) + " " + string(p.Data)
}

// readAll returns the packets of a source, and the errors on the way.
func readAll(t *testing.T, src traces.Source) (got []string, faults []error) {
	t.Helper()
	defer src.Close()
	var b traces.Batch
	for {
		err := src.ReadBatch(&b)
		if errors.Is(err, io.EOF) {
			return got, faults
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for i := range b.Packets {
			got = append(got, text(&b.Packets[i]))
		}
	}
}

// store stores packets and returns what was done.
func store(t *testing.T, cfg Config, src traces.Source) Totals {
	t.Helper()
	w, err := NewWriter(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tee := w.Tee(src)
	var b traces.Batch
	for err == nil {
		err = tee.ReadBatch(&b)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.Totals()
}

const forever = 1<<63 - 1

// read returns the packets of a store.
func read(t *testing.T, dir string, q Query) ([]string, *Source) {
	t.Helper()
	src, err := Open(dir, q)
	if err != nil {
		t.Fatal(err)
	}
	got, faults := readAll(t, src)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return got, src
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("packet %d is %.90q, want %.90q", i, got[i], want[i])
		}
	}
}

func texts(packets []traces.Packet) (all []string) {
	for i := range packets {
		all = append(all, text(&packets[i]))
	}
	return all
}

// TestStored stores packets and reads them, also those of a time, with indexes and
// without; each file is a trace of its own.
func TestStored(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	packets := random(r, 30_000)
	dir := filepath.Join(t.TempDir(), "new")
	got := store(t, Config{Dir: dir, Buffer: 64 << 20, FileSize: 8 << 20}, &list{packets: packets})
	if got.Unstored+got.Unfit != 0 || got.Packets != uint64(len(packets)) {
		t.Fatalf("%+v", got)
	}
	want := texts(packets)
	all, _ := read(t, dir, Query{To: forever})
	equal(t, all, want)

	files, err := Files(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	all = nil
	for _, f := range files {
		src, err := format.Open(filepath.Join(dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		got, faults := readAll(t, src)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		all = append(all, got...)
	}
	equal(t, all, want)

	for _, indexed := range []bool{true, false} {
		for range 30 {
			q := Query{From: packets[r.IntN(len(packets))].Time, To: packets[r.IntN(len(packets))].Time}
			var part []string
			for i := range packets {
				if p := &packets[i]; p.Time >= q.From && p.Time < q.To {
					part = append(part, want[i])
				}
			}
			got, src := read(t, dir, q)
			equal(t, got, part)
			if c := src.Covered(); !c.Complete() || c.Bytes > uint64(64<<20) && q.To-q.From < int64(time.Second) {
				t.Errorf("%+v", c)
			}
		}
		if indexed {
			for _, f := range files {
				if err := os.Remove(filepath.Join(dir, indexName(f.Name))); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// hand makes all chunks of a Writer that nobody uses yet ones that were written.
func hand(w *Writer) {
	var chunks []*chunk
	for len(w.fresh) > 0 {
		w.take(false)
		chunks = append(chunks, w.cur)
	}
	w.cur = nil
	for _, c := range chunks {
		w.free <- c
	}
}

// TestUnstored has a disk that takes nothing for a while: packets that there is no
// room for are counted with their times, and what the source lost is told, too.
func TestUnstored(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	packets := random(r, 20_000)
	dir := t.TempDir()
	w, err := NewWriter(Config{Dir: dir, Buffer: 4 << 20, FileSize: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	hand(w)
	all := append([]traces.Packet(nil), packets...)
	var held []*chunk
	var last int
	tee := w.Tee(&list{packets: packets, lose: func(left int, st *traces.Stats) {
		n := len(all) - left
		if n-last >= 3000 && held == nil {
			for len(held) < 3 { // the disk is slow, and one chunk is being filled
				held = append(held, <-w.free)
			}
			last = n
		} else if n-last >= 3000 {
			for _, c := range held {
				w.free <- c
			}
			held, last = nil, n
		}
		st.Lose(2, uint64(n%7))
	}})
	var b traces.Batch
	for err == nil {
		err = tee.ReadBatch(&b)
	}
	for _, c := range held {
		w.free <- c
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	totals := w.Totals()
	if totals.Unstored == 0 || totals.Packets+totals.Unstored != uint64(len(all)) {
		t.Errorf("%+v of %d", totals, len(all))
	}
	got, src := read(t, dir, Query{To: forever})
	if uint64(len(got)) != totals.Packets {
		t.Errorf("%d packets are there, %d were stored", len(got), totals.Packets)
	}
	var lost, unstored uint64
	for _, l := range src.Covered().Losses {
		lost, unstored = lost+l.Lost, unstored+l.Unstored
	}
	if want := tee.Stats().Lost; lost != want || unstored != totals.Unstored {
		t.Errorf("%d lost, %d unstored; want %d and %d", lost, unstored, want, totals.Unstored)
	}
	if st := src.Stats(); st.Lost != lost+unstored {
		t.Errorf("the source has lost %d", st.Lost)
	}
	// Any time that has lost packets says so.
	stored := make(map[string]bool)
	for _, s := range got {
		stored[s] = true
	}
	for range 100 {
		i := r.IntN(len(all))
		from, to := all[i].Time, all[min(i+100, len(all)-1)].Time
		missing := false
		for j := range all {
			if p := &all[j]; p.Time >= from && p.Time < to && !stored[text(p)] {
				missing = true
			}
		}
		_, src := read(t, dir, Query{From: from, To: to})
		if c := src.Covered(); missing && c.Complete() {
			t.Errorf("packets from %d to %d are missing, and that is not told", from, to)
		}
	}
	if n := opened(t, dir); n != totals.Packets {
		t.Errorf("capinfos and tshark find %d packets of %d", n, totals.Packets)
	}
}

// opened has capinfos and tshark read all files of a store, and returns how many packets
// both find.
func opened(t *testing.T, dir string) (packets uint64) {
	t.Helper()
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		out, err := exec.Command(tracetest.Require(t, "capinfos"), "-c", "-M", "-T", "-r", path).Output()
		if err != nil {
			t.Fatalf("capinfos: %v", err)
		}
		var n uint64
		if _, err := fmt.Sscan(strings.TrimPrefix(string(out), path), &n); err != nil {
			t.Fatalf("capinfos: %q: %v", out, err)
		}
		out, err = exec.Command(tracetest.Require(t, "tshark"), "-n", "-r", path, "-T", "fields", "-e", "frame.len").Output()
		if err != nil || uint64(bytes.Count(out, []byte("\n"))) != n {
			t.Fatalf("tshark: %v: %d lines, capinfos finds %d packets", err, bytes.Count(out, []byte("\n")), n)
		}
		packets += n
	}
	return packets
}

// TestWait has a disk that takes nothing for a while: whoever is to wait for it does, and
// all packets are stored.
func TestWait(t *testing.T) {
	packets := random(rand.New(rand.NewPCG(11, 12)), 10_000)
	want := texts(packets)
	dir := t.TempDir()
	w, err := NewWriter(Config{Dir: dir, Buffer: 4 << 20, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	hand(w)
	var held []*chunk
	for range 4 {
		held = append(held, <-w.free)
	}
	began := make(chan struct{})
	go func() {
		<-began
		for _, c := range held {
			w.free <- c
		}
	}()
	tee := w.Tee(&list{packets: packets, lose: func(left int, _ *traces.Stats) {
		if left == len(packets) {
			close(began)
		}
	}})
	var b traces.Batch
	for err == nil {
		err = tee.ReadBatch(&b)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.Totals(); got.Unstored != 0 || got.Packets != uint64(len(want)) {
		t.Errorf("%+v", got)
	}
	got, _ := read(t, dir, Query{To: forever})
	equal(t, got, want)
}

// TestPutAllocates: to store a packet allocates nothing, whole or cut.
func TestPutAllocates(t *testing.T) {
	for _, keep := range []func(*traces.Packet) int{nil, func(*traces.Packet) int { return 54 }} {
		w, err := NewWriter(Config{Dir: t.TempDir(), Buffer: 8 << 20, Keep: keep})
		if err != nil {
			t.Fatal(err)
		}
		p := &traces.Packet{Time: 1, Data: make([]byte, 100), Wire: 100, Link: traces.LinkEthernet, Interface: 1}
		w.put(p)
		if n := testing.AllocsPerRun(1000, func() { w.put(p) }); n != 0 {
			t.Errorf("%v allocations a packet", n)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRotate: a new file begins when packets of so much time are in one, and for a new
// interface, but not for packets that no file can hold.
func TestRotate(t *testing.T) {
	var packets []traces.Packet
	for i := range 100 {
		packets = append(packets, traces.Packet{Time: int64(i) * 1e9, Data: make([]byte, 60), Wire: 60, Link: traces.LinkEthernet, Interface: 1 + uint32(i/95)},
			traces.Packet{Time: int64(i) * 1e9, Data: make([]byte, 60), Wire: 60, Link: traces.LinkEthernet, Interface: 1 << 20})
	}
	dir := t.TempDir()
	got := store(t, Config{Dir: dir, Flush: time.Second, Rotate: 10 * time.Second, Wait: true}, &list{packets: packets})
	if files, _ := Files(dir); got.Packets != 100 || got.Unfit != 100 || len(files) != 11 {
		t.Errorf("%+v in %d files", got, len(files))
	}
}

// TestRemoved removes files of a store that is being read: the one at hand stays, and each
// other one that may have packets of the time is told.
func TestRemoved(t *testing.T) {
	var packets []traces.Packet
	for i := range 60 {
		packets = append(packets, traces.Packet{Time: int64(i) * 1e9, Data: make([]byte, 60), Wire: 60, Link: traces.LinkEthernet, Interface: 1})
	}
	for _, tt := range []struct {
		to            int64
		removed, have int
	}{{forever, 2, 40}, {15e9, 1, 10}, {10e9, 0, 10}} {
		dir := t.TempDir()
		store(t, Config{Dir: dir, Rotate: 10 * time.Second, Wait: true}, &list{packets: packets})
		src, err := Open(dir, Query{To: tt.to})
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		b := traces.NewBatch(1)
		if err := src.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
		files, _ := Files(dir)
		for _, f := range files[:3] {
			os.Remove(filepath.Join(dir, f.Name))
		}
		have, told := 1, 0
		for err = src.ReadBatch(b); err != io.EOF; err = src.ReadBatch(b) {
			if errors.Is(err, ErrRemoved) {
				told++
			} else if err != nil {
				t.Fatal(err)
			} else {
				have += len(b.Packets)
			}
		}
		c := src.Covered()
		if have != tt.have || told != tt.removed || c.Removed != told || c.Complete() != (told == 0) {
			t.Errorf("before %d: %d packets, %d files told; %+v", tt.to, have, told, c)
		}
	}
}

// TestRecover cuts the newest file anywhere: what is before the cut is there when a
// writer goes on.
func TestRecover(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	packets := random(r, 4_000)
	want := texts(packets)
	for range 50 {
		dir := t.TempDir()
		store(t, Config{Dir: dir, Buffer: 32 << 20}, &list{packets: packets[:2000]})
		files, _ := Files(dir)
		f := files[len(files)-1]
		os.Remove(filepath.Join(dir, indexName(f.Name)))
		if err := os.Truncate(filepath.Join(dir, f.Name), r.Int64N(f.Size+1)); err != nil {
			t.Fatal(err)
		}
		told := ""
		store(t, Config{Dir: dir, Buffer: 32 << 20, Notify: func(m string) { told = m }}, &list{packets: packets[2000:]})
		got, src := read(t, dir, Query{To: forever})
		n := len(got) - 2000
		if n < 0 || told == "" || src.Covered().Damaged > 0 {
			t.Fatalf("%d packets; told %q", len(got), told)
		}
		equal(t, got[:n], want[:n])
		equal(t, got[n:], want[2000:])
	}
}

// TestDamage changes octets anywhere: what is not read is told, and all else is right.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	packets := random(r, 3_000)
	known := make(map[string]bool)
	for _, s := range texts(packets) {
		known[s] = true
	}
	dir := t.TempDir()
	store(t, Config{Dir: dir, Buffer: 32 << 20, FileSize: 4 << 20}, &list{packets: packets})
	files, _ := Files(dir)
	for range 50 {
		f := files[r.IntN(len(files))]
		path := filepath.Join(dir, f.Name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		broken := bytes.Clone(whole)
		broken[r.IntN(len(broken))] ^= 1 << r.IntN(8)
		os.WriteFile(path, broken, 0o640)
		src, err := Open(dir, Query{To: forever})
		if err != nil {
			t.Fatal(err)
		}
		got, faults := readAll(t, src)
		if len(faults) == 0 {
			t.Error("no damage is told")
		}
		for _, s := range got {
			if !known[s] {
				t.Errorf("a packet that was never stored: %.80q", s)
			}
		}
		os.WriteFile(path, whole, 0o640)
	}
}

// TestLimits stores more than there may be: the oldest files go, and their indexes.
func TestLimits(t *testing.T) {
	packets := random(rand.New(rand.NewPCG(9, 10)), 40_000)
	dir := t.TempDir()
	store(t, Config{Dir: dir, Buffer: 64 << 20, FileSize: 4 << 20, Size: 16 << 20}, &list{packets: packets})
	files, _ := Files(dir)
	var size int64
	for _, f := range files {
		size += f.Size
	}
	if size > 20<<20 || size < 8<<20 {
		t.Errorf("%d octets in %d files, want some 16 MiB", size, len(files))
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2*len(files)+1 {
		t.Errorf("%d entries beside %d files", len(entries), len(files))
	}
	got, _ := read(t, dir, Query{To: forever})
	equal(t, got, texts(packets[len(packets)-len(got):]))
}

// TestOneWriter refuses a second writer.
func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewWriter(Config{Dir: dir}); err == nil {
		t.Error("two programs store in one folder")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if got, _ := read(t, dir, Query{To: forever}); len(got) != 0 {
		t.Errorf("%d packets", len(got))
	}
}

func FuzzMark(f *testing.F) {
	b := make([]byte, chunkSize)
	m := Mark{at: 28, End: 200, Length: align}
	copy(b, (&format.Section{}).Head())
	m.seal(b, []Loss{{1, 2, 3, 4, 5}})
	f.Add(b[:align])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := readMark(b)
		if err == nil && m.check(b) == nil {
			m.losses(b)
		}
	})
}

func FuzzIndex(f *testing.F) {
	var ix index
	ix.add(&Mark{Length: align, Packets: 3}, 0)
	path := filepath.Join(f.TempDir(), "x")
	ix.write(path, 4096)
	b, _ := os.ReadFile(path)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { parseIndex(bytes.NewReader(b), int64(len(b)), 4096) })
}
