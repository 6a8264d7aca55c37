package cmd

import (
	"testing"

	"rtfm/traces"
)

// TestMoreOfManyInterfaces wants the numbers of many lossy interfaces to cost
// twice as much for twice as many.
func TestMoreOfManyInterfaces(t *testing.T) {
	cost := func(interfaces uint32) float64 {
		var now, before traces.Stats
		for n := range interfaces {
			now.PerInterface = append(now.PerInterface, traces.InterfaceStats{Number: n + 1000, Lost: 5})
			before.PerInterface = append(before.PerInterface, traces.InterfaceStats{Number: n + 1000, Lost: uint64(n % 3)})
		}
		return testing.AllocsPerRun(1, func() {
			was, now := traceCounts(&before), traceCounts(&now)
			all := now.Rare(&was)
			if len(all) != int(interfaces) || all[8].Name != "lost-1008" || all[8].Value != 3 {
				t.Errorf("%d numbers: %v", len(all), all[:10])
			}
		})
	}
	if one, two := cost(500), cost(1000); two > 3*one {
		t.Errorf("%v allocations for 500 interfaces, %v for 1000", one, two)
	}
}
