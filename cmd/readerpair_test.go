package cmd

import (
	"fmt"
	"testing"
	"time"

	"rtfm/reader"
)

// TestSeam: what is in both intervals or in none where the meter changes.
func TestSeam(t *testing.T) {
	const end = int64(1_000_000_000_000_000_000)
	for _, c := range []struct {
		to        int
		from      int64
		restarted bool
		want      string
	}{
		{0, end + 1e7, false, "[]"},
		{3, end, false, "[]"},
		{3, end + 1e7, false, "[in no interval 10ms]"},
		{3, end - 2e7, false, "[in both intervals 20ms]"},
		{3, end - int64(5*time.Minute), false, "[in both intervals 5m0s]"},
		{3, 0, true, "[]"},
	} {
		h := &pairHalf{from: c.from, reading: reading{result: &reader.Result{Restarted: c.restarted}}}
		if got := fmt.Sprint(h.seam(&pairReading{to: c.to, end: end})); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
