package reader

import (
	"strings"
	"testing"
	"time"
)

// TestNext lists the collections of days on which the clock is changed, or not.
func TestNext(t *testing.T) {
	for _, tt := range []struct {
		zone, from string // local, with seconds
		every      time.Duration
		want       string // times as the clock shows them
	}{
		{"UTC", "2026-11-02 10:03:04", 5 * time.Minute, "10:05 10:10 10:15"},
		{"UTC", "2026-11-02 10:05:00", 5 * time.Minute, "10:10 10:15"},
		{"UTC", "2026-11-02 23:50:00", 7 * time.Minute, "23:55 00:00 00:07"},
		{"UTC", "2026-11-02 10:00:00", 7 * time.Hour, "14:00 21:00 00:00 07:00"},
		{"UTC", "2026-11-02 10:00:00", 100 * time.Hour, "00:00 00:00"},
		{"Asia/Kolkata", "2026-11-02 10:10:00", time.Hour, "11:00 12:00"},
		{"Asia/Kathmandu", "2026-11-02 22:10:00", 6 * time.Hour, "00:00 06:00"},
		// Forward at 2:00, the day has 23 hours.
		{"Europe/Berlin", "2026-03-29 00:00:00", 6 * time.Hour, "06:00 12:00 18:00 00:00 06:00"},
		{"Europe/Berlin", "2026-03-28 23:00:00", 24 * time.Hour, "00:00 00:00 00:00"},
		{"Europe/Berlin", "2026-03-29 01:00:00", 2 * time.Hour, "03:00 04:00 06:00"},
		{"Europe/Berlin", "2026-03-29 01:00:00", time.Hour, "03:00 04:00"},
		{"Europe/Berlin", "2026-03-29 01:54:00", 5 * time.Minute, "01:55 03:00 03:05"},
		{"Europe/Berlin", "2026-03-29 01:54:00", 150 * time.Minute, "03:00 05:00"},
		// Back at 3:00, it has 25.
		{"Europe/Berlin", "2026-10-25 00:00:00", 6 * time.Hour, "06:00 12:00 18:00 00:00 06:00"},
		{"Europe/Berlin", "2026-10-24 23:00:00", 24 * time.Hour, "00:00 00:00 00:00"},
		{"Europe/Berlin", "2026-10-25 00:00:00", 2 * time.Hour, "02:00 04:00 06:00"},
		{"Europe/Berlin", "2026-10-25 00:00:00", 3 * time.Hour, "03:00 06:00"},
		{"Europe/Berlin", "2026-10-25 01:00:00", time.Hour, "02:00 02:00 03:00 04:00"},
		{"Europe/Berlin", "2026-10-25 01:00:00", 30 * time.Minute, "01:30 02:00 02:30 02:00 02:30 03:00"},
		{"Europe/Berlin", "2026-10-25 01:50:00", 25 * time.Minute, "02:05 02:30 02:55 02:05 02:30"},
		{"Pacific/Auckland", "2026-09-27 01:30:00", 24 * time.Hour, "00:00"},
		{"Pacific/Auckland", "2026-09-27 01:59:59", time.Minute, "03:00 03:01"},
		// By half an hour, at 2:00.
		{"Australia/Lord_Howe", "2026-10-04 00:30:00", time.Hour, "01:00 02:30 03:00 04:00"},
		{"Australia/Lord_Howe", "2026-04-05 00:30:00", time.Hour, "01:00 02:00 03:00"},
		// At midnight.
		{"America/Sao_Paulo", "2018-11-03 17:00:00", 6 * time.Hour, "18:00 01:00 06:00"},
		{"America/Sao_Paulo", "2018-11-03 17:00:00", 24 * time.Hour, "01:00 00:00"},
		{"America/Sao_Paulo", "2018-02-17 17:00:00", 6 * time.Hour, "18:00 00:00 06:00"},
		{"America/Sao_Paulo", "2018-02-17 22:00:00", time.Hour, "23:00 23:00 00:00 01:00"},
		{"America/Havana", "2026-10-31 23:00:00", 24 * time.Hour, "00:00 00:00"},
		// A day that was left out.
		{"Pacific/Apia", "2011-12-29 17:00:00", 6 * time.Hour, "18:00 00:00 06:00"},
	} {
		place, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Skip(err)
		}
		at, err := time.ParseInLocation("2006-01-02 15:04:05", tt.from, place)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range strings.Fields(tt.want) {
			next := Next(at, tt.every)
			if !next.After(at) || next.Location() != place {
				t.Fatalf("%s: behind %v comes %v", tt.zone, at, next)
			}
			at = next
			got = append(got, at.Format("15:04"))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s from %s, every %v: %s, want %s", tt.zone, tt.from, tt.every, got, tt.want)
		}
	}
}
