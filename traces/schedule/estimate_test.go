package schedule

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// days is simulated traffic: what has been counted by the end of each step.
type days struct {
	name  string
	total []float64
}

// step is how long the rate stays the same, in seconds.
const step = 5

// simulate returns so many days of traffic, rate packets in a second.
func simulate(name string, n int, rate func(second int, r *rand.Rand) float64) *days {
	r := rand.New(rand.NewPCG(1, 2))
	d := &days{name, make([]float64, 1, n*86400/step+1)}
	for i := range n * 86400 / step {
		d.total = append(d.total, d.total[i]+step*max(rate(i*step, r), 0))
	}
	return d
}

// before returns what has been counted before a time.
func (d *days) before(ns int64) float64 {
	i, part := ns/(step*1e9), float64(ns%(step*1e9))/(step*1e9)
	if part == 0 {
		return d.total[i]
	}
	return d.total[i]*(1-part) + d.total[i+1]*part
}

// flat returns traffic of a constant rate, but for chance.
func flat(n int) *days {
	return simulate("flat", n, func(_ int, r *rand.Rand) float64 { return 100 + 10*r.NormFloat64() })
}

// wandering returns traffic that wanders about a constant rate, over minutes.
func wandering(n int) *days {
	x := 0.0
	return simulate("wandering", n, func(_ int, r *rand.Rand) float64 {
		x = x*math.Exp(-step/300.) + math.Sqrt(2*step/300.)*r.NormFloat64()
		return 100 * math.Exp(0.3*x)
	})
}

// diurnal returns traffic of nights and days, which wanders a little.
func diurnal(n int) *days {
	x := 0.0
	return simulate("diurnal", n, func(second int, r *rand.Rand) float64 {
		x = x*math.Exp(-step/300.) + math.Sqrt(2*step/300.)*r.NormFloat64()
		return 100 * (1 + 0.7*math.Sin(2*math.Pi*(float64(second)/86400-0.3))) * math.Exp(0.1*x)
	})
}

// bursty returns traffic of bursts of seconds to half an hour, as file transfers make them,
// over a low rate.
func bursty(n int) *days {
	left, height := 0, 0.0
	return simulate("bursty", n, func(_ int, r *rand.Rand) float64 {
		if left == 0 && r.Float64() < step/400. {
			left = min(1+int(40*math.Pow(r.Float64(), -1/1.5)), 1800)
			height = 300 * (0.3 + r.Float64())
		}
		rate := 50 + 5*r.NormFloat64()
		if left > 0 {
			left = max(left-step, 0)
			rate += height
		}
		return rate
	})
}

// estimateOf estimates the total of the days with a seed.
func (d *days) estimateOf(s Schedule) Estimate {
	var e estimator
	end := int64(len(d.total)-1) * step * 1e9
	for w := s.At(0); w.Begins < end; w = s.At(w.Ends) {
		e.add((d.before(w.To)-d.before(w.From))/float64(s.Length), float64(w.Ends-w.Begins))
	}
	return e.estimate(float64(s.Length))
}

// TestCoverage estimates days of which all is known, with 1,000 seeds: what is called
// 95 % covers the truth in 90 to 99 % of them.
func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		days     *days
		schedule string
	}{
		{flat(1), "8x90s/24h"}, {flat(7), "8x90s/24h"},
		{wandering(1), "8x90s/24h"}, {wandering(7), "8x90s/24h"}, {wandering(1), "12x1h/24h"},
		{diurnal(1), "8x90s/24h"}, {diurnal(1), "24x90s/24h"}, {diurnal(3), "8x90s/24h"}, {diurnal(7), "8x90s/24h"},
		{bursty(1), "24x90s/24h"}, {bursty(3), "8x90s/24h"}, {bursty(7), "8x90s/24h"},
	} {
		s, err := Parse(c.schedule)
		if err != nil {
			t.Fatal(err)
		}
		truth := c.days.total[len(c.days.total)-1]
		const seeds = 1000
		covered, sum, margin := 0, 0.0, 0.0
		for s.Seed = range seeds {
			e := c.days.estimateOf(s)
			if math.Abs(e.Total-truth) <= e.Margin {
				covered++
			}
			sum, margin = sum+e.Total/truth/seeds, margin+e.Margin/truth/seeds
		}
		t.Logf("%-9s %d days, %s: covered in %.1f %%, on average ± %.1f %%, bias %+.2f %%", c.days.name, (len(c.days.total)-1)*step/86400, c.schedule, float64(covered)*100/seeds, 100*margin, 100*(sum-1))
		if covered < 900 || covered > 990 {
			t.Errorf("%s, %s: %d of %d intervals cover the truth", c.days.name, c.schedule, covered, seeds)
		}
	}
}

// TestWhole estimates from windows that are all of the time: there is nothing to be wrong
// about.
func TestWhole(t *testing.T) {
	d := bursty(1)
	truth := d.total[len(d.total)-1]
	if e := d.estimateOf(Schedule{Windows: 8, Length: 3 * time.Hour, Period: 24 * time.Hour}); math.Abs(e.Total-truth) > 1e-6*truth || e.Margin > 1e-4*truth {
		t.Errorf("%+v, want %f", e, truth)
	}
	if e := d.estimateOf(Schedule{Windows: 1, Length: 3 * time.Hour, Period: 24 * time.Hour}); !math.IsNaN(e.Margin) {
		t.Errorf("of one window %+v", e)
	}
}

// TestStudent compares quantiles with those of tables.
func TestStudent(t *testing.T) {
	for freedom, want := range map[float64]float64{1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 30: 2.042, 120: 1.980, 1e5: 1.960} {
		if got := student975(freedom); math.Abs(got-want) > 0.0006 {
			t.Errorf("of %v degrees of freedom: %.4f, want %.3f", freedom, got, want)
		}
	}
}

// TestFreedom compares degrees of freedom with what the matrix of the squares gives.
func TestFreedom(t *testing.T) {
	for order := 1; order <= 3; order++ {
		for numbers := order + 1; numbers < 12; numbers++ {
			a := make([]float64, numbers*numbers)
			for d := range numbers - order {
				for i, x := range coefficients[order] {
					for j, y := range coefficients[order] {
						a[(d+i)*numbers+d+j] += x * y
					}
				}
			}
			trace, square := 0.0, 0.0
			for i := range a {
				square += a[i] * a[i] // A is symmetric
				if i%(numbers+1) == 0 {
					trace += a[i]
				}
			}
			if got, want := freedom(numbers, order), trace*trace/square; math.Abs(got-want) > 1e-9 {
				t.Errorf("%d numbers, order %d: %f, want %f", numbers, order, got, want)
			}
		}
	}
}
