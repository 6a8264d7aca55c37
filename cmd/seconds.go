package cmd

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// secondsFlag is an option of a length of time in seconds, which people write as
// 300, 0.5, 5m or 1h30m.
type secondsFlag struct{ to *float64 }

// secondsVar defines such an option.
func secondsVar(cmd *cobra.Command, to *float64, name, shorthand string, value float64, usage string) {
	*to = value
	cmd.Flags().VarP(secondsFlag{to}, name, shorthand, usage)
}

// Set implements pflag.Value.
func (v secondsFlag) Set(text string) error {
	s, err := parseSeconds(text)
	if err == nil {
		*v.to = s
	}
	return err
}

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

// String implements pflag.Value.
func (v secondsFlag) String() string {
	if v.to == nil {
		return "0"
	}
	return strconv.FormatFloat(*v.to, 'g', -1, 64)
}

// Type implements pflag.Value.
func (secondsFlag) Type() string { return "seconds" }

// wholeSecondsFlag is secondsFlag for whole seconds.
type wholeSecondsFlag struct{ to *int }

// Set implements pflag.Value.
func (v wholeSecondsFlag) Set(text string) error {
	s, err := parseSeconds(text)
	switch {
	case err != nil:
		return err
	case s != math.Trunc(s) || math.Abs(s) > 1e9:
		return errors.New("want whole seconds, as 300 or 5m")
	}
	*v.to = int(s)
	return nil
}

// String implements pflag.Value.
func (v wholeSecondsFlag) String() string {
	if v.to == nil {
		return "0"
	}
	return strconv.Itoa(*v.to)
}

// Type implements pflag.Value.
func (wholeSecondsFlag) Type() string { return "seconds" }
