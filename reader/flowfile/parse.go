package flowfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/attr"
)

// parseHeader reads the first line of a file:
//
//	##NeTraMet v3.2.  -c300 -r rules  meter -i eth0  4000 flows  starting at 12:31:27 Wed 1 Feb 95
func parseHeader(text string) (Header, error) {
	var h Header
	rest, start, ok := cutLast(strings.TrimPrefix(text, markHead), " starting at ")
	if !ok {
		return h, errors.New("want `starting at` and a time in the first record")
	}
	var err error
	if h.Start, err = parseClock(strings.Fields(start)); err != nil {
		return h, err
	}
	rest = strings.TrimRight(rest, " ")
	rest, isFlows := strings.CutSuffix(rest, " flows")
	i := strings.LastIndexByte(rest, ' ')
	if h.MaxFlows, err = strconv.Atoi(rest[i+1:]); err != nil || !isFlows || i < 0 {
		return h, errors.New("want the number of flows before `starting at`")
	}
	rest = strings.TrimRight(rest[:i], " ")
	version, rest, ok := strings.Cut(rest, ". ")
	if !ok || version != words(version) {
		return h, errors.New("want a period behind the version")
	}
	h.Version = version
	rest = strings.TrimLeft(rest, " ")
	for {
		before, last, ok := cutLast(rest, " -i ")
		if !ok || strings.Contains(last, " ") {
			break
		}
		h.Interfaces = append([]string{last}, h.Interfaces...)
		rest = strings.TrimRight(before, " ")
	}
	// The meter's name is the last word; two blanks stand before it.
	i = strings.LastIndexByte(rest, ' ')
	h.Meter = rest[i+1:]
	h.Parameters = strings.TrimSpace(rest[:i+1])
	return h, nil
}

// cutLast splits s at the last place of sep.
func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// majorVersion returns the number with which a version begins.
func majorVersion(v string) int {
	v, _, _ = strings.Cut(v, ".")
	n, _ := strconv.Atoi(v)
	return n
}

// parseClock reads `12:31:27 Wed 1 Feb 95`. A year of two digits is one of
// 1970 to 2069. What day of the week it says does not matter.
func parseClock(words []string) (time.Time, error) {
	if len(words) != 5 {
		return time.Time{}, fmt.Errorf("%q is not a time like `12:31:27 Wed 1 Feb 1995`", strings.Join(words, " "))
	}
	layout, year := "15:04:05 2 Jan 2006", words[4]
	if len(year) == 2 {
		if year >= "70" {
			year = "19" + year
		} else {
			year = "20" + year
		}
	}
	t, err := time.Parse(layout, words[0]+" "+words[2]+" "+words[3]+" "+year)
	if err != nil {
		return t, fmt.Errorf("%q is not a time like `12:31:27 Wed 1 Feb 1995`", strings.Join(words, " "))
	}
	return t, nil
}

// parseTime reads a #Time record after its mark:
//
//	12:31:27 Wed  1 Feb 1995 meter Flows from 1 to 3642
func parseTime(text string) (Times, error) {
	var c Times
	words := strings.Fields(text)
	if len(words) != 11 || words[6] != "Flows" || words[7] != "from" || words[9] != "to" {
		return c, errors.New("want a time, a meter and `Flows from t1 to t2` behind #Time")
	}
	var err1, err2, err3 error
	c.Time, err1 = parseClock(words[:5])
	c.Meter = words[5]
	c.From, err2 = strconv.ParseUint(words[8], 10, 64)
	c.To, err3 = strconv.ParseUint(words[10], 10, 64)
	return c, errors.Join(err1, err2, err3)
}

// maxColumns is how many columns a file may have.
const maxColumns = 1024

// parseColumns reads names of letters, digits and '_' and the separators
// between them.
func parseColumns(text string) ([]Column, error) {
	text = strings.TrimLeft(text, " ")
	var cs []Column
	for text != "" {
		n := 0
		for n < len(text) && isNameByte(text[n]) {
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("want a column's name, have %q", text[:min(len(text), 40)])
		}
		if len(cs) == maxColumns {
			return nil, fmt.Errorf("more than %d columns", maxColumns)
		}
		c := Column{Name: text[:n]}
		if a, ok := attr.ByName(c.Name); ok && a.IsColumn() {
			c.Attr = a
		}
		text = text[n:]
		n = 0
		for n < len(text) && !isNameByte(text[n]) {
			n++
		}
		c.Separator = text[:n]
		text = text[n:]
		cs = append(cs, c)
	}
	if len(cs) == 0 {
		return nil, errors.New("no columns")
	}
	cs[len(cs)-1].Separator = ""
	return cs, nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// parseSummary sets the numbers that text gives as `name=number`; other words are
// not ours, and left alone.
func parseSummary(s *record.Summary, text string) error {
	s.More = nil
	if err := parseNumbers(text, allNumbers(s)); err != nil {
		return err
	}
	for word := range strings.FieldsSeq(text) {
		if key, digits, ok := cutNumber(word); ok && isMore(key) {
			n, err := parseNumber(word, digits)
			if err != nil {
				return err
			}
			s.More = append(s.More, record.Number{Name: key, Value: n})
		}
	}
	return nil
}

// parseNumbers sets those numbers that text gives as `name=number`.
func parseNumbers(text string, all numbers) (err error) {
	for word := range strings.FieldsSeq(text) {
		key, digits, ok := cutNumber(word)
		if !ok {
			continue
		}
		all(func(name string, n *uint64) {
			if name == key && err == nil {
				*n, err = parseNumber(word, digits)
			}
		})
	}
	return err
}

// cutNumber splits `name=number`. Interfaces whose names have a = in them once
// stood here without an escape.
func cutNumber(word string) (key, digits string, ok bool) {
	key, digits, ok = cutLast(word, "=")
	return unescape.Replace(key), digits, ok
}

func parseNumber(word, digits string) (uint64, error) {
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		err = fmt.Errorf("%q is not a number", word)
	}
	return n, err
}

// isMore reports whether a number with this name is one of Summary.More.
func isMore(name string) bool {
	switch name {
	case "duplicates", "outliers", "clamped", "sampled-out", "clock-synchronised", "streams", "streams-created", "streams-ended", "unstreamed":
		return true
	}
	return strings.HasPrefix(name, "lost-") || strings.HasPrefix(name, "stamped-") || strings.HasPrefix(name, "duplicates-")
}
