package meter

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // for machines that have none

	"rtfm/traces"
)

// TestNextEnd compares with the first minute at which the clocks of a place show a
// multiple of the interval, around changes of clocks: by an hour, by half of one, and
// by a day.
func TestNextEnd(t *testing.T) {
	for place, days := range map[string][]string{
		"UTC":                 {"2026-03-29"},
		"Europe/Berlin":       {"2026-03-29", "2026-10-25", "2026-07-01"},
		"America/New_York":    {"2026-03-08", "2026-11-01"},
		"Australia/Lord_Howe": {"2026-04-05", "2026-10-04"},
		"Asia/Kolkata":        {"2026-01-01"},
		"Pacific/Apia":        {"2011-12-30"},
	} {
		loc, err := time.LoadLocation(place)
		if err != nil {
			t.Fatal(err)
		}
		for _, day := range days {
			start, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			for _, interval := range []time.Duration{7 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 5 * time.Hour, 24 * time.Hour} {
				m := Meter{cfg: Config{Interval: interval, Align: loc}}
				want := start.Add(5 * 24 * time.Hour)
				for at := want.Add(-time.Minute); at.After(start.Add(-2 * 24 * time.Hour)); at = at.Add(-time.Minute) {
					if got := m.nextEnd(at.UnixNano()); at.Before(start.Add(2*24*time.Hour)) && got != want.UnixNano() {
						t.Fatalf("%v of %s: %v ends at %v, want %v", interval, place, at.In(loc), time.Unix(0, got).In(loc), want.In(loc))
					}
					if _, offset := at.In(loc).Zone(); (at.Unix()+int64(offset))%int64(interval/time.Second) == 0 {
						want = at // for those before it
					}
				}
			}
		}
	}
}

// TestAligned has a first and a last interval that are short, a day of 23 hours, and
// gaps over changes of clocks.
func TestAligned(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	packets := func(times ...string) (list []traces.Packet) {
		for _, text := range times {
			at1, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			p := at(0)[0]
			p.Time = at1.UnixNano()
			list = append(list, p)
		}
		return list
	}
	for name, tt := range map[string]struct {
		cfg     Config
		packets []traces.Packet
		want    []string
	}{
		"minutes": {Config{Interval: time.Minute, Align: time.UTC},
			packets("2026-03-28T22:59:30Z", "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-28T23:01:07Z"),
			[]string{"0-30: 1 flows, 2 packets", "30-90: 1 flows, 3 packets", "90-97: 1 flows, 4 packets, last"}},
		"days": {Config{Interval: 24 * time.Hour, Align: berlin},
			packets("2026-03-28T22:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:00Z", "2026-03-29T22:00:00Z"),
			[]string{"0-3600: 1 flows, 1 packets", "3600-86400: 1 flows, 3 packets", "86400-86400: 1 flows, 4 packets, last"}},
		"from an end": {Config{Interval: time.Hour, Align: time.UTC}, packets("2026-03-28T22:00:00Z", "2026-03-28T23:00:00Z"),
			[]string{"0-3600: 1 flows, 1 packets", "3600-3600: 1 flows, 2 packets, last"}},
	} {
		if got := intervalsOf(t, tt.cfg, tt.packets); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q\nwant %q", name, got, tt.want)
		}
	}
	// A year without packets: all intervals are told of, as made or as passed over,
	// and those behind it end on local midnights.
	lines := intervalsOf(t, Config{Interval: 6 * time.Hour, Align: berlin}, packets("2025-06-01T10:00:00Z", "2026-06-01T10:00:00Z"))
	if last := lines[len(lines)-1]; last != "31536000-31536000: 1 flows, 1 packets, 1359 passed over, last" || len(lines) != 102 {
		t.Errorf("%d collections, the last is %s", len(lines), last)
	}
}
