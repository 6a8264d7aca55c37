package cmd

import "testing"

func TestParseSeconds(t *testing.T) {
	for text, want := range map[string]float64{
		"300": 300, "0.5": 0.5, "5m": 300, "1h30m": 5400, "1.5h": 5400, "250ms": 0.25, "1d": 86400, "1d12h": 129600, "-5": -5, "0": 0, "1e-6": 1e-6, "1e3": 1000,
	} {
		if got, err := parseSeconds(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "m", "5 m", "5x", "NaN", "nand", "five", "1m5", "1_000", "0x10", "d", "1h1d"} {
		if got, err := parseSeconds(text); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
	var n int
	if err := newWholeSeconds(&n, 600).Set("10m"); err != nil || n != 600 {
		t.Errorf("10m: %d, %v", n, err)
	}
	if err := newWholeSeconds(&n, 600).Set("0.5"); err == nil {
		t.Error("half a second taken for whole ones")
	}
}
