package traces_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

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
	src, err := traces.Open(name)
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

// TestMappingShortened makes a file shorter while it is mapped: what it has left
// is read as if it had never been longer, with neither a crash nor packets of
// zeros, and Guard tells.
func TestMappingShortened(t *testing.T) {
	trace, name := large(t)
	for _, size := range []int{0, 1 << 20, 1<<20 + 100} { // within and at the end of a page
		if err := os.WriteFile(name, trace, 0o600); err != nil {
			t.Fatal(err)
		}
		want, wantErr := readAll(t, bytes.NewReader(trace[:max(size, 1<<19)]))
		src, err := traces.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var got []traces.Packet
		b := &traces.Batch{MayMap: true}
		read := func() (err error) {
			if err = src.ReadBatch(b); err != nil {
				return err
			}
			take := func() {
				for _, p := range b.Packets {
					p.Data = bytes.Clone(p.Data)
					got = append(got, p)
				}
			}
			if b.Mapping == nil {
				take()
			} else if err := b.Mapping.Guard(take); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
			return nil
		}
		for len(got) < 512 {
			if err := read(); err != nil {
				t.Fatal(err)
			}
		}
		mapped, sum := *b, 0
		if err := os.Truncate(name, int64(size)); err != nil {
			t.Fatal(err)
		}
		for err == nil {
			err = read()
		}
		if size == 0 {
			want, wantErr = want[:512], io.EOF
		}
		var e, wantE *traces.Error
		if errors.As(err, &e) != errors.As(wantErr, &wantE) || e != nil && (e.Record != wantE.Record || e.Offset != wantE.Offset || !errors.Is(err, traces.ErrTruncated)) {
			t.Errorf("size %d: error %v, want as %v", size, err, wantErr)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("size %d: %d packets, want %d, or they differ", size, len(got), len(want))
		}
		err = mapped.Mapping.Guard(func() {
			for _, p := range mapped.Packets {
				sum += int(p.Data[0])
			}
		})
		if err != traces.ErrShortened {
			t.Errorf("size %d: Guard returns %v", size, err)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}
