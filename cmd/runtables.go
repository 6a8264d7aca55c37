package cmd

import (
	"fmt"
	"io"
	"slices"
	"time"

	"rtfm/reader/query"
	"rtfm/reader/record"
	"rtfm/reader/table"
	"rtfm/ruleset/match"
)

// tables is a record.Sink that writes tables for people: of each collection one for
// each ruleset.
type tables struct {
	w     io.Writer
	style table.Options
	opts  query.Options
	sets  []tableSet // in order of number
	of    [1 << 8]*query.Top
	c     record.Collection
	form  form // CSV and JSON are for rows that flows are added up in
	iso   bool
	many  bool // there are several collections, each of what its interval counted
	begun bool // there is something above the next table
}

// newTables returns a sink of what rulesets have counted.
// many tells that there may be several collections, zone whose times are shown, nil for
// UTC.
func newTables(w io.Writer, o query.Options, many bool, zone *time.Location) *tables {
	if zone == nil {
		zone = time.UTC
	}
	t := &tables{w: w, many: many, style: styleOf(w), opts: o}
	t.style.Zone = zone
	return t
}

// Differences implements record.Differing.
func (t *tables) Differences() bool { return t.many }

// Begin implements record.Sink.
func (t *tables) Begin(c *record.Collection) error {
	t.c = *c
	t.know(c.RuleSets)
	for _, set := range t.sets {
		set.top.Reset()
		if err := set.top.Begin(c); err != nil {
			return err
		}
	}
	return nil
}

// Flow implements record.Sink.
func (t *tables) Flow(f *match.Flow, counted *record.Counters) error {
	return t.of[f.Shape.RuleSet].Flow(f, counted)
}

// End implements record.Sink.
func (t *tables) End(sum *record.Summary) error {
	for _, set := range t.sets {
		if err := set.top.End(sum); err != nil {
			return err
		}
		tb := set.top.Tables()[0]
		tb.Dated = true
		tb.Title = set.title + ", " + period(t.c.From, t.c.To, t.style.Zone)
		if t.c.Skipped > 0 {
			tb.Title += fmt.Sprintf(", behind %d intervals without packets", t.c.Skipped)
		}
		tb.Notes = append(set.top.KeyNotes(), packetsNote(sum, set.number))
		if err := t.write(tb, set.name); err != nil {
			return err
		}
	}
	return nil
}

// write writes the table of a ruleset.
func (t *tables) write(tb *table.Table, ruleSet string) (err error) {
	defer func() { t.begun = true }()
	if t.form != formTable {
		return t.writeData(tb, ruleSet)
	}
	if t.begun {
		io.WriteString(t.w, "\n")
	}
	return tb.Text(t.w, t.style)
}

// packetsNote says what became of the packets that a ruleset has seen.
func packetsNote(sum *record.Summary, ruleSet int) string {
	var r record.RuleSetSummary
	if i := slices.IndexFunc(sum.RuleSets, func(r record.RuleSetSummary) bool { return r.RuleSet == uint64(ruleSet) }); i >= 0 {
		r = sum.RuleSets[i]
	}
	text := number(r.Packets) + " packets: "
	if r.Packets == 1 {
		text = "1 packet: "
	}
	text += number(r.Counted) + " counted, " + number(r.Ignored) + " ignored, " +
		number(r.Unmatched) + " unmatched, " + number(r.Uncounted) + " uncounted"
	if r.Stopped > 0 {
		text += ", " + number(r.Stopped) + " stopped by a limit of the engine"
	}
	text += "; " + number(sum.Lost) + " lost"
	for _, n := range sum.More {
		switch n.Name {
		case "filtered":
			text += ", " + number(n.Value) + " left out by the filter"
		case "sampled-out":
			text += ", " + number(n.Value) + " not sampled"
		}
	}
	return text
}

// number returns a number as tables have it.
func number(n uint64) string { return table.Count.Show(table.Uint(n)) }

// period returns a time in words.
func period(from, to int64, zone *time.Location) string {
	a, b := time.Unix(0, from).In(zone), time.Unix(0, to).In(zone)
	clock := func(t time.Time) string {
		if t.Nanosecond() == 0 {
			return t.Format(time.TimeOnly)
		}
		return t.Format(time.TimeOnly + ".000")
	}
	day := ""
	if a.Format(time.DateOnly) != b.Format(time.DateOnly) {
		day = b.Format(time.DateOnly) + " "
	}
	return a.Format(time.DateOnly) + " " + clock(a) + " to " + day + clock(b) + b.Format(" MST")
}
