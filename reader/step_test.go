package reader

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib/client"
)

// TestStepIdle: a meter that tells of an interval again and again that was
// collected is asked once a second, not as fast as it answers.
func TestStepIdle(t *testing.T) {
	rs := program(t, "all-flows")
	f, known := open(t, filepath.Join(t.TempDir(), "flows"))
	config := testConfig()
	config.Timeout = 0
	k := New(config, f, known)
	sets := []RuleSet{{Index: 2, Rules: rs}}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 1000, Interval: time.Second}}, rs, source(t, mix(3000, 2000)), func(c *client.Client) error {
		return k.Register(t.Context(), c, sets)
	})
	var slept []time.Duration
	k.sleep = func(ctx context.Context, d time.Duration) error {
		slept = append(slept, d)
		return sleep(ctx, d)
	}
	step := func() (long int) {
		t.Helper()
		slept = slept[:0]
		if _, err := k.Step(t.Context(), c, func() ([]RuleSet, error) { return sets, nil }); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(slept, time.Second) {
			long = 1
		}
		return long
	}
	for range 3 {
		if step() > 0 {
			t.Error("a meter that goes on is kept waiting")
		}
	}
	k.state.Intervals += 1000 // as if all that it tells were old
	step()
	for range 2 {
		if step() == 0 {
			t.Error("a meter that tells nothing new is asked as fast as it answers")
		}
	}
}
