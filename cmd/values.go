package cmd

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"rtfm/ruleset"
	"rtfm/traces/format"
)

// Kinds of values of options, besides those of package pflag, each a pflag.Value.
// They check what they are given while the command line is read, so that the
// message names the option.

// count is a whole number within bounds.
type count struct {
	to          *int
	least, most int
	what        string // as in "a number of flows"
}

// newCount returns a count that is kept in to, where value is set first.
func newCount(to *int, value, least, most int, what string) *count {
	*to = value
	return &count{to, least, most, what}
}

// Set implements pflag.Value.
func (c *count) Set(text string) error {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil || n < int64(c.least) || n > int64(c.most) {
		return fmt.Errorf("want %s from %d to %d", c.what, c.least, c.most)
	}
	*c.to = int(n)
	return nil
}

// String implements pflag.Value.
func (c *count) String() string { return strconv.Itoa(*c.to) }

// Type implements pflag.Value.
func (*count) Type() string { return "N" }

// unsigned is a whole number of 32 bits.
type unsigned struct{ to *uint32 }

// Set implements pflag.Value.
func (u unsigned) Set(text string) error {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return fmt.Errorf("want a number from 0 to %d", uint32(math.MaxUint32))
	}
	*u.to = uint32(n)
	return nil
}

// String implements pflag.Value.
func (u unsigned) String() string { return strconv.FormatUint(uint64(*u.to), 10) }

// Type implements pflag.Value.
func (unsigned) Type() string { return "N" }

// choice is one of several words.
type choice struct {
	to    *string
	words []string
	why   func(text string) string // what to say of another word, if not nil
}

// newChoice returns a choice that is kept in to, where value is set first. That
// may be none of the words: it stands for no choice then.
func newChoice(to *string, value string, words ...string) *choice {
	*to = value
	return &choice{to: to, words: words}
}

// Set implements pflag.Value.
func (c *choice) Set(text string) error {
	if slices.Contains(c.words, text) {
		*c.to = text
		return nil
	}
	last := len(c.words) - 1
	message := "want " + strings.Join(c.words[:last], ", ") + " or " + c.words[last]
	if c.why != nil {
		message += c.why(text)
	}
	return errors.New(message)
}

// String implements pflag.Value.
func (c *choice) String() string { return *c.to }

// Type implements pflag.Value.
func (c *choice) Type() string { return strings.Join(c.words, "|") }

// columns is the value of --format: the attributes that are written of a flow.
type columns struct{ to **ruleset.Format }

// Set implements pflag.Value.
func (c columns) Set(text string) (err error) {
	*c.to = nil
	if text == "" {
		return nil
	}
	*c.to, err = ruleset.ParseFormat(text)
	return err
}

// String implements pflag.Value. There is no default that could be shown.
func (columns) String() string { return "" }

// Type implements pflag.Value.
func (columns) Type() string { return "attributes" }

// timeLimit is a moment at which a conversion begins or ends.
type timeLimit struct{ to *format.Limit }

// Set implements pflag.Value.
func (l timeLimit) Set(text string) (err error) {
	*l.to = format.Limit{}
	if text == "" {
		return nil
	}
	*l.to, err = format.ParseLimit(text)
	return err
}

// String implements pflag.Value. There is no default that could be shown.
func (timeLimit) String() string { return "" }

// Type implements pflag.Value.
func (timeLimit) Type() string { return "time" }
