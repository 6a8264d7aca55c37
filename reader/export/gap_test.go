package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/traces/tracetest"
)

// TestGapColumns: a gap's row has the columns of a collection's, in their order, but for
// those that say nothing of more than one.
func TestGapColumns(t *testing.T) {
	n := uint64(1)
	row, err := (&export.Gap{Boot: "b", Lost: &n, Uncounted: &n, Sampling: &n, Packets: &n, Octets: &n, Ignored: &n, Unmatched: &n, Stopped: &n}).Row()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range record.OfCollection() {
		if c.Name != "Active" && c.Name != "Postponed" {
			want = append(want, c.Name)
		}
	}
	var got []string
	for d := json.NewDecoder(bytes.NewReader(row)); ; {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		if name == json.Delim('}') {
			break
		} else if name == json.Delim('{') {
			continue
		}
		got = append(got, name.(string))
		d.Token()
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("columns %v\nwant %v", got, want)
	}
}

// The collections of a test, and how many flows each has.
const all, flows = 40, 3

var errAway = errors.New("away")

// lossy is an Exporter that fails at random, before or after it has taken something. It
// keeps rows by their keys.
type lossy struct {
	t    *testing.T
	r    *rand.Rand
	rows map[string]string
}

func (l *lossy) take(row []byte, err error) error {
	if err != nil {
		return err
	}
	if l.r.IntN(4) == 0 {
		return errAway
	}
	var key map[string]any
	if err := json.Unmarshal(row, &key); err != nil {
		return err
	}
	var parts []string
	for _, name := range record.KeyOfCollection() {
		parts = append(parts, fmt.Sprint(key[name]))
	}
	k := strings.Join(parts, " ")
	if was, ok := l.rows[k]; ok && was != string(row) {
		l.t.Errorf("two rows of one key:\n%s\n%s", was, row)
	}
	l.rows[k] = string(row)
	if l.r.IntN(4) == 0 {
		return errAway
	}
	return nil
}

func (l *lossy) Send(_ context.Context, c *export.Collection) error { return l.take(c.Row()) }
func (l *lossy) Gap(_ context.Context, g *export.Gap) error         { return l.take(g.Row()) }
func (*lossy) Check(context.Context) error                          { return nil }
func (*lossy) Close() error                                         { return nil }

// TestGaps has a spool drop what two places that fail at random have not got, with the
// spool opened again and again. In the end each has been told of every collection since it
// was there: by its own row, or by that of a gap, which is the same whenever it is told.
func TestGaps(t *testing.T) {
	t.Parallel()
	seeds := uint64(5)
	if tracetest.Long() {
		seeds = 50
	}
	for seed := range seeds {
		testGaps(t, rand.New(rand.NewPCG(seed, 1)))
	}
}

func testGaps(t *testing.T, r *rand.Rand) {
	folder := filepath.Join(t.TempDir(), "s")
	places := map[string]*lossy{}
	for _, name := range []string{"a", "b"} {
		places[name] = &lossy{t, r, map[string]string{}}
	}
	in := flowfile.NewCollections(exporttest.File(all, flows))
	var s *spool.Spool
	outlets := map[string]*spool.Outlet{}
	open := func() {
		var err error
		if s, err = spool.Open(folder, export.SpoolConfig(4000, true)); err != nil {
			t.Fatal(err)
		}
		for name := range places {
			if outlets[name], err = s.Outlet(name, "x:"); err != nil {
				t.Fatal(err)
			}
		}
	}
	// try sends what is next to a place once. Sealing comes between a part of it and the
	// rest now and then.
	try := func(name string, between func()) {
		seg, gap, err := outlets[name].Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if gap != nil {
			g, fault := export.ReadGap(gap.About)
			if fault != nil {
				t.Fatal(fault)
			}
			if err = places[name].Gap(t.Context(), g); err == nil {
				between()
				err = outlets[name].Done(gap.Last)
			}
		} else {
			err = places[name].Send(t.Context(), export.NewCollection(seg))
			if err == nil {
				between()
				err = outlets[name].Done(seg.Number)
			}
		}
		if err != nil && !errors.Is(err, errAway) {
			t.Fatal(err)
		}
	}
	sealed := 0
	seal := func() {
		if sealed == all {
			return
		}
		from, err := in.Next()
		if err == nil {
			_, err = record.Copy(&export.Sink{Spool: s}, from)
		}
		if err != nil {
			t.Fatal(err)
		}
		sealed++
	}
	waits := func(name string) bool {
		for _, o := range s.Status().Outlets {
			if o.Name == name && o.Waiting+int(o.Gaps) > 0 {
				return true
			}
		}
		return false
	}
	open()
	for sealed < all {
		switch name := []string{"a", "b"}[r.IntN(2)]; r.IntN(6) {
		case 0, 1, 2:
			seal()
		case 3:
			if waits(name) {
				try(name, func() {
					for range r.IntN(3) {
						seal()
					}
				})
			}
		case 4:
			if waits(name) {
				try(name, func() {})
			}
		case 5:
			s.Close()
			open()
		}
		if n := len(s.Status().Gaps); n > 12 {
			t.Fatalf("%d gaps", n)
		}
	}
	for name := range places {
		for waits(name) {
			try(name, func() {})
		}
	}
	if st := s.Status(); len(st.Gaps) > 0 || st.Segments > 0 {
		t.Errorf("%+v is left", st)
	}
	s.Close()
	for name, p := range places {
		p.complete(name)
	}
}

// complete makes sure that every collection was told of once.
func (l *lossy) complete(name string) {
	dropped := 0
	var covered, alone [all]int
	for _, text := range l.rows {
		var row struct {
			export.Gap
			Flows int
		}
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			l.t.Fatal(err)
		}
		n := 1
		if row.Dropped > 0 {
			n = int(row.Dropped)
			dropped += n
			if row.Flows != 0 || row.DroppedFlows != uint64(flows*n) || row.IntervalEndNs-row.IntervalStartNs != int64(n)*1e9 || row.RuleSets != "dropped,5e5da465f84529e4" {
				l.t.Errorf("%s: %s", name, text)
			}
		} else if row.Flows != flows {
			l.t.Errorf("%s: %s", name, text)
		}
		if row.Dropped == 1 {
			alone[int(row.IntervalStartNs/1e9)]++
		}
		for i := range n {
			covered[int(row.IntervalStartNs/1e9)+i]++
		}
	}
	for i, n := range covered {
		// One that has come, and then was dropped before that was noted, is told of twice.
		if n != 1 && (n != 2 || alone[i] != 1) {
			l.t.Errorf("%s: collection %d was told of %d times", name, i+1, n)
		}
	}
	if dropped == 0 {
		l.t.Errorf("%s: nothing was dropped", name)
	}
}
