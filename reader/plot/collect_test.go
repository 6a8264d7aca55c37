package plot

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// collect gives a drawing collections of one flow each, of 1000 octets.
func collect(t *testing.T, to record.Sink, all ...record.Collection) {
	t.Helper()
	var shapes match.Shapes
	f := match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}, Index: 1, LastTime: 1e9, ToOctets: 1000}
	for _, c := range all {
		if err := to.Begin(&c); err != nil {
			t.Fatal(err)
		}
		if err := to.Flow(&f, &record.Counters{ToOctets: 1000}); err != nil {
			t.Fatal(err)
		}
		if err := to.End(&record.Summary{Lost: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOrder draws files in another order than that of time, and of two meters.
func TestOrder(t *testing.T) {
	a, b, c := record.Collection{From: 0, To: 1e9, Meter: "x"}, record.Collection{From: 1e9, To: 2e9, Meter: "x"}, record.Collection{From: 1e9, To: 2e9, Meter: "y"}
	draw := func(all ...record.Collection) (string, error) {
		r, err := NewRatesOf(Options{Most: 3})
		if err != nil {
			t.Fatal(err)
		}
		collect(t, r, all...)
		var out bytes.Buffer
		err = r.WriteSVG(&out)
		return out.String(), err
	}
	want, err := draw(a, b, c)
	if err != nil || !strings.Contains(want, "3.00 kB, 16.0 kbit/s at most") || !strings.Contains(want, "packets lost 3,") {
		t.Errorf("%v\n%s", err, want)
	}
	if got, err := draw(c, b, a); err != nil || got != want {
		t.Errorf("another order makes another picture: %v\n%s", err, got)
	}
	_, err = draw(a, record.Collection{From: 5e8, To: 15e8})
	if err == nil || !strings.Contains(err.Error(), "from 1970-01-01 00:00:00.00 to 1970-01-01 00:00:01.00 and from 1970-01-01 00:00:00.50") {
		t.Errorf("collections that overlap: %v", err)
	}
}

// TestFlowOnce draws a flow of several collections as one point.
func TestFlowOnce(t *testing.T) {
	s, err := NewScatterOf(Options{Most: 3})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, s, record.Collection{From: 0, To: 1e9}, record.Collection{From: 1e9, To: 2e9})
	var out bytes.Buffer
	if err := s.WriteSVG(&out); err != nil || !strings.Contains(out.String(), "ruleset 2: 1 flow, 1.00 kB.") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestFailed leaves out a collection that failed.
func TestFailed(t *testing.T) {
	r, err := NewRatesOf(Options{Most: 3})
	if err != nil {
		t.Fatal(err)
	}
	collect(t, r, record.Collection{From: 0, To: 1e9})
	if err := r.Begin(&record.Collection{From: 1e9, To: 2e9}); err != nil {
		t.Fatal(err)
	}
	var shapes match.Shapes
	f := match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil)}, Index: 1, ToOctets: 1000}
	if err := r.Flow(&f, &record.Counters{ToOctets: 1000}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.WriteSVG(&out); err != nil || !strings.Contains(out.String(), "00:00:00 to 00:00:01 UTC, 1.00 kB,") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestOverflow refuses counters whose sum cannot be right.
func TestOverflow(t *testing.T) {
	var shapes match.Shapes
	d, err := attr.ToPacketSize.ParseMeasure("6.0!0")
	if err != nil {
		t.Fatal(err)
	}
	mask, err := attr.ToPacketSize.ParseMeasure("1.0.250!1500")
	if err != nil {
		t.Fatal(err)
	}
	f := match.Flow{FlowKey: match.FlowKey{Shape: shapes.Intern(2, 0, 0, nil, attr.Measure{Attr: attr.ToPacketSize, Mask: mask, Value: d})}, Index: 1, LastTime: 5, ToOctets: math.MaxUint64, FromOctets: 1}
	p := NewPercentilesOf(Options{Most: 1}, nil)
	p.Begin(&record.Collection{To: 9})
	if err := p.Flow(&f, &record.Counters{Measures: []uint64{math.MaxUint64, 0, 0, 0, 0, 0, 0}}); err != nil {
		t.Error(err)
	}
	if err := p.Flow(&f, &record.Counters{Measures: []uint64{0, 0, 0, 0, 0, 0, 1}}); err != query.ErrOverflow {
		t.Errorf("values beyond 64 bits: %v", err)
	}
	s, err := NewScatterOf(Options{Most: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Begin(&record.Collection{To: 9})
	if err := s.Flow(&f, nil); err != query.ErrOverflow {
		t.Errorf("octets of a flow beyond 64 bits: %v", err)
	}
	f.FromOctets = 0
	for i := range 2 {
		f.Index = uint32(1 + i)
		if err := s.Flow(&f, nil); err != nil {
			t.Error(err)
		}
	}
	s.End(&record.Summary{})
	if err := s.WriteSVG(io.Discard); err != query.ErrOverflow {
		t.Errorf("octets of all flows beyond 64 bits: %v", err)
	}
}

func TestDistributionNames(t *testing.T) {
	if got, err := ParseDistributions("ToPacketSize, FlowTime"); err != nil || len(got) != 2 || got[0] != attr.ToPacketSize {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ParseDistributions("ToPacketSize,ToOctets"); err == nil {
		t.Error("ToOctets is no distribution")
	}
	by, err := query.ParseKeys("SourcePeerAddress,DestPeerAddress", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewScatterOf(Options{By: by}); err == nil {
		t.Error("symbols for two attributes")
	}
	if err := NewPercentilesOf(Options{Most: 1}, nil).WriteSVG(io.Discard); err == nil {
		t.Error("a picture without distributions")
	}
}

// TestNoTime draws collections that lasted no time: text has times of a centisecond.
func TestNoTime(t *testing.T) {
	for _, tc := range []struct {
		in, want []Interval
	}{
		{[]Interval{{From: 5, To: 5}}, []Interval{{From: 5, To: 5 + shortest}}},
		{[]Interval{{From: 5, To: 5, Lost: 1}, {From: 5, To: 9, Lost: 2}}, []Interval{{From: 5, To: 9, Lost: 3}}},
		{[]Interval{{From: 9, To: 9, Lost: 1}, {From: 5, To: 9, Lost: 2}}, []Interval{{From: 5, To: 9, Lost: 3}}},
		{[]Interval{{From: 1, To: 1}, {From: 5, To: 9}}, []Interval{{From: 1, To: 5}, {From: 5, To: 9}}},
		{[]Interval{{From: 1, To: 0}, {From: 1, To: 1}}, []Interval{{From: 1, To: 1 + shortest}}},
	} {
		line := timeline{all: tc.in}
		got, moved, err := line.sorted()
		if err != nil || !slices.Equal(got, tc.want) || moved[0] >= len(got) {
			t.Errorf("%v: %v, %v, %v", tc.in, got, moved, err)
		}
		if _, err := newBars(got); err != nil {
			t.Errorf("%v: %v", tc.in, err)
		}
	}
}
