package live

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"rtfm/meter/series"
	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// collection is a From of flows of one ruleset.
type collection struct {
	c     record.Collection
	flows []*match.Flow
	sum   record.Summary
}

func (c *collection) Collection() *record.Collection { return &c.c }

func (c *collection) Flows(put func(*match.Flow, *record.Counters) error) error {
	for _, f := range c.flows {
		all := record.CountersOf(f)
		if err := put(f, &all); err != nil {
			return err
		}
	}
	return nil
}

func (c *collection) Summary(func(int) *uint64) (*record.Summary, error) { return &c.sum, nil }

// flows returns a collection of n flows; flow i has counted i+1 octets in a packet.
func flows(n int) *collection {
	var shapes match.Shapes
	sizes := attr.Measure{Attr: attr.ToPacketSize, Mask: attr.MakeValue(1, 0, 0, 1, 0, 9), Value: attr.MakeValue(3, 0, 0, 0, 0, 0)}
	shape := shapes.Intern(2, 4, 0, []match.Saved{{Attr: attr.SourcePeerAddress, Mask: attr.Ones(4)}}, sizes)
	c := &collection{
		c:   record.Collection{Meter: "gw<1>", Boot: "ab", Epoch: 1e9, From: 1e9, To: 2e9, First: true, RuleSets: []record.RuleSet{{Number: 2, Name: "a\xff"}}},
		sum: record.Summary{Lost: 3, Uncounted: 4, RuleSets: []record.RuleSetSummary{{RuleSet: 2, Packets: uint64(n), Counted: uint64(n)}}},
	}
	for i := range n {
		f := &match.Flow{Index: uint32(i + 1), FirstTime: 1e9, LastTime: 2e9, ToPDUs: 1, ToOctets: uint64(i + 1), Counters: [][]uint64{{1, 0, 0, 2}}}
		f.Shape = shape
		*f.Key.Peer(attr.Source) = [attr.MaxAddress]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}
		c.flows = append(c.flows, f)
	}
	return c
}

// sumOf adds up a column of the rows and the others, and returns the total beside it.
func sumOf(t *testing.T, s *Section, name string) (sum, total uint64) {
	t.Helper()
	number := func(v interface{ Exact() string }) (n uint64) {
		if text := v.Exact(); text != "" {
			if err := json.Unmarshal([]byte(text), &n); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	for i, c := range s.Table.Columns {
		if c.Name != name {
			continue
		}
		for _, row := range s.Table.Rows {
			sum += number(row[i])
		}
		return sum + number(s.Table.Others[i]), number(s.Table.Total[i])
	}
	t.Fatalf("no column %s", name)
	return 0, 0
}

// TestInterval: the flows that are shown and the others are all there are, exactly.
func TestInterval(t *testing.T) {
	const n = 1200
	h := NewHistory()
	sink := NewSink(Options{}, h.Put)
	if _, err := record.Copy(sink, flows(n)); err != nil {
		t.Fatal(err)
	}
	news := h.After(0, 0)
	if len(news.Intervals) != 1 || news.Status.State != Running {
		t.Fatalf("%+v", news)
	}
	i := news.Intervals[0]
	s := i.Section(2)
	if sum, total := sumOf(t, s, "Octets"); sum != n*(n+1)/2 || total != sum {
		t.Errorf("%d octets, total %d", sum, total)
	}
	if len(s.Table.Rows) != MostRows || s.Table.NumOthers != n-MostRows || s.Packets.Counted != n {
		t.Errorf("%d rows, %d others, %+v", len(s.Table.Rows), s.Table.NumOthers, s.Packets)
	}
	if i.Loss.Lost != 3 || i.Loss.Uncounted != 4 || i.Length() != 1e9 {
		t.Errorf("%+v", i.Loss)
	}
	if len(i.Spreads) != 1 || i.Spreads[0].Counters[0] != n || i.Spreads[0].Counters[3] != 2*n {
		t.Errorf("%+v", i.Spreads)
	}
	text := i.AppendJSON(nil)
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got["meter"] != "gw<1>" || got["to"] != "2000000000" || strings.Contains(string(text), "<") || strings.Contains(string(text), "\n") {
		t.Errorf("%s", text[:200])
	}
}

// TestFilter changes what is shown between collections.
func TestFilter(t *testing.T) {
	h := NewHistory()
	sink := NewSink(Options{}, h.Put)
	e, err := query.Parse("filter", "SourcePeerAddress == 10.0.0.0/30")
	if err != nil {
		t.Fatal(err)
	}
	sink.Filter(e)
	for range 2 {
		if _, err := record.Copy(sink, flows(100)); err != nil {
			t.Fatal(err)
		}
		sink.Filter(nil)
	}
	all := h.After(0, 0).Intervals
	if n := len(all[0].Section(2).Table.Rows); n != 4 {
		t.Errorf("%d rows with the filter", n)
	}
	if n := len(all[1].Section(2).Table.Rows); n != 100 {
		t.Errorf("%d rows without", n)
	}
}

// TestHistory holds the bounds, and tells who is slow what was missed.
func TestHistory(t *testing.T) {
	h := NewHistory()
	h.most = 10
	sink := NewSink(Options{}, h.Put)
	for range 25 {
		if _, err := record.Copy(sink, flows(3)); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.After(5, 0); len(n.Intervals) != 10 || n.Missed != 10 || n.Intervals[0].Number != 16 {
		t.Errorf("%d intervals, %d missed", len(n.Intervals), n.Missed)
	}
	if n := h.After(0, 2); len(n.Intervals) != 2 || n.Missed != 0 || n.Intervals[1].Number != 25 {
		t.Errorf("%+v", n)
	}
	h.most, h.mostSize = math.MaxInt, 5*h.intervals[0].octets
	if _, err := record.Copy(sink, flows(3)); err != nil {
		t.Fatal(err)
	}
	if n := h.After(0, 0); len(n.Intervals) != 5 {
		t.Errorf("%d intervals in the octets of five", len(n.Intervals))
	}
	if _, err := record.Copy(sink, flows(2000)); err != nil {
		t.Fatal(err)
	}
	if n := h.After(0, 0); len(n.Intervals) != 1 || h.octets != n.Intervals[0].octets {
		t.Errorf("%d intervals, the last of which is too large", len(n.Intervals))
	}
}

// TestPackedHistory keeps all that the JSON of intervals has, in a fraction of their
// tables' memory, as blocks that follow each other in one stream.
func TestPackedHistory(t *testing.T) {
	tables, packs := NewHistory(), NewPackedHistory()
	for _, h := range []*History{tables, packs} {
		for n := range 3 {
			if _, err := record.Copy(NewSink(Options{}, h.Put), flows(600+n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var kept []*Interval // they are packed beside what puts them in
	for len(kept) < 3 {
		news, changed := packs.Look(0)
		if kept = news.Intervals; len(kept) < 3 {
			<-changed
		}
	}
	var stream, want []byte
	for n, i := range tables.After(0, 0).Intervals {
		text := i.AppendJSON(nil)
		want = append(want, text...)
		if got := kept[n].AppendJSON([]byte("x")); string(got) != "x"+string(text) {
			t.Errorf("%s, want %s", got, text)
		}
		stream = append(append(stream, kept[n].Deflated()...), i.Deflated()...)
		want = append(want, text...)
		if kept[n].Sections != nil || kept[n].Number != i.Number || kept[n].To != i.To {
			t.Errorf("%+v", kept[n])
		}
	}
	stream = append(stream, 1, 0, 0, 0xff, 0xff)
	if got, err := io.ReadAll(flate.NewReader(bytes.NewReader(stream))); err != nil || string(got) != string(want) {
		t.Errorf("%d octets, want %d: %v", len(got), len(want), err)
	}
	if packs.octets*4 > tables.octets {
		t.Errorf("%d octets packed, %d of tables", packs.octets, tables.octets)
	}
}

// TestNext gives the oldest ones in portions, and all to who asks with a number that the
// History has not had.
func TestNext(t *testing.T) {
	h := NewHistory()
	for range 5 {
		h.Put(new(Interval))
	}
	for number, want := range map[uint64]string{0: "[1 2]", 1: "[2 3]", 4: "[5]", 5: "[]", 6: "[1 2]", math.MaxUint64: "[1 2]"} {
		news, _ := h.Next(number, 2)
		numbers := []uint64{}
		for _, i := range news.Intervals {
			numbers = append(numbers, i.Number)
		}
		if fmt.Sprint(numbers) != want || news.Missed != 0 {
			t.Errorf("behind %d: %v, want %s", number, numbers, want)
		}
	}
}

// TestWait wakes for an interval and for another status.
func TestWait(t *testing.T) {
	h := NewHistory()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	got := make(chan News)
	wait := func(number uint64, before Status) {
		go func() {
			n, err := h.Wait(ctx, number, before)
			if err != nil {
				t.Error(err)
			}
			got <- n
		}()
	}
	wait(0, Status{State: Starting})
	h.Tell(Status{State: Away, Text: "no answer"})
	if n := <-got; n.Status.State != Away {
		t.Errorf("%+v", n)
	}
	wait(0, Status{State: Away, Text: "no answer"})
	if _, err := record.Copy(NewSink(Options{}, h.Put), flows(1)); err != nil {
		t.Fatal(err)
	}
	if n := <-got; len(n.Intervals) != 1 || n.Status.State != Running {
		t.Errorf("%+v", n)
	}
	cancel()
	if _, err := h.Wait(ctx, 1, h.After(1, 0).Status); err == nil {
		t.Error("it waits no longer, and tells no reason")
	}
}

// TestUnknown leaves out flows of which it is not known what they counted.
func TestUnknown(t *testing.T) {
	h := NewHistory()
	c := flows(3)
	c.c.First, c.c.From = false, 15e8
	sink := NewSink(Options{}, h.Put)
	if err := sink.Begin(&c.c); err != nil {
		t.Fatal(err)
	}
	c.flows[2].FirstTime = 16e8
	for _, f := range c.flows {
		if err := sink.Flow(f, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.End(&c.sum); err != nil {
		t.Fatal(err)
	}
	i := h.After(0, 0).Intervals[0]
	if _, total := sumOf(t, i.Section(2), "PDUs"); total != 1 || i.Loss.Unknown != 2 {
		t.Errorf("%d PDUs, %d unknown", total, i.Loss.Unknown)
	}
}

// TestLossless: a source that can wait puts no more than the one viewer has room for,
// and none is missed; once ctx is done it need not wait.
func TestLossless(t *testing.T) {
	const n = 3 * backlog
	h := NewHistory()
	h.most = 2 * backlog
	ctx, cancel := context.WithCancel(context.Background())
	h.Lossless(ctx)
	ended := make(chan bool)
	put := func() {
		for range n {
			h.Put(new(Interval))
		}
		ended <- true
	}
	go put()
	number := uint64(0)
	for number < n {
		news, err := h.Wait(ctx, number, h.After(number, 0).Status)
		if err != nil || news.Missed > 0 || len(news.Intervals) > backlog {
			t.Fatalf("%v, %d missed, %d at once", err, news.Missed, len(news.Intervals))
		}
		for _, i := range news.Intervals {
			if number++; i.Number != number {
				t.Fatalf("interval %d, want %d", i.Number, number)
			}
		}
	}
	<-ended
	go put()
	cancel()
	<-ended
}

// TestSeconds gives what the meter's series had to the next Interval, in its JSON too.
func TestSeconds(t *testing.T) {
	h := NewHistory()
	sink := NewSink(Options{}, h.Put)
	rows := []series.Row{{RuleSet: 2, Name: "a", PDUs: 5, ActiveFlows: 3, NewFlows: 1, Flows: 9}, {Interface: 1, PDUs: 5, Lost: 2}}
	second := series.Interval{From: 1e9, To: 2e9, Rows: rows}
	for range mostSeconds + 1 {
		if err := sink.Second(&second); err != nil {
			t.Fatal(err)
		}
	}
	clear(rows) // they are the meter's
	for range 2 {
		if _, err := record.Copy(sink, flows(1)); err != nil {
			t.Fatal(err)
		}
	}
	all := h.After(0, 0).Intervals
	if len(all[0].Seconds) != mostSeconds || len(all[1].Seconds) != 0 {
		t.Errorf("%d and %d", len(all[0].Seconds), len(all[1].Seconds))
	}
	want := `"series":[{"from":"1000000000","to":"2000000000","rows":[{"ruleset":2,"name":"a","pdus":5,"octets":0,"active":3,"new":1,"flows":9},` +
		`{"interface":1,"name":"","pdus":5,"octets":0,"filtered":0,"lost":2}]}`
	if text := string(all[0].AppendJSON(nil)); !strings.Contains(text, want) {
		t.Errorf("no %s", want)
	}
	if text := string(all[1].AppendJSON(nil)); strings.Contains(text, "series") {
		t.Errorf("%s", text)
	}
}
