package traces

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// truth is one line of TRUTH.tsv: what other programs say of a trace.
type truth struct {
	path, filetype, tool, note string
	packets, wire, captured    uint64
	first, last, chronological string
}

// readTruth returns the lines of the given traces' TRUTH.tsv, or skips the
// test when there are no given traces.
func readTruth(t *testing.T) (dir string, lines []truth) {
	dir = os.Getenv("RTFM_TRACES")
	if dir == "" {
		t.Skip("RTFM_TRACES is not set")
	}
	f, err := os.Open(filepath.Join(dir, "truth", "TRUTH.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Scan() // the heading
	for sc.Scan() {
		c := strings.Split(sc.Text(), "\t")
		num := func(i int) uint64 { n, _ := strconv.ParseUint(c[i], 10, 64); return n }
		lines = append(lines, truth{
			path: c[0], filetype: c[3], packets: num(5), wire: num(6), captured: num(7),
			first: c[8], last: c[9], chronological: c[10], tool: c[17], note: c[18],
		})
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return dir, lines
}

// totals is what a whole trace comes to.
type totals struct {
	packets, wire, captured uint64
	first, last             int64
	backwards               uint64
	stats                   Stats
	err                     error
}

func total(name string) (s totals) {
	src, err := Open(name)
	if err != nil {
		s.err = err
		return s
	}
	defer src.Close()
	b := NewBatch(100)
	var before int64
	for {
		if s.err = src.ReadBatch(b); s.err != nil {
			break
		}
		for i := range b.Packets {
			p := &b.Packets[i]
			if s.packets == 0 {
				s.first, s.last = p.Time, p.Time
			} else if p.Time < before {
				s.backwards++
			}
			before = p.Time
			s.first, s.last = min(s.first, p.Time), max(s.last, p.Time)
			s.packets++
			s.wire += uint64(p.Wire) + uint64(p.FCS)
			s.captured += uint64(len(p.Data))
		}
	}
	if s.err == io.EOF {
		s.err = nil
	}
	s.stats = src.Stats()
	return s
}

func TestTruth(t *testing.T) {
	dir, lines := readTruth(t)
	for _, w := range lines {
		switch w.filetype {
		case "pcap", "nsecpcap", "pcapng", "erf":
		default:
			continue
		}
		s := total(filepath.Join(dir, "traces", w.path))
		if s.packets != w.packets || s.wire != w.wire || s.captured != w.captured || s.err != nil {
			t.Errorf("%s: %d packets, %d octets, %d captured, error %v; want %d, %d, %d", w.path, s.packets, s.wire, s.captured, s.err, w.packets, w.wire, w.captured)
		}
	}
}
