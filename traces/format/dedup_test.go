package format_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// sample is a source of packets in memory.
type sample struct{ rest []traces.Packet }

func (s *sample) ReadBatch(b *traces.Batch) error {
	b.Reset("")
	n := min(len(s.rest), cap(b.Packets))
	if n == 0 {
		return io.EOF
	}
	b.Packets = append(b.Packets, s.rest[:n]...)
	s.rest = s.rest[n:]
	return nil
}

func (s *sample) Stats() traces.Stats { return traces.Stats{} }
func (s *sample) Close() error        { return nil }

// passOn returns what a router makes of a packet, false if it would not pass it on.
func passOn(p traces.Packet) (traces.Packet, bool) {
	at := 12
	if p.Link != traces.LinkEthernet || len(p.Data) < 60 || p.Data[0]&1 != 0 || bytes.Equal(p.Data[:6], p.Data[6:12]) {
		return p, false
	}
	for at < 20 && binary.BigEndian.Uint16(p.Data[at:]) == 0x8100 {
		at += 4
	}
	ether := binary.BigEndian.Uint16(p.Data[at:])
	p.Data = bytes.Clone(p.Data)
	p.Interface += 100
	copy(p.Data, "\x02\xaa\xaa\xaa\xaa\xaa\x02\xbb\xbb\xbb\xbb\xbb")
	ip := p.Data[at+2:]
	switch {
	case ether == 0x0800 && ip[0]>>4 == 4 && ip[0]&15 >= 5 && ip[8] > 1 && len(ip) >= int(ip[0]&15)*4+16 && int(binary.BigEndian.Uint16(ip[2:])) >= int(ip[0]&15)*4:
		ip[8]--
		binary.BigEndian.PutUint16(ip[10:], binary.BigEndian.Uint16(ip[10:])+0x100)
	case ether == 0x86dd && ip[0]>>4 == 6 && ip[7] > 1 && len(ip) >= 56:
		ip[7]--
	default:
		return p, false
	}
	return p, true
}

// TestDedupRoutedTraces meters both sides of a router: real packets, and each of them
// passed on 0.1 to 150 ms later. All of these are found, and of the first ones none
// but those that are a copy in the trace itself.
func TestDedupRoutedTraces(t *testing.T) {
	root := filepath.Join(tracetest.Require(t, "traces"), "traces")
	r := rand.New(rand.NewPCG(1, 2))
	var files, copies, missed, originals, wrong, known int
	filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !tracetest.Long() && !strings.Contains(path, "/ndpi/") {
			return err
		}
		if files++; files > 120 && !tracetest.Long() {
			return fs.SkipAll
		}
		src, err := format.Open(path)
		if err != nil {
			return nil
		}
		defer src.Close()
		one, _ := tracetest.ReadAll(t, src)
		if !tracetest.Long() && len(one) > 500 {
			one = one[:500]
		}
		all := slices.Clone(one)
		for _, p := range one {
			if c, ok := passOn(p); ok {
				c.Time += 100_000 + r.Int64N(149_900_001)
				all = append(all, c)
			}
		}
		slices.SortStableFunc(all, func(a, b traces.Packet) int { return cmp.Compare(a.Time, b.Time) })
		cfg := traces.DedupConfig{Routed: true, Records: 1 << 17}
		itself := make(map[string]bool) // copies in the trace
		before, _ := tracetest.ReadAll(t, traces.Dedup(&sample{one}, cfg))
		for i := range before {
			if before[i].Duplicate != traces.NoDuplicate {
				itself[string(before[i].Data)] = true
			}
		}
		found, _ := tracetest.ReadAll(t, traces.Dedup(&sample{all}, cfg))
		m, w := missed, wrong
		for i := range found {
			p := &found[i]
			isCopy := p.Interface > 100
			switch {
			case isCopy:
				copies++
				if p.Duplicate != traces.Routed {
					missed++
				}
			default:
				originals++
				if p.Duplicate == traces.NoDuplicate {
				} else if itself[string(p.Data)] {
					known++
				} else {
					wrong++
				}
			}
		}
		if m != missed || w != wrong {
			t.Errorf("%s: of %d packets %d missed, %d wrong", path, len(all), missed-m, wrong-w)
		}
		return nil
	})
	if copies < 3000 {
		t.Errorf("only %d copies", copies)
	}
	t.Logf("%d copies, %d missed; %d originals, %d wrong, %d copies in the traces", copies, missed, originals, wrong, known)
}

// TestDedupShortened makes a mapped file shorter while duplicates are looked for in it:
// that is an error with the number of packets, and what comes before it is right.
func TestDedupShortened(t *testing.T) {
	_, name := large(t)
	file, err := format.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	src := traces.Dedup(file, traces.DedupConfig{Switched: true, Routed: true})
	defer src.Close()
	b := &traces.Batch{MayMap: true}
	read, mapped, told := 0, 0, 0
	for {
		if read == 1024 && mapped > 0 && told == 0 {
			if err := os.Truncate(name, 1<<20); err != nil {
				t.Fatal(err)
			}
		}
		err := src.ReadBatch(b)
		var damage *format.Error
		if errors.Is(err, format.ErrShortened) && !errors.As(err, &damage) {
			if told++; len(b.Packets) > 0 || b.Mapping != nil {
				t.Errorf("%d packets with the error %v", len(b.Packets), err)
			}
			continue
		}
		if err != nil { // at the orderly end, or in a record where the file ends now
			if err != io.EOF && damage == nil || told == 0 || mapped == 0 {
				t.Errorf("%v, told %d times, %d batches mapped", err, told, mapped)
			}
			return
		}
		if b.Mapping != nil {
			mapped++
		}
		read += len(b.Packets)
	}
}
