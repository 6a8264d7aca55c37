package live

import (
	"encoding/json"
	"strconv"

	"rtfm/meter/series"
	"rtfm/reader/table"
)

// Schema is the number of the objects that AppendJSON makes.
const Schema = 1

// AppendJSON appends the interval as an object of JSON on one line: what `rtfm top
// --json` prints and the page gets. Numbers are exact; those above 2^53, which readers
// of JSON may not hold, and all times are strings of digits.
func (i *Interval) AppendJSON(b []byte) []byte {
	if i.packed != nil {
		return i.packed.appendText(b)
	}
	return i.appendJSON(b)
}

// Deflated returns what AppendJSON appends, in blocks of deflate (RFC 1951) of which none
// is the final one and none refers to what stands before. It must not be changed.
func (i *Interval) Deflated() []byte {
	if i.packed != nil {
		return i.packed
	}
	return pack(i.appendJSON(nil))
}

// exact is a number that is a string if it is too large for a float64.
type exact uint64

func (n exact) MarshalJSON() ([]byte, error) {
	if n <= 1<<53 {
		return strconv.AppendUint(nil, uint64(n), 10), nil
	}
	return strconv.AppendQuote(nil, strconv.FormatUint(uint64(n), 10)), nil
}

type lossJSON struct {
	Lost      exact `json:"lost"`
	Uncounted exact `json:"uncounted"`
	Ignored   exact `json:"ignored"`
	Unmatched exact `json:"unmatched"`
	Stopped   exact `json:"stopped"`
	Unknown   exact `json:"unknown"`
}

type columnJSON struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

type packetsJSON struct {
	Seen    exact `json:"seen"`
	Counted exact `json:"counted"`
}

type othersJSON struct {
	Flows  int   `json:"flows"`
	Values []any `json:"values"`
}

type sectionJSON struct {
	Number  int          `json:"number"`
	Name    string       `json:"name"`
	Columns []columnJSON `json:"columns"`
	Rows    [][]any      `json:"rows"`
	Others  othersJSON   `json:"others"`
	Total   []any        `json:"total"`
	Packets packetsJSON  `json:"packets"`
}

type spreadJSON struct {
	RuleSet   int     `json:"ruleset"`
	Attribute string  `json:"attribute"`
	Unit      string  `json:"unit"`
	Limits    []exact `json:"limits"`
	Counters  []exact `json:"counters"`
}

// secondJSON is an interval of a series: rows of rulesets, which have flows, and of
// interfaces, which have losses.
type secondJSON struct {
	From string      `json:"from"`
	To   string      `json:"to"`
	Rows []seriesRow `json:"rows"`
}

type seriesRow struct {
	RuleSet   int     `json:"ruleset,omitempty"`
	Interface *uint32 `json:"interface,omitempty"`
	Name      string  `json:"name"`
	PDUs      exact   `json:"pdus"`
	Octets    exact   `json:"octets"`
	Active    *exact  `json:"active,omitempty"`
	New       *exact  `json:"new,omitempty"`
	Flows     *exact  `json:"flows,omitempty"`
	Filtered  *exact  `json:"filtered,omitempty"`
	Lost      *exact  `json:"lost,omitempty"`
}

// secondOf returns an interval of a series as JSON has it.
func secondOf(i *series.Interval) secondJSON {
	to := secondJSON{strconv.FormatInt(i.From, 10), strconv.FormatInt(i.To, 10), []seriesRow{}}
	number := func(n uint64) *exact { return (*exact)(&n) }
	for k := range i.Rows {
		r := &i.Rows[k]
		row := seriesRow{RuleSet: r.RuleSet, Name: r.Name, PDUs: exact(r.PDUs), Octets: exact(r.Octets)}
		if r.IsInterface() {
			row.Interface, row.Filtered, row.Lost = &r.Interface, number(r.Filtered), number(r.Lost)
		} else {
			row.Active, row.New, row.Flows = number(r.ActiveFlows), number(r.NewFlows), number(r.Flows)
		}
		to.Rows = append(to.Rows, row)
	}
	return to
}

type intervalJSON struct {
	Schema   int           `json:"schema"`
	Meter    string        `json:"meter"`
	Boot     string        `json:"boot"`
	From     string        `json:"from"`
	To       string        `json:"to"`
	First    bool          `json:"first"`
	Skipped  int           `json:"skipped"`
	Loss     lossJSON      `json:"loss"`
	RuleSets []sectionJSON `json:"rulesets"`
	Spreads  []spreadJSON  `json:"distributions"`
	Seconds  []secondJSON  `json:"series,omitempty"`
}

func (i *Interval) appendJSON(b []byte) []byte {
	l := i.Loss
	to := intervalJSON{
		Schema: Schema, Meter: i.Meter, Boot: i.Boot, First: i.First, Skipped: i.Skipped,
		From: strconv.FormatInt(i.From, 10), To: strconv.FormatInt(i.To, 10),
		Loss:     lossJSON{exact(l.Lost), exact(l.Uncounted), exact(l.Ignored), exact(l.Unmatched), exact(l.Stopped), exact(l.Unknown)},
		RuleSets: []sectionJSON{}, Spreads: []spreadJSON{},
	}
	for k := range i.Sections {
		to.RuleSets = append(to.RuleSets, i.Sections[k].json())
	}
	for k := range i.Spreads {
		s := &i.Spreads[k]
		to.Spreads = append(to.Spreads, spreadJSON{s.RuleSet, s.Measure.Attr.String(), s.Measure.Attr.Unit(), exacts(s.Limits), exacts(s.Counters)})
	}
	for k := range i.Seconds {
		to.Seconds = append(to.Seconds, secondOf(&i.Seconds[k]))
	}
	text, err := json.Marshal(&to)
	if err != nil {
		panic(err) // there is nothing in it that cannot be marshalled
	}
	return append(b, text...)
}

func (s *Section) json() sectionJSON {
	t := s.Table
	to := sectionJSON{
		Number: s.Number, Name: s.Name, Rows: [][]any{}, Others: othersJSON{t.NumOthers, cells(t, t.Others)},
		Total: cells(t, t.Total), Packets: packetsJSON{exact(s.Packets.Packets), exact(s.Packets.Counted)},
	}
	for _, c := range t.Columns {
		to.Columns = append(to.Columns, columnJSON{c.Name, c.Kind.String()})
	}
	for _, row := range t.Rows {
		to.Rows = append(to.Rows, cells(t, row))
	}
	return to
}

// cells returns a row as JSON has it: null for nothing, a value for each column.
func cells(t *table.Table, row []table.Value) []any {
	to := make([]any, len(t.Columns))
	for i := range to {
		if i >= len(row) || row[i].IsNothing() {
			continue
		}
		text := row[i].Exact()
		switch {
		case !row[i].IsNumber(), t.Columns[i].Kind == table.Time || t.Columns[i].Kind == table.Duration:
			to[i] = text
		default:
			if n, err := strconv.ParseUint(text, 10, 64); err == nil {
				to[i] = exact(n)
			} else {
				to[i] = json.Number(text)
			}
		}
	}
	return to
}

func exacts(numbers []uint64) []exact {
	to := make([]exact, len(numbers))
	for i, n := range numbers {
		to[i] = exact(n)
	}
	return to
}
