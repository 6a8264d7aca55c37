package schedule

import (
	"math"
	"time"
)

// Estimate is a total that was estimated from windows.
type Estimate struct {
	Total float64
	// Margin is what the total may be wrong by, in 95 of 100 cases; NaN if that is not
	// known, of a single window.
	Margin  float64
	Windows int
	Span    time.Duration // that the total is of
}

// estimator estimates a total from one window of each stratum.
//
// The total of a stratum is estimated to be its length times what its window counts in a
// unit of time. How much that may be wrong cannot be seen from one window, but from how
// windows differ that follow each other. What changes between strata as a curve does,
// from night to day, is no error: so it is third differences that are taken,
//
//	y₁ − 3y₂ + 3y₃ − y₄
//
// in which curves up to the second degree vanish, and which have 20 times the variance of
// one window (K. M. Wolter, Introduction to Variance Estimation, chapter 8, has such for
// systematic samples). Of two or three windows lower ones are taken. The degrees of
// freedom of their mean square are those of Satterthwaite, since differences overlap.
type estimator struct {
	windows int
	total   float64
	span    float64 // in ns
	squares float64 // of the strata's lengths
	before  [order]float64
	sums    [order + 1]float64 // of squares of differences, by their order
}

// order is that of the differences that are taken.
const order = 3

// coefficients are those of differences by their order, and variances how much more
// variance they have than one number.
var (
	coefficients = [order + 1][]float64{1: {1, -1}, 2: {1, -2, 1}, 3: {1, -3, 3, -1}}
	variances    = [order + 1]float64{1: 2, 2: 6, 3: 20}
)

// add adds a window that counts so much in a nanosecond, in a stratum of this length.
func (e *estimator) add(rate, length float64) {
	e.windows++
	e.total += rate * length
	e.span += length
	e.squares += length * length
	for n := 1; n <= min(order, e.windows-1); n++ {
		d := coefficients[n][0] * rate
		for i, c := range coefficients[n][1:] {
			d += c * e.before[i]
		}
		e.sums[n] += d * d
	}
	copy(e.before[1:], e.before[:])
	e.before[0] = rate
}

// addEmpty adds so many windows that are empty, behind at least as many as are taken for
// differences.
func (e *estimator) addEmpty(n, length float64) {
	e.windows += int(n)
	e.span += n * length
	e.squares += n * length * length
}

// estimate returns the estimate, for windows of a length.
func (e *estimator) estimate(length float64) Estimate {
	est := Estimate{Total: e.total, Margin: math.NaN(), Windows: e.windows, Span: time.Duration(e.span)}
	n := min(order, e.windows-1)
	if n < 1 {
		return est
	}
	differences := float64(e.windows - n)
	variance := e.sums[n] / differences / variances[n]
	// What was looked at is known: strata that are all window leave nothing to estimate.
	unknown := max(1-length*float64(e.windows)/e.span, 0)
	est.Margin = student975(freedom(e.windows, n)) * math.Sqrt(variance*e.squares*unknown)
	return est
}

// freedom returns the degrees of freedom of the mean square of the differences of order n
// of so many independent numbers: (tr A)² / tr A², where A is the matrix of that square.
func freedom(numbers, n int) float64 {
	c := coefficients[n]
	differences := float64(numbers - n)
	square := 0.0
	for lag := 0; lag <= n && float64(lag) < differences; lag++ {
		covariance := 0.0
		for i := range c[lag:] {
			covariance += c[i] * c[i+lag]
		}
		times := 2.0
		if lag == 0 {
			times = 1
		}
		square += times * (differences - float64(lag)) * covariance * covariance
	}
	trace := differences * variances[n]
	return trace * trace / square
}

// student975 returns the quantile 0.975 of Student's t distribution of so many degrees of
// freedom, at least 1.
func student975(freedom float64) float64 {
	least, most := 1.959, 12.8
	for range 30 {
		middle := (least + most) / 2
		if studentTail(middle, freedom) > 0.025 {
			least = middle
		} else {
			most = middle
		}
	}
	return (least + most) / 2
}

// studentTail returns the probability that Student's t is more than t, which is more than
// 0: the integral over the angle θ = atan(t/√ν) of cos θ to the power ν − 1, of which the
// density is in proportion.
func studentTail(t, freedom float64) float64 {
	const steps = 64 // of Simpson's rule
	g1, _ := math.Lgamma((freedom + 1) / 2)
	g2, _ := math.Lgamma(freedom / 2)
	to := math.Atan(t / math.Sqrt(freedom))
	width, sum := to/steps, 0.0
	for i := range steps + 1 {
		weight := float64(2 + 2*(i%2))
		if i == 0 || i == steps {
			weight = 1
		}
		sum += weight * math.Pow(math.Cos(float64(i)*width), freedom-1)
	}
	return 0.5 - math.Exp(g1-g2)/math.Sqrt(math.Pi)*sum*width/3
}
