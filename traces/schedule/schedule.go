package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Schedule says in which windows of time packets are looked at. The zero value has none.
type Schedule struct {
	Windows int           // in each period
	Length  time.Duration // of a window
	Period  time.Duration
	Seed    uint64
}

// The most windows of a period, and its greatest length: a leap year.
const (
	MaxWindows = 1_000_000
	MaxPeriod  = 366 * 24 * time.Hour
)

// Parse reads a schedule as String writes it, such as 8x90s/24h. Lengths are seconds, or
// have units: 90, 1.5s, 1m30s, 7d.
func Parse(text string) (s Schedule, err error) {
	count, rest, isX := strings.Cut(text, "x")
	length, period, isPer := strings.Cut(rest, "/")
	if !isX || !isPer {
		return s, fmt.Errorf("%q is no schedule: want WINDOWSxLENGTH/PERIOD, such as 8x90s/24h for 8 windows of 90 seconds in each 24 hours", text)
	}
	n, err := strconv.ParseUint(count, 10, 32)
	if err != nil || n == 0 || n > MaxWindows {
		return s, fmt.Errorf("%q: %q is no number of windows: want 1 to %d, as the 8 of 8x90s/24h", text, count, MaxWindows)
	}
	s.Windows = int(n)
	if s.Length, err = parseLength(length); err != nil {
		return Schedule{}, fmt.Errorf("%q: %q is no length of a window: want seconds or another time, as the 90s of 8x90s/24h", text, length)
	}
	if s.Period, err = parseLength(period); err != nil {
		return Schedule{}, fmt.Errorf("%q: %q is no period: want seconds or another time, as the 24h of 8x90s/24h", text, period)
	}
	if s.Period > MaxPeriod {
		return Schedule{}, fmt.Errorf("%q: a period of %s is too long: want 366d at most", text, lengthText(s.Period))
	}
	if most := s.Period / time.Duration(n); s.Length > most {
		return Schedule{}, fmt.Errorf("%q: %d windows of %s do not fit into %s: want windows of %s at most", text, n, lengthText(s.Length), lengthText(s.Period), lengthText(most))
	}
	return s, nil
}

// parseLength reads a length of time, which is more than 0.
func parseLength(text string) (d time.Duration, err error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if d = time.Duration(n) * 24 * time.Hour; err != nil || d <= 0 {
			return 0, strconv.ErrRange
		}
		return d, nil
	}
	if strings.Trim(text, "0123456789.") == "" {
		text += "s"
	}
	if d, err = time.ParseDuration(text); err == nil && d <= 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// lengthText returns a length of time as Parse reads it.
func lengthText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if d > 0 && d < 10*time.Minute && d%time.Second == 0 && d%time.Minute != 0 {
		text = strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return text
}

// String returns the schedule as Parse reads it, without its seed.
func (s Schedule) String() string {
	return fmt.Sprintf("%dx%s/%s", s.Windows, lengthText(s.Length), lengthText(s.Period))
}

// Window is a window of a schedule, with the stratum that it is in. Times are nanoseconds
// since 1970-01-01 00:00:00 UTC; what begins and ends has everything from From to before
// To.
type Window struct {
	From, To     int64
	Begins, Ends int64 // the stratum
	Number       int64 // of the stratum, since 1970
}

// At returns the window of the stratum that a time is in, which is not negative.
func (s *Schedule) At(t int64) Window {
	t = max(t, 0)
	period, n := int64(s.Period), int64(s.Windows)
	k, since := t/period, t%period
	hi, lo := bits.Mul64(uint64(since), uint64(n))
	quotient, _ := bits.Div64(hi, lo, uint64(period))
	i := int64(quotient)
	if i+1 < n && since >= s.within(i+1) { // the division by which strata begin was rounded down
		i++
	}
	return s.Numbered(k*n + i)
}

// Numbered returns the window of the stratum of this number, which begins at 1970 or later
// and before the end of time.
func (s *Schedule) Numbered(number int64) Window {
	period, n, length := int64(s.Period), int64(s.Windows), int64(s.Length)
	k, i := number/n, number%n
	w := Window{Begins: k*period + s.within(i), Ends: later(k*period, s.within(i+1)), Number: number}
	free := s.within(i+1) - s.within(i) - length
	offset, _ := bits.Mul64(s.draw(uint64(w.Number)), uint64(free)+1)
	w.From = later(w.Begins, int64(offset))
	w.To = later(w.From, length)
	return w
}

// Behind returns the first window that ends later than a time.
func (s *Schedule) Behind(t int64) Window {
	w := s.At(t)
	if w.To <= t && w.Ends < math.MaxInt64 {
		w = s.At(w.Ends)
	}
	return w
}

// within returns how far behind the beginning of a period stratum i begins.
func (s *Schedule) within(i int64) int64 {
	hi, lo := bits.Mul64(uint64(i), uint64(s.Period))
	quotient, _ := bits.Div64(hi, lo, uint64(s.Windows))
	return int64(quotient)
}

// draw returns the random number of stratum n.
func (s *Schedule) draw(n uint64) uint64 {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], s.Seed)
	binary.BigEndian.PutUint64(b[8:], n)
	sum := sha256.Sum256(b[:])
	return binary.BigEndian.Uint64(sum[:])
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
