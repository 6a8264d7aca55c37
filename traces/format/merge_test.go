package format_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// timed returns packets of the given times, of interface 1, each with a number
// that begins with first.
func timed(first byte, times ...int64) []traces.Packet {
	ps := make([]traces.Packet, len(times))
	for i, at := range times {
		ps[i] = traces.Packet{Time: at, Data: []byte{first, byte(i)}, Wire: 2, Link: traces.LinkEthernet, Interface: 1}
	}
	return ps
}

// of returns the packets with another interface.
func of(number uint32, ps ...traces.Packet) []traces.Packet {
	ps = slices.Clone(ps)
	for i := range ps {
		ps[i].Interface = number
	}
	return ps
}

// merge writes traces into files and reads them merged.
func merge(t *testing.T, files ...[]byte) traces.Source {
	var names []string
	for _, f := range files {
		names = append(names, write(t, f))
	}
	src := format.OpenMerged(names, nil)
	t.Cleanup(func() { src.Close() })
	return src
}

func nano(ps []traces.Packet) []byte {
	return tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, ps...)
}

func TestMerge(t *testing.T) {
	a, b := timed('a', 10, 20, 20, 50), timed('b', 5, 20, 20, 30, 60)
	back := timed('c', 30, 12, 11, 40) // goes back in time
	join := func(ps ...[]traces.Packet) []traces.Packet { return slices.Concat(ps...) }
	for _, tt := range []struct {
		name   string
		traces [][]traces.Packet
		want   []traces.Packet
	}{
		{"two", [][]traces.Packet{a, b}, join(of(2, b[0]), of(1, a[:3]...), of(2, b[1:4]...), of(1, a[3]), of(2, b[4]))},
		{"the other way round", [][]traces.Packet{b, a}, join(of(1, b[0]), of(2, a[0]), of(1, b[1], b[2]), of(2, a[1], a[2]), of(1, b[3]), of(2, a[3]), of(1, b[4]))},
		{"one that goes back", [][]traces.Packet{a, back}, join(of(1, a[:3]...), of(2, back...), of(1, a[3]))},
		{"one without packets", [][]traces.Packet{a, nil, b}, join(of(3, b[0]), of(1, a[:3]...), of(3, b[1:4]...), of(1, a[3]), of(3, b[4]))},
		{"one", [][]traces.Packet{a}, a},
		{"none", nil, nil},
	} {
		var files [][]byte
		for _, ps := range tt.traces {
			files = append(files, nano(ps))
		}
		src := merge(t, files...)
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Errorf("%s: %v", tt.name, err)
		}
		tracetest.Same(t, tt.name, got, tt.want)
		if err := src.ReadBatch(traces.NewBatch(1)); err != io.EOF {
			t.Errorf("%s: %v after the end", tt.name, err)
		}
	}
}

// TestMergeAtRandom compares merging with always taking the earliest of the
// next packets, of traces that go back in time now and then and are longer than
// batches.
func TestMergeAtRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 30 {
		rest := make([][]traces.Packet, 1+r.IntN(5))
		var files [][]byte
		for i := range rest {
			at := int64(1000)
			for range r.IntN(2000) {
				if at += r.Int64N(5); r.IntN(50) == 0 {
					at -= r.Int64N(30)
				}
				rest[i] = append(rest[i], timed(byte(i), at)...)
			}
			files = append(files, nano(rest[i]))
		}
		var want []traces.Packet
		for {
			next := -1
			for i := range rest {
				if len(rest[i]) > 0 && (next < 0 || rest[i][0].Time < rest[next][0].Time) {
					next = i
				}
			}
			if next < 0 {
				break
			}
			want = append(want, of(uint32(next)+1, rest[next][0])...)
			rest[next] = rest[next][1:]
		}
		src := merge(t, files...)
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Fatal(err)
		}
		tracetest.Same(t, "at random", got, want)
		if st := src.Stats(); st.Records != uint64(len(want)) || t.Failed() {
			t.Fatalf("round %d: %+v, want %d records", round, st, len(want))
		}
	}
}

// TestMergeInterfaces has traces of several interfaces, and losses at some.
func TestMergeInterfaces(t *testing.T) {
	ng := new(tracetest.NG).Section(false).Interface(traces.LinkEthernet, 0).Interface(traces.LinkEthernet, 0).Interface(traces.LinkEthernet, 0)
	data := []byte("0123456789")
	// Of interfaces 3, 2, 3 and 1; 2 and 3 have lost packets.
	ng.Packet(2, 1, data, 10).Packet(1, 2, data, 10).Packet(2, 3, data, 10).Packet(0, 5, data, 10).Dropped(1, 7).Dropped(2, 9)
	src := merge(t, nano(timed('a', 2500, 4000)), ng.Bytes(), tracetest.ERF(of(4, timed('e', 6000, 7000)...)...))
	got, err := tracetest.ReadAll(t, src)
	if err != io.EOF {
		t.Error(err)
	}
	var numbers []uint32
	for _, p := range got {
		numbers = append(numbers, p.Interface)
	}
	if want := []uint32{2, 4, 1, 2, 1, 5, 3, 3}; !slices.Equal(numbers, want) {
		t.Errorf("interfaces %d, want %d", numbers, want)
	}
	if want := []traces.InterfaceStats{{Number: 4, Lost: 7}, {Number: 2, Lost: 9}}; !reflect.DeepEqual(src.Stats().PerInterface, want) || src.Stats().Lost != 16 {
		t.Errorf("%+v, want %+v", src.Stats(), want)
	}
}

// TestMergeDamage has traces that are damaged, none, or not there: the others
// are read to their ends.
func TestMergeDamage(t *testing.T) {
	a, b := timed('a', 10, 20, 30), timed('b', 15, 25, 35)
	cut := nano(a)
	cut = cut[:len(cut)-1]
	names := []string{write(t, cut), write(t, []byte("no trace")), filepath.Join(t.TempDir(), "none"), write(t, nano(b))}
	src := format.OpenMerged(names, nil)
	defer src.Close()
	var got []traces.Packet
	var errs []error
	for {
		ps, err := tracetest.ReadAll(t, src)
		got = append(got, ps...)
		if err == io.EOF {
			break
		}
		errs = append(errs, err)
	}
	tracetest.Same(t, "damaged", got, slices.Concat(of(1, a[0]), of(4, b[0]), of(1, a[1]), of(4, b[1], b[2])))
	if len(errs) != 3 || !errors.Is(errs[0], format.ErrFormat) || !errors.Is(errs[1], fs.ErrNotExist) || !errors.Is(errs[2], format.ErrTruncated) {
		t.Errorf("errors %q", errs)
	}
	if st := src.Stats(); st.Records != 5 || st.Bytes == 0 {
		t.Errorf("%+v", st)
	}
}

// TestMergeTellsGuesses checks that a format that was guessed is told of.
func TestMergeTellsGuesses(t *testing.T) {
	var told []string
	name := write(t, tracetest.ERF(tracetest.Mix(5)...))
	src := format.OpenMerged([]string{name, write(t, nano(nil)), "erf:" + name}, func(message string) { told = append(told, message) })
	defer src.Close()
	var b traces.Batch
	if err := src.ReadBatch(&b); err != nil || len(told) != 1 {
		t.Errorf("told %q; error %v", told, err)
	}
}

// TestMergeAllocatesNothing once all traces are open, however long they are.
func TestMergeAllocatesNothing(t *testing.T) {
	ps := tracetest.Mix(40000)
	src := merge(t, nano(ps), tracetest.ERF(ps...), bytes.Clone(nano(ps)))
	b := traces.NewBatch(100)
	if n := testing.AllocsPerRun(300, func() {
		if err := src.ReadBatch(b); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

// TestMergeOpenFiles reads files that are gone when they are read.
func TestMergeOpenFiles(t *testing.T) {
	a, b := write(t, nano(timed('a', 1, 3))), write(t, nano(timed('b', 2)))
	src := format.OpenMerged([]string{a, b}, nil)
	defer src.Close()
	err := src.OpenFiles()
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(a)
	os.Remove(b)
	got, err := tracetest.ReadAll(t, src)
	if err != io.EOF || len(got) != 3 {
		t.Errorf("%d packets, %v", len(got), err)
	}
	if err := format.OpenMerged([]string{b}, nil).OpenFiles(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
