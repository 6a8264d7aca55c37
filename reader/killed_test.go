package reader

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/reader/record"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/traces"
)

// mortal is a File whose process dies at a point of a collection: before or
// after anything is written to the flow data or the state.
type mortal struct {
	*File
	left int // points to live through
}

type death struct{}

func (m *mortal) point() {
	if m.left--; m.left < 0 {
		panic(death{})
	}
}

func (m *mortal) Append(write func(w io.Writer, fresh bool) error) error {
	m.point()
	err := m.File.Append(func(w io.Writer, fresh bool) error {
		err := write(&mortalWriter{m, w}, fresh)
		m.point()
		return err
	})
	m.point()
	return err
}

func (m *mortal) Remember(s *State) error {
	m.point()
	err := m.File.Remember(s)
	m.point()
	return err
}

// mortalWriter writes by halves.
type mortalWriter struct {
	m *mortal
	w io.Writer
}

func (w *mortalWriter) Write(b []byte) (n int, err error) {
	for _, part := range [][]byte{b[:len(b)/2], b[len(b)/2:]} {
		w.m.point()
		k, err := w.w.Write(part)
		if n += k; err != nil {
			return n, err
		}
	}
	w.m.point()
	return n, nil
}

// survives calls f, and reports whether the process outlived it.
func survives(t *testing.T, f func() error) (alive bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil && r != (death{}) {
			panic(r)
		}
	}()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return true
}

// totals adds up the numbers that the ends of collections tell.
func totals(t *testing.T, path string) (sum record.Summary) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var packets, octets, ignored uint64
		switch {
		case strings.HasPrefix(line, "#Stats"):
			_, err = fmt.Sscanf(line, "#Stats: packets=%d octets=%d ignored=%d", &packets, &octets, &ignored)
		case strings.HasPrefix(line, `{"record":"end"`):
			_, rest, _ := strings.Cut(line, `"packets"`)
			_, err = fmt.Sscanf(rest, `:%d,"octets":%d,"ignored":%d`, &packets, &octets, &ignored)
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		sum.Packets += packets
		sum.Octets += octets
		sum.Ignored += ignored
	}
	return sum
}

// addDeltas adds up the packets that flow records count in their intervals, of
// which all must be known.
func addDeltas(t *testing.T, path string) (sum uint64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if _, rest, ok := strings.Cut(line, `"DeltaToPDUs":`); ok {
			var to, from uint64
			if _, err := fmt.Sscanf(rest, `%d,"DeltaFromPDUs":%d`, &to, &from); err != nil {
				t.Errorf("%v: %s", err, line)
			}
			sum += to + from
		}
	}
	return sum
}

// TestKilledAnywhere ends the reader's process at each point of a collection, and
// goes on with another: the numbers of the collections' ends add up to what the
// meter has counted, and so do the flows' differences.
func TestKilledAnywhere(t *testing.T) {
	rs := program(t, "all-flows")
	for _, json := range []bool{false, true} {
		for points := 0; ; points++ {
			path := filepath.Join(t.TempDir(), "flows")
			packets := mix(300, 300)
			src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
			cfg := testConfig()
			cfg.JSON = json
			f, known := open(t, path)
			out := &mortal{f, 1 << 30}
			k := New(cfg, out, known)
			c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
			collect := func() error { _, err := k.Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); return err }
			alive := true
			for part := range 3 {
				src.batches <- packets[part*100 : part*100+100]
				waitFor(t, c, uint64(part*100+100))
				if part == 1 {
					out.left = points
				}
				if survives(t, collect) {
					out.left = 1 << 30
					continue
				}
				alive = false
				f.Close()
				f, known = open(t, path)
				k = New(cfg, f, known)
			}
			st, err := c.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sum := totals(t, path)
			if sum.Packets != st.Counts.Packets || sum.Octets != st.Counts.Octets {
				t.Errorf("JSON %v, killed at point %d: the ends tell of %d packets and %d octets, the meter of %d and %d",
					json, points, sum.Packets, sum.Octets, st.Counts.Packets, st.Counts.Octets)
			}
			if sum := addDeltas(t, path); json && sum != st.Counts.Packets {
				t.Errorf("killed at point %d: flows' differences are %d packets, the meter has counted %d", points, sum, st.Counts.Packets)
			}
			if alive {
				if points < 8 {
					t.Errorf("a collection has only %d points", points)
				}
				break
			}
		}
	}
}
