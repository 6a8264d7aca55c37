package cmd

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxSeconds is the longest time that an option takes, some 31 years.
const maxSeconds = 1e9

// A secondsFlag is a length of time in seconds, within bounds, which people write
// as 300, 0.5, 5m or 1h30m. It is a pflag.Value.
type secondsFlag struct {
	to          *float64
	least, most float64
}

// newSeconds returns a length of time that is kept in to, where value is set first.
func newSeconds(to *float64, value, least, most float64) *secondsFlag {
	*to = value
	return &secondsFlag{to, least, most}
}

// Set implements pflag.Value.
func (v *secondsFlag) Set(text string) error {
	s, err := parseSeconds(text)
	switch {
	case err != nil:
		return err
	case s < v.least || s > v.most:
		return fmt.Errorf("want a number of seconds from %s to %s", decimal(v.least), decimal(v.most))
	}
	*v.to = s
	return nil
}

// String implements pflag.Value.
func (v *secondsFlag) String() string { return decimal(*v.to) }

// Type implements pflag.Value.
func (*secondsFlag) Type() string { return "seconds" }

// decimal returns a number without an exponent.
func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// seconds returns a length of time that a secondsFlag has taken.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A wholeSecondsFlag is a secondsFlag of whole seconds.
type wholeSecondsFlag struct{ to *int }

// newWholeSeconds returns a length of time that is kept in to, where value is set
// first.
func newWholeSeconds(to *int, value int) *wholeSecondsFlag {
	*to = value
	return &wholeSecondsFlag{to}
}

// Set implements pflag.Value.
func (v *wholeSecondsFlag) Set(text string) error {
	s, err := parseSeconds(text)
	switch {
	case err != nil:
		return err
	case s != math.Trunc(s) || s < 0 || s > maxSeconds:
		return fmt.Errorf("want whole seconds from 0 to %s, as 300 or 5m", decimal(maxSeconds))
	}
	*v.to = int(s)
	return nil
}

// String implements pflag.Value.
func (v *wholeSecondsFlag) String() string { return strconv.Itoa(*v.to) }

// Type implements pflag.Value.
func (*wholeSecondsFlag) Type() string { return "seconds" }

// parseSeconds returns the seconds that text tells. They may be any number, but
// no NaN.
func parseSeconds(text string) (float64, error) {
	if s, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(s) && !strings.ContainsAny(text, "xX_") {
		return s, nil
	}
	unit := text
	days := 0.0
	if n, rest, ok := strings.Cut(text, "d"); ok { // which package time does not know
		var err error
		if days, err = strconv.ParseFloat(n, 64); err != nil || strings.ContainsAny(n, "xXnN_") {
			return 0, errSeconds
		}
		if unit = rest; unit == "" {
			return days * 86400, nil
		}
	}
	d, err := time.ParseDuration(unit)
	if err != nil {
		return 0, errSeconds
	}
	return days*86400 + d.Seconds(), nil
}

var errSeconds = errors.New("want seconds, as 300 or 0.5, or a time with its units, as 5m or 1h30m")
