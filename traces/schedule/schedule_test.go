package schedule

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// TestVectors finds windows where another program, of another language, found them from
// what the package comment says.
func TestVectors(t *testing.T) {
	for _, c := range []struct {
		windows        int
		length, period time.Duration
		seed           uint64
		number         int64
		from, to       int64
	}{
		{8, 90000000000, 86400000000000, 0, 166224, 1795229249653246991, 1795229339653246991},
		{8, 90000000000, 86400000000000, 7, 166231, 1795303253676489249, 1795303343676489249},
		{7, 1000000000, 60000000000, 9223372036854775808, 12345678, 105820102968560444, 105820103968560444},
		{3, 33333333333, 100000000000, 5, 1, 33333333333, 66666666666},
	} {
		s := Schedule{c.windows, c.length, c.period, c.seed}
		for _, at := range []int64{c.from, c.to - 1} {
			if w := s.At(at); w.From != c.from || w.To != c.to || w.Number != c.number {
				t.Errorf("%v, seed %d, at %d: %+v, want %d to %d", s, c.seed, at, w, c.from, c.to)
			}
		}
	}
}

// checkWindow holds a window to what all have.
func checkWindow(t *testing.T, s *Schedule, w Window) {
	t.Helper()
	n, period := int64(s.Windows), int64(s.Period)
	if w.From < w.Begins || w.To > w.Ends || w.To-w.From != int64(s.Length) {
		t.Fatalf("%v: %+v does not fit its stratum", s, w)
	}
	for _, edge := range []struct{ number, at int64 }{{w.Number, w.Begins}, {w.Number + 1, w.Ends}} {
		k, i := edge.number/n, edge.number%n
		if want := k*period + int64(float64(i)*float64(period)/float64(n)); max(edge.at-want, want-edge.at) > 1+period>>50 {
			t.Fatalf("%v: %+v, want an edge at %d", s, w, want)
		}
	}
}

// TestWindows walks through schedules: each stratum has one window, strata follow each
// other without gaps, any time finds its stratum, and where windows begin depends on the
// seed only.
func TestWindows(t *testing.T) {
	for _, text := range []string{"8x90s/24h", "8x3h/24h", "7x1s/1m", "1x1ns/1ns", "3x33.333333333s/100s", "1000000x1ms/366d", "11x100ns/1us"} {
		s, err := Parse(text)
		if err != nil && text != "11x100ns/1us" {
			t.Fatal(err)
		} else if err != nil {
			s = Schedule{Windows: 11, Length: 90, Period: 1000}
		}
		r := rand.New(rand.NewPCG(1, uint64(s.Windows)))
		for range 20 {
			s.Seed = r.Uint64()
			same, other := s, s
			other.Seed++
			w := s.At(r.Int64N(1 << 62))
			moved := 0
			for range 50 {
				checkWindow(t, &s, w)
				for _, at := range []int64{w.Begins, w.Ends - 1, w.Begins + r.Int64N(w.Ends-w.Begins)} {
					if same.At(at) != w {
						t.Fatalf("%v: at %d %+v, want %+v", s, at, same.At(at), w)
					}
				}
				if b := s.Behind(w.From); b != w || s.Behind(w.To).From < w.To {
					t.Fatalf("%v: behind %+v comes %+v", s, w, b)
				}
				if other.At(w.Begins).From != w.From {
					moved++
				}
				next := s.At(w.Ends)
				if next.Begins != w.Ends || next.Number != w.Number+1 || next.From < w.To {
					t.Fatalf("%v: %+v follows %+v", s, next, w)
				}
				w = next
			}
			if free := w.Ends - w.Begins - int64(s.Length); free > 1000 && moved < 40 {
				t.Errorf("%v: another seed moves %d of 50 windows", s, moved)
			}
		}
	}
}

// TestLatest looks at the end of time.
func TestLatest(t *testing.T) {
	for _, text := range []string{"8x90s/24h", "1x366d/366d"} {
		s, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int64{math.MaxInt64, math.MaxInt64 - 1, -1, math.MinInt64} {
			if w := s.At(at); w.From > w.To || w.Begins > w.From || w.To > w.Ends {
				t.Errorf("%v at %d: %+v", s, at, w)
			}
			s.Behind(at)
		}
	}
}

// TestUniform places windows in many strata: where they begin is as even as chance makes
// it, in all of the strata and by the place of the stratum in the period, and one does not
// tell of the next.
func TestUniform(t *testing.T) {
	const bins, each = 50, 200
	s := Schedule{Windows: 8, Length: 90 * time.Second, Period: 24 * time.Hour, Seed: 11}
	var all [bins]int
	var pairs [bins]int // of the difference to the one before
	var by [8][bins]int
	before := 0.0
	w := s.At(0)
	for range bins * each * 8 {
		free := float64(w.Ends - w.Begins - int64(s.Length) + 1)
		at := float64(w.From-w.Begins) / free
		all[int(at*bins)]++
		by[w.Number%8][int(at*bins)]++
		d := at - before
		if d < 0 {
			d++
		}
		pairs[min(int(d*bins), bins-1)]++
		before = at
		w = s.At(w.Ends)
	}
	check := func(what string, counts []int, want float64) {
		chi := 0.0
		for _, n := range counts {
			chi += (float64(n) - want) * (float64(n) - want) / want
		}
		if chi > 95 || chi < 18 { // of 49 degrees of freedom: one of 10,000 even ones
			t.Errorf("%s: χ² is %.0f", what, chi)
		}
	}
	check("all", all[:], 8*each)
	check("differences", pairs[:], 8*each)
	for i := range by {
		check("a stratum", by[i][:], each)
	}
}

// TestParse reads schedules as people write them.
func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"8x90s/24h", "8x90s/24h"},
		{"8x90/86400", "8x90s/24h"},
		{"8x1m30s/1d", "8x90s/24h"},
		{"1x0.5s/1s", "1x500ms/1s"},
		{"4x15m/1h", "4x15m/1h"},
		{"24x1h/7d", "24x1h/168h"},
		{"8x90s", "such as 8x90s/24h"},
		{"8*90s/24h", "is no schedule"},
		{"0x90s/24h", "number of windows"},
		{"-1x90s/24h", "number of windows"},
		{"1000001x1us/24h", "number of windows"},
		{"8x/24h", "no length of a window"},
		{"8x0s/24h", "no length of a window"},
		{"8x-90s/24h", "no length of a window"},
		{"8x90s/day", "no period"},
		{"8x90s/0d", "no period"},
		{"8x90s/99999999d", "no period"},
		{"8x90s/367d", "366d at most"},
		{"8x4h/24h", "want windows of 3h at most"},
	} {
		got, err := Parse(c.text)
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.text, got, err, c.want)
		}
	}
}

// FuzzParse reads anything: what is a schedule is one again when it was written, and has
// windows that fit.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"8x90s/24h", "1x1ns/1ns", "8x1m30s/1d", "24x0.1/1000", "8*1/2", "x/", "1x/d", "1x1h1h/366d"} {
		f.Add(text, uint64(7), int64(1795252405e9))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64, at int64) {
		s, err := Parse(text)
		if err != nil {
			if s != (Schedule{}) && s.Windows == 0 || !strings.Contains(err.Error(), "want") {
				t.Errorf("%q: %v, %v", text, s, err)
			}
			return
		}
		if again, err := Parse(s.String()); err != nil || again != s {
			t.Fatalf("%q is %v: %+v, %v", text, s, again, err)
		}
		s.Seed = seed
		if at = max(at, 0); at < math.MaxInt64-2*int64(MaxPeriod) {
			w := s.At(at)
			checkWindow(t, &s, w)
			if at < w.Begins || at >= w.Ends {
				t.Fatalf("%v at %d: %+v", s, at, w)
			}
		}
	})
}
