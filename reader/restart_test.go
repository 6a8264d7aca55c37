package reader

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// TestMeterRestarted collects from one meter and then, at the same file, from
// another, as if the first had been started again.
func TestMeterRestarted(t *testing.T) {
	rs := program(t, "all-flows")
	path := filepath.Join(t.TempDir(), "flows")
	f, known := open(t, path)
	k := New(testConfig(), f, known)
	sets := []RuleSet{{Index: 2, Rules: rs}}
	for run := range 2 {
		packets := mix(200+100*run, 100)
		src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
		c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
		src.batches <- packets
		waitFor(t, c, uint64(len(packets)))
		for range 2 {
			result, err := k.Collect(t.Context(), c, sets)
			if err != nil {
				t.Fatal(err)
			}
			if fresh := run == 1 && result.From == 0; result.Restarted != fresh {
				t.Errorf("run %d: restarted is %v", run, result.Restarted)
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "##NeTraMet")
	if len(parts) != 3 || strings.Count(parts[2], "Flows from 1 to") != 1 {
		t.Errorf("the file has %d headers:\n%s", len(parts)-1, text)
	}
	for i, want := range []uint64{200, 300} {
		one := filepath.Join(t.TempDir(), "one")
		if err := os.WriteFile(one, []byte("##NeTraMet"+parts[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := sums(t, one); got != want {
			t.Errorf("run %d: %d packets, want %d", i, got, want)
		}
	}
}

// TestDeltas adds up what the intervals of JSON lines have counted, over a new
// process in between. It knows what the one before has read from the file, but
// not when that was renamed.
func TestDeltas(t *testing.T) {
	for _, name := range []string{"services", "packet-sizes"} {
		for _, renamed := range []bool{false, true} {
			testDeltas(t, name, renamed)
		}
	}
}

func testDeltas(t *testing.T, name string, renamed bool) {
	rs := program(t, name)
	path := filepath.Join(t.TempDir(), "flows")
	packets := mix(1000, 100)
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
	cfg := testConfig()
	cfg.JSON = true
	f, known := open(t, path)
	k := New(cfg, f, known)
	for part := range 5 {
		src.batches <- packets[part*200 : part*200+200]
		waitFor(t, c, uint64(part*200+200))
		if part == 3 {
			f.Close()
			if renamed {
				if err := os.Rename(path, path+".1"); err != nil {
					t.Fatal(err)
				}
			}
			f, known = open(t, path)
			k = New(cfg, f, known)
		}
		if _, err := k.Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if old, err := os.ReadFile(path + ".1"); err == nil {
		text = append(old, text...)
	}
	type flow struct {
		Record                       string
		FlowIndex, FirstTime         uint64
		ToPDUs, FromPDUs             uint64
		DeltaToPDUs, DeltaFromPDUs   *uint64
		LastActiveTime, FlowRuleSet  uint64
		ToPacketSize                 distribution
		SourcePeerMask, DestPeerMask any
	}
	collection, nulls := 0, 0
	before := make(map[uint64]uint64)
	sizes := make(map[uint64]uint64)
	for line := range strings.Lines(string(text)) {
		var fl flow
		if err := json.Unmarshal([]byte(line), &fl); err != nil {
			t.Fatal(err)
		}
		switch fl.Record {
		case "start":
			collection++
		case "flow":
			sum := fl.ToPDUs + fl.FromPDUs
			if fl.DeltaToPDUs == nil {
				nulls++
				if collection != 4 || before[fl.FlowIndex] == 0 && fl.FirstTime > fl.LastActiveTime {
					t.Errorf("collection %d: no difference: %s", collection, line)
				}
			} else if d := *fl.DeltaToPDUs + *fl.DeltaFromPDUs; sum-before[fl.FlowIndex] != d {
				t.Errorf("collection %d: the difference is %d, the counters differ by %d", collection, d, sum-before[fl.FlowIndex])
			}
			before[fl.FlowIndex] = sum
			if d := fl.ToPacketSize.Delta; d != nil && sizes[fl.FlowIndex]+d.Count != fl.ToPacketSize.Count {
				t.Errorf("collection %d: the distribution's difference is %d: %s", collection, d.Count, line)
			}
			sizes[fl.FlowIndex] = fl.ToPacketSize.Count
		}
	}
	if collection != 5 || (nulls > 0) != renamed {
		t.Errorf("%s, renamed %v: %d collections, %d flows without difference", name, renamed, collection, nulls)
	}
}

// distribution is what a flow record tells of one.
type distribution struct {
	Count uint64
	Delta *struct{ Count uint64 }
}

// TestOthersRows has someone else use the reader's row, and others be there.
func TestOthersRows(t *testing.T) {
	rs := program(t, "all-flows")
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	var warned []string
	cfg := testConfig()
	cfg.FirstRow, cfg.LastRow = 3, 4
	cfg.Warn = func(err error) { warned = append(warned, err.Error()) }
	k := New(cfg, &Stream{W: new(strings.Builder)}, nil)
	packets := mix(300, 300)
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, func(c *client.Client) error {
		return c.CreateReader(t.Context(), 3, &mib.Reader{Row: mib.Row{Owner: "other"}, RuleSet: 2})
	})
	collect := func(part int) {
		t.Helper()
		src.batches <- packets[part*50 : part*50+50]
		waitFor(t, c, uint64(part*50+50))
		if _, err := k.Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); err != nil {
			t.Fatal(err)
		}
	}
	collect(0)
	collect(1)
	if r, err := c.Reader(t.Context(), 4); err != nil || r == nil || r.Owner != "test" || r.PreviousTime == 0 || len(warned) > 0 {
		t.Errorf("%v: row 4 is %+v; warnings %q", err, r, warned)
	}
	if err := c.DestroyReader(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	collect(2)
	if len(warned) != 1 || !strings.Contains(warned[0], "reader 4 was gone") {
		t.Errorf("warnings: %q", warned)
	}
	if err := c.DestroyReader(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateReader(t.Context(), 4, &mib.Reader{Row: mib.Row{Owner: "other"}, RuleSet: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); err == nil || !strings.Contains(err.Error(), "no row from 3 to 4") {
		t.Errorf("without a row: %v", err)
	}
	if err := c.DestroyReader(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	collect(3)
	if err := k.Leave(t.Context(), c); err != nil {
		t.Error(err)
	}
	if r, err := c.Reader(t.Context(), 3); err != nil || r != nil {
		t.Errorf("%v: row 3 is left: %+v", err, r)
	}
}

// TestFirstUptime finds the uptime of a meter that is seen for the first time.
func TestFirstUptime(t *testing.T) {
	const day, wrap = 86400 * 100, 1 << 32
	now := time.Unix(2_000_000_000, 0)
	started := func(ticks int64) int64 { return now.UnixNano() - ticks*match.Centisecond }
	for _, c := range []struct {
		start int64
		ticks uint32
		want  uint64
	}{
		{started(day), day, day},
		{started(wrap + day), day, wrap + day},
		{started(wrap + day), day - 500, wrap + day - 500}, // its clock differs
		{started(0), 500, 500},
		{1e18, 4000, 4000}, // a trace
	} {
		if got := firstUptime(&client.Status{Extension: true, Start: c.start}, c.ticks, now); got != c.want {
			t.Errorf("start %d, %d: %d, want %d", c.start, c.ticks, got, c.want)
		}
	}
}

// TestRunning follows a task that is given another ruleset.
func TestRunning(t *testing.T) {
	ctx := t.Context()
	src := &stepped{batches: make(chan []traces.Packet), stop: ctx.Done()}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 100}}, program(t, "all-flows"), src, nil)
	if err := c.PutRuleSet(ctx, 3, "me", program(t, "services")); err != nil {
		t.Fatal(err)
	}
	var rules Rules
	want := func(indexes ...int) {
		t.Helper()
		sets, err := rules.Running(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, s := range sets {
			got = append(got, s.Index)
			if len(s.Rules.Saves()) == 0 {
				t.Errorf("ruleset %d saves nothing", s.Index)
			}
		}
		if !slices.Equal(got, indexes) {
			t.Errorf("rulesets %v, want %v", got, indexes)
		}
	}
	want(2)
	if err := c.SetManager(ctx, 1, &mib.Manager{CurrentRuleSet: 3}); err != nil {
		t.Fatal(err)
	}
	want(2, 3)
	want(2, 3)
	if err := c.DestroyRuleSet(ctx, 2); err != nil {
		t.Fatal(err)
	}
	want(3)
	if sets, err := rules.One(ctx, c, 9); err != nil || len(sets) != 0 {
		t.Errorf("%v: ruleset 9 is %v", err, sets)
	}
}

// TestNotBegun collects from a meter of a trace before its first packet: there
// is no time yet, so nothing is written, but the reader is registered.
func TestNotBegun(t *testing.T) {
	rs := program(t, "all-flows")
	path := filepath.Join(t.TempDir(), "flows")
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
	f, known := open(t, path)
	k := New(testConfig(), f, known)
	sets := []RuleSet{{Index: 2, Rules: rs}}
	if _, err := k.Collect(t.Context(), c, sets); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a flow data file: %v", err)
	}
	if readers, err := c.Readers(t.Context()); err != nil || readers.Len() != 1 {
		t.Errorf("%d readers are registered: %v", readers.Len(), err)
	}
	packets := mix(200, 100)
	src.batches <- packets
	waitFor(t, c, uint64(len(packets)))
	if result, err := k.Collect(t.Context(), c, sets); err != nil || result.Restarted || result.From != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "1970") || strings.Count(string(text), "##NeTraMet") != 1 {
		t.Errorf("%v\n%s", err, text)
	}
	if got := sums(t, path); got != 200 {
		t.Errorf("%d packets, want 200", got)
	}
}

// TestKilledFirst ends a reader's process in its first collection: the next one
// does not take the meter for another.
func TestKilledFirst(t *testing.T) {
	rs := program(t, "all-flows")
	path := filepath.Join(t.TempDir(), "flows")
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
	src.batches <- mix(100, 100)
	waitFor(t, c, 100)
	f, known := open(t, path)
	out := &full{File: f, fails: true}
	if _, err := New(testConfig(), out, known).Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); err == nil {
		t.Fatal("a collection was made")
	}
	f.Close()
	f, known = open(t, path)
	if known == nil {
		t.Fatal("nothing is known of the collection that failed")
	}
	result, err := New(testConfig(), f, known).Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
	if err != nil || result.Restarted || result.Flows == 0 {
		t.Errorf("%v, %+v", err, result)
	}
	// Another meter is told, though nothing was collected of the first.
	known.To, known.Boot = 0, "0011223344556677"
	if result, err = New(testConfig(), f, known).Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}}); err != nil || !result.Restarted {
		t.Errorf("%v, %+v", err, result)
	}
}
