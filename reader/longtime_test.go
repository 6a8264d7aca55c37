package reader

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib/client"
	"rtfm/reader/flowfile"
	"rtfm/traces"
)

const day = 24 * time.Hour

// longMix returns packets of a few days, then so long nothing, and more of the
// same flows: longer than TimeTicks can tell.
func longMix(gap time.Duration) []traces.Packet {
	packets := mix(400, int64(4*day/time.Second))
	for i := range packets[200:] {
		packets[200+i].Time += int64(gap)
	}
	return packets
}

// TestStepLong collects in step over gaps that are longer than half the range of
// TimeTicks, and than all of it, and compares with what `rtfm run` writes.
func TestStepLong(t *testing.T) {
	rs := program(t, "all-flows")
	rs.Format = flowfile.FormatFor(rs)
	for _, gap := range []time.Duration{200 * day, 300 * day, 500 * day, 4 * 365 * day, 53 * 365 * day} {
		for _, interval := range []time.Duration{day, 250 * day, 600 * day} {
			path := filepath.Join(t.TempDir(), "flows")
			f, known := open(t, path)
			cfg := testConfig()
			cfg.Timeout = 0
			k := New(cfg, f, known)
			packets := longMix(gap)
			sets := func() ([]RuleSet, error) { return []RuleSet{{Index: 2, Rules: rs}}, nil }
			c := metering(t, control.Config{Config: meter.Config{MaxFlows: meter.DefaultMaxFlows, Interval: interval}}, rs, source(t, packets), func(c *client.Client) error {
				return k.Register(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
			})
			for !k.Ended() {
				if _, err := k.Step(t.Context(), c, sets); err != nil {
					t.Fatalf("a gap of %v: %v", gap, err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			g, want := withoutHeaders(string(got)), withoutHeaders(direct(t, rs, interval, 0, packets))
			if g != want {
				t.Errorf("a gap of %v, interval %v: %d octets, want %d; first difference:\n%s", gap, interval, len(g), len(want), difference(g, want))
			}
		}
	}
}

// TestClockLong collects by the clock from a meter whose time passes over what
// TimeTicks can tell between two collections. Flows live all the time, and keep
// the time at which they began.
func TestClockLong(t *testing.T) {
	rs := program(t, "all-flows")
	for _, gap := range []time.Duration{90 * day, 300 * day, 500 * day, 53 * 365 * day} {
		path := filepath.Join(t.TempDir(), "flows")
		f, known := open(t, path)
		cfg := testConfig()
		cfg.Timeout = 0
		k := New(cfg, f, known)
		src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
		packets := longMix(gap)
		c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, func(c *client.Client) error {
			if err := c.SetInactivityTimeout(t.Context(), math.MaxInt32); err != nil {
				return err
			}
			return k.Register(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
		})
		for part := range 4 {
			src.batches <- packets[part*100 : part*100+100]
			waitFor(t, c, uint64(part*100+100))
			result, err := k.Collect(t.Context(), c, []RuleSet{{Index: 2, Rules: rs}})
			if err != nil {
				t.Fatalf("a gap of %v, part %d: %v", gap, part, err)
			}
			if want := uint64(packets[part*100+99].Time-packets[0].Time) / 1e7; result.To != want {
				t.Errorf("a gap of %v, part %d: up to %d, want %d", gap, part, result.To, want)
			}
		}
		if got := sums(t, path); got != uint64(len(packets)) {
			t.Errorf("a gap of %v: %d packets of %d", gap, got, len(packets))
		}
		if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "##NeTraMet") != 1 {
			t.Errorf("%v: a gap of %v: the meter seems to have been restarted", err, gap)
		}
	}
}
