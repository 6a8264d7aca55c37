package manager

import (
	"testing"
	"time"

	"rtfm/ruleset"
)

func TestWhen(t *testing.T) {
	for _, tt := range []struct {
		when      string
		in, notIn []string // day of November 2026 and time; the 1st is a Sunday
	}{
		{"mon-fri 08:00-18:00", []string{"2 08:00", "6 17:59"}, []string{"2 07:59", "6 18:00", "1 12:00", "7 12:00"}},
		{"sat,sun", []string{"7 00:00", "8 23:59"}, []string{"6 23:59", "9 00:00"}},
		{"Friday-Monday 22:00-02:00", []string{"6 22:00", "7 01:59", "10 01:59", "2 22:00"}, []string{"6 01:59", "6 21:59", "7 02:00", "10 22:00", "11 01:00"}},
		{"12:00-24:00", []string{"4 12:00", "4 23:59"}, []string{"4 11:59", "5 00:00"}},
		{"sat-sat", []string{"7 12:00"}, []string{"6 12:00", "8 12:00"}},
		{"sun 20:00-04:00", []string{"1 20:00", "2 03:59"}, []string{"2 04:00", "1 03:59", "7 20:00"}},
	} {
		w, err := ParseWhen(tt.when)
		if err != nil {
			t.Errorf("%s: %v", tt.when, err)
		}
		for i, list := range [][]string{tt.in, tt.notIn} {
			for _, at := range list {
				when, err := time.Parse("2 15:04 2006 Jan", at+" 2026 Nov")
				if err != nil {
					t.Fatal(err)
				}
				if w.Contains(when) != (i == 0) {
					t.Errorf("%s contains %s (%v): %v", tt.when, at, when.Weekday(), i != 0)
				}
			}
		}
	}
	for _, text := range []string{"", "m", "mo", "funday", "mon-", "8-9", "08:00", "08:60-09:00", "24:01-25:00", "24:00-01:00", "08:00-08:00",
		"mon 08:00-09:00 x", "mon tue", "008:00-09:00", "8:0-9:0", "-1:00-2:00", "mon,,tue", "1:00-2:00 mon"} {
		if w, err := ParseWhen(text); err == nil {
			t.Errorf("%q is taken as %v", text, w)
		}
	}
}

func TestCurrent(t *testing.T) {
	day, night, weekend := &ruleset.RuleSet{}, &ruleset.RuleSet{}, &ruleset.RuleSet{}
	when := func(s string) []When {
		w, err := ParseWhen(s)
		if err != nil {
			t.Fatal(err)
		}
		return []When{w}
	}
	task := Task{RuleSet: night, Turns: []Turn{{when("sat-sun"), weekend}, {when("08:00-18:00"), day}}}
	for _, tt := range []struct {
		day, hour int
		want      *ruleset.RuleSet
	}{{2, 7, night}, {2, 8, day}, {7, 8, weekend}, {8, 3, weekend}, {9, 0, night}} {
		if got := task.Current(time.Date(2026, 11, tt.day, tt.hour, 0, 0, 0, time.UTC)); got != tt.want {
			t.Errorf("day %d, %d:00: %p, want %p", tt.day, tt.hour, got, tt.want)
		}
	}
}
