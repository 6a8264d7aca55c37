package cmd

import (
	"fmt"
	"strconv"

	"rtfm/reader/flowfile"
	"rtfm/ruleset/attr"
)

// cellOf returns what the table has of a value.
func cellOf(rec *flowfile.Record, a attr.Attr, text string) (string, error) {
	if !a.IsMeasure() {
		return text, nil
	}
	if a.Form() == attr.FormBuckets {
		d, counters, err := rec.Distribution(a)
		return summaryOf(&d, counters), err
	}
	numbers, err := rec.Statistic(a)
	if numbers == nil {
		return "-", err
	}
	return statisticOf(a.Form(), numbers, text), nil
}

// statisticOf returns a statistic as one word: what it comes to, or its text.
func statisticOf(form attr.Form, numbers []uint64, text string) string {
	word := "n=" + strconv.FormatUint(numbers[0], 10)
	switch form {
	case attr.FormStats:
		if mean, ok := attr.Mean(numbers); ok {
			word += ",mean=" + strconv.FormatFloat(mean, 'f', 1, 64)
		}
		if deviation, ok := attr.Deviation(numbers); ok {
			word += ",sd=" + strconv.FormatFloat(deviation, 'f', 1, 64)
		}
		if numbers[attr.StatCount] > 0 {
			word += fmt.Sprintf(",min=%d,max=%d", numbers[attr.StatMin], numbers[attr.StatMax])
		}
		return word
	case attr.FormRange:
		if numbers[attr.RangeCount] == 0 {
			return word
		}
		return fmt.Sprintf("%s,min=%d,max=%d", word, numbers[attr.RangeMin], numbers[attr.RangeMax])
	case attr.FormFlags:
		return attr.FlagLetters(uint8(numbers[0]))
	}
	return text
}

// summaryOf returns count, mean and quantiles of a distribution as one word.
func summaryOf(d *attr.Measure, counters []uint64) string {
	if counters == nil {
		return "-"
	}
	limits := d.Limits()
	s := attr.Summarise(limits, counters)
	text := "n=" + strconv.FormatUint(s.Count, 10)
	if s.Count == 0 {
		return text
	}
	text += ",mean=" + strconv.FormatFloat(s.Mean, 'f', 1, 64)
	for i, percent := range attr.Quantiles {
		limit := strconv.FormatUint(s.Quantiles[i], 10)
		if s.Quantiles[i] == attr.Overflow {
			limit = ">" + strconv.FormatUint(limits[len(limits)-1], 10)
		}
		text += fmt.Sprintf(",p%d=%s", percent, limit)
	}
	return text
}
