package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// traceKey has a number of a packet's octets for an address.
func traceKey(k *Key, p *traces.Packet) bool {
	k.Set(1, 0, 0, 4)
	binary.BigEndian.PutUint32(k.Address(1)[:], crc32.ChecksumIEEE(p.Data)%64)
	return true
}

// readTrace returns what there is to know of the packets of a source that have a number
// and are of a time, of what is lost, and of its end.
func readTrace(src traces.Source, number uint32, q *Query) (lines []string) {
	var b traces.Batch
	for {
		if err := src.ReadBatch(&b); err != nil {
			if !errors.Is(err, io.EOF) {
				lines = append(lines, err.Error())
			}
			return append(lines, fmt.Sprint(src.Stats().Lost, src.(traces.Describer).Describe().Interfaces))
		}
		for _, p := range b.Packets {
			if p.Time >= q.From && p.Time < q.To && (q.Flows == nil || crc32.ChecksumIEEE(p.Data)%64 == number) {
				lines = append(lines, fmt.Sprintln(p.Time, p.Wire, p.FCS, p.Link, p.Interface, p.Data))
			}
		}
	}
}

// traceFiles copies so many traces to a folder of the test, and returns their names.
func traceFiles(t *testing.T, r *rand.Rand, n int) (names []string) {
	t.Helper()
	root, dir := filepath.Join(tracetest.Require(t, "traces"), "traces"), t.TempDir()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if st, err := d.Info(); err == nil && st.Size() < 1<<18 && (strings.HasSuffix(path, "ng") || strings.HasSuffix(path, ".erf") || r.IntN(3) == 0) {
			all = append(all, path)
		}
		return nil
	})
	if err != nil || len(all) < n {
		t.Fatalf("%d traces: %v", len(all), err)
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for i, path := range all[:n] {
		b, err := os.ReadFile(path)
		name := filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(path)))
		if err = errors.Join(err, os.WriteFile(name, b, 0o640)); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return append(names, lossyFiles(t, dir)...)
}

// lossyFiles writes traces that tell of losses, one of them with two sections.
func lossyFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, kind := range []string{"pcapng", "erf"} {
		name := filepath.Join(dir, "lossy."+kind)
		out, err := format.Create(name, 0)
		if err != nil {
			t.Fatal(err)
		}
		packets := random(rand.New(rand.NewPCG(53, 54)), 3000)
		for i := range packets {
			p := &packets[i]
			p.Link, p.Interface, p.Data, p.Wire = traces.LinkEthernet, 1, p.Data[:min(len(p.Data), 100)], 1500
		}
		src := &list{packets: packets, lose: func(n int, st *traces.Stats) {
			if n/256%3 == 1 {
				st.Lose(1, 7)
			}
		}}
		if _, err := format.Convert(context.Background(), out.Writer, src, format.Conversion{}); err != nil {
			t.Fatal(err)
		}
		if err := out.Commit(); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	b, err := os.ReadFile(names[0])
	twice := filepath.Join(dir, "twice.pcapng")
	if err = errors.Join(err, os.WriteFile(twice, append(b, b...), 0o640)); err != nil {
		t.Fatal(err)
	}
	return append(names, twice)
}

// TestTraceLaw gets packets of flows and times from traces of all kinds: they are those of
// a full scan, with an index, with a damaged one, without, and when the trace has changed.
func TestTraceLaw(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(51, 52))
	files := 160
	if tracetest.Long() {
		files = 500
	}
	indexed, passed, lost := make(map[string]int), 0, 0
	for _, name := range traceFiles(t, r, files) {
		x := pieces{ix: index{flows: newFlows(&Config{Key: traceKey})}, length: 1, batch: traces.Batch{Packets: make([]traces.Packet, 0, 1+r.IntN(4))}}
		if _, err := indexTrace(context.Background(), name, x); err != nil {
			if _, err := os.Stat(TraceIndex(name)); err == nil {
				t.Errorf("%s has an index in spite of an error", name)
			}
			continue
		}
		ask := func(valid, sure bool) {
			t.Helper()
			number, q := r.Uint32N(64), Query{From: math.MinInt64, To: math.MaxInt64}
			whole, err := format.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close()
			var b traces.Batch
			if r.IntN(2) == 0 {
				q.Flows = &Flows{Late: r.IntN(2) == 0, Wanted: func(k *Key) bool {
					return binary.BigEndian.Uint32(k.Address(0)[:]) == number || binary.BigEndian.Uint32(k.Address(1)[:]) == number
				}}
			}
			if first, err := format.Open(name); err == nil && r.IntN(2) == 0 {
				for range 1 + r.IntN(5) {
					if first.ReadBatch(&b) == nil {
						q.From, q.To = b.Packets[0].Time, b.Packets[len(b.Packets)-1].Time+r.Int64N(3)
					}
				}
				first.Close()
			}
			src, err := OpenTrace(name, q)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if sure && valid != (src.Fault == nil) {
				t.Errorf("%s: %v", name, src.Fault)
			}
			got, want := readTrace(src, number, &q), readTrace(whole, number, &q)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: %d, want %d\n%.500s\n%.500s", name, len(got), len(want), got, want)
			}
			passed += src.Covered().Passed
			lost += len(src.Covered().Losses)
			if valid {
				indexed[src.Describe().Format]++
			}
		}
		for range 4 {
			ask(true, true)
		}
		ix, err := os.ReadFile(TraceIndex(name))
		if err != nil {
			t.Fatal(err)
		}
		at := r.IntN(len(ix))
		ix[at] ^= 1
		if err := os.WriteFile(TraceIndex(name), ix, 0o640); err != nil {
			t.Fatal(err)
		}
		ask(true, false) // if it is asked for flows
		ix[at] ^= 1
		ix[r.IntN(indexHead)] ^= 1
		if err := os.WriteFile(TraceIndex(name), ix, 0o640); err != nil {
			t.Fatal(err)
		}
		ask(false, true)
		ix[8+r.IntN(4)]++
		if err := os.WriteFile(TraceIndex(name), ix[:r.IntN(len(ix))], 0o640); err != nil {
			t.Fatal(err)
		}
		ask(false, true)
		if err := os.Remove(TraceIndex(name)); err != nil {
			t.Fatal(err)
		}
		ask(true, true)
	}
	t.Log(indexed, passed, lost)
	if indexed["pcap"] < 100 || indexed["pcapng"] < 100 || indexed["erf"] == 0 || passed < 1000 || lost == 0 {
		t.Errorf("%v were indexed, %d chunks passed over, %d with losses", indexed, passed, lost)
	}
}

// TestTraceChanges has an index of a trace as it is no more.
func TestTraceChanges(t *testing.T) {
	b, err := os.ReadFile("../testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "trace.pcap")
	other := append([]byte(nil), b...)
	other[60] ^= 1 // in the first packet
	changes := map[string]func() error{
		"longer":  func() error { return os.WriteFile(name, append(slices.Clone(b), b[24:]...), 0o640) },
		"shorter": func() error { return os.Truncate(name, 24) },
		"later":   func() error { return os.Chtimes(name, time.Time{}, time.Unix(1, 0)) },
		"other": func() error {
			st, err := os.Stat(name)
			if err == nil {
				err = os.WriteFile(name, other, 0o640)
			}
			return errors.Join(err, os.Chtimes(name, time.Time{}, st.ModTime()))
		},
	}
	for how, change := range changes {
		if err := os.WriteFile(name, b, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, err := IndexTrace(context.Background(), name, &Config{Key: traceKey}); err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		src, err := OpenTrace(name, Query{From: 1, To: 2})
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(src.Fault, errState) || src.Covered().Chunks > 0 {
			t.Errorf("%s: %v", how, src.Fault)
		}
		src.Close()
	}
	if _, err := IndexTrace(context.Background(), "../testdata/provider.pcap.gz", &Config{Key: traceKey}); err == nil || !strings.Contains(err.Error(), "rtfm trace convert") {
		t.Error(err)
	}
}
