package manager

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestHolds has a flood last for 1000 s that goes under at once whenever a task
// is on its standby ruleset, and comes again 2 s after it returned. Without holds
// the task would return 500 times. Then there is quiet, and another flood.
func TestHolds(t *testing.T) {
	const interval, look = 10 * time.Second, 2 * time.Second
	var hs holds
	var returns []string
	standby := false
	start := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for after := time.Duration(0); after < 2000*time.Second; after += look {
		at := start.Add(after)
		if flood := after < 1000*time.Second || after >= 1800*time.Second && after < 1803*time.Second; flood && !standby {
			standby = true
		}
		switch {
		case !standby:
			hs.end(3, at)
		case hs.over(3, at, interval):
			standby = false
			hs.end(3, at)
			returns = append(returns, fmt.Sprint(int(after.Seconds())))
		}
		if !hs.over(wholeMeter, at, 0) {
			t.Fatal("without an interval there is no hold")
		}
		hs.end(wholeMeter, at)
	}
	if got, want := strings.Join(returns, " "), "0 12 34 76 158 240 322 404 486 568 650 732 814 896 978 1060 1800 1812"; got != want {
		t.Errorf("it returned at %s, want %s", got, want)
	}
}
