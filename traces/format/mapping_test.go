package format_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// large returns a trace file of more than a megabyte, and its name.
func large(t *testing.T) (trace []byte, name string) {
	trace = tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(20_000)...)
	if len(trace) < 2<<20 {
		t.Fatalf("the trace has only %d octets", len(trace))
	}
	name = filepath.Join(t.TempDir(), "large.pcap")
	if err := os.WriteFile(name, trace, 0o600); err != nil {
		t.Fatal(err)
	}
	return trace, name
}

// TestMapping reads a file that is mapped into memory, and grows meanwhile, and
// keeps the packets of all batches until the end.
func TestMapping(t *testing.T) {
	trace, name := large(t)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	src, err := format.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	var batches []*traces.Batch
	mapped := 0
	for {
		b := &traces.Batch{MayMap: true}
		if err := src.ReadBatch(b); err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		if b.Mapping != nil {
			mapped++
		} else {
			for i := range b.Packets { // valid until the next call
				b.Packets[i].Data = bytes.Clone(b.Packets[i].Data)
			}
		}
		if batches = append(batches, b); len(batches) == 1 {
			f.Write(trace[24:]) // the records once more
		}
	}
	size := uint64(2*len(trace) - 24)
	if st := src.Stats(); st.Bytes != size {
		t.Errorf("%d octets read of %d", st.Bytes, size)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if mapped == 0 || mapped == len(batches) {
		t.Errorf("%d of %d batches in the mapping", mapped, len(batches))
	}
	var got []traces.Packet
	for _, b := range batches {
		got = append(got, b.Packets...)
	}
	once, err := readAll(t, bytes.NewReader(trace))
	if err != io.EOF {
		t.Fatal(err)
	}
	if want := append(once, once...); !reflect.DeepEqual(got, want) {
		t.Errorf("%d packets, want %d, or they differ", len(got), len(want))
	}
	runtime.KeepAlive(batches)
}

// TestMappingShortened makes a file shorter while it is mapped. There is neither
// a crash nor damage, and of what was read all before the new end is right; Guard
// tells of all else.
func TestMappingShortened(t *testing.T) {
	trace, name := large(t)
	whole, _ := readAll(t, bytes.NewReader(trace))
	for _, size := range []int64{0, 1 << 20, 1<<20 + 100} { // at the end of a page, and within
		if err := os.WriteFile(name, trace, 0o600); err != nil {
			t.Fatal(err)
		}
		src, err := format.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		left, _ := readAll(t, bytes.NewReader(trace[:max(size, 100)]))
		b := &traces.Batch{MayMap: true}
		n, right, told := 0, 0, 0
		for err == nil {
			if n == 512 {
				if err := os.Truncate(name, size); err != nil {
					t.Fatal(err)
				}
			}
			if err = src.ReadBatch(b); err != nil {
				break
			}
			look := func() {
				for i, p := range b.Packets {
					if want := whole[n+i]; n+i < len(left) && (p.Time != want.Time || !bytes.Equal(p.Data, want.Data)) {
						t.Fatalf("packet %d is %v, want %v", n+i, p, want)
					}
				}
			}
			if b.Mapping == nil {
				look()
				right += len(b.Packets)
			} else if b.Mapping.Guard(look) == nil {
				right += len(b.Packets)
			} else {
				told++
			}
			n += len(b.Packets)
		}
		var damage *format.Error
		if err != io.EOF && !errors.As(err, &damage) {
			t.Errorf("size %d: %v", size, err)
		}
		if right < 512 || right > max(len(left), 512) || size > 0 && told == 0 {
			t.Errorf("size %d: %d packets are right of %d, Guard has told %d times", size, right, len(left), told)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}
