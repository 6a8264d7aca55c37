package seriesfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rtfm/meter/series"
)

// How JSON lines and CSV of series begin.
const (
	jsonStart = `{"record":"` + recordSeries + `",`
	gapStart  = `{"record":"` + recordGap + `",`
	csvStart  = "IntervalStartNs,IntervalEndNs,FlowRuleSet,RuleSetName,Interface,InterfaceName,"
)

// Is reports whether a file that begins like this is one of a series.
func Is(start []byte) bool {
	return bytes.HasPrefix(start, []byte(jsonStart)) || bytes.HasPrefix(start, []byte(gapStart)) || bytes.HasPrefix(start, []byte(csvStart))
}

// StartLen is how much of a file Is must see.
const StartLen = len(csvStart)

// mostLine is the longest line that is read, in octets, and mostRows are the most rows
// of an interval: some three times what a meter can have.
const (
	mostLine = 1 << 16
	mostRows = 1 << 12
)

// Reader reads intervals.
type Reader struct {
	lines *bufio.Scanner
	line  int   // lines read
	names []int // CSV: by field, the place of its name among those of fieldNames
	next  line
	ahead bool // next has the first row of the next interval
	read  uint64
}

// NewReader returns a Reader.
func NewReader(r io.Reader) *Reader {
	s := bufio.NewScanner(r)
	s.Buffer(nil, mostLine)
	return &Reader{lines: s}
}

// line is what a line tells.
type line struct {
	Record        string `json:"record"`
	From          int64  `json:"IntervalStartNs"`
	To            int64  `json:"IntervalEndNs"`
	FlowRuleSet   *int
	RuleSetName   string
	Interface     *uint32
	InterfaceName string
	PDUs          uint64
	Octets        uint64
	Ignored       uint64
	Unmatched     uint64
	Stopped       uint64
	Uncounted     uint64
	ActiveFlows   uint64
	NewFlows      uint64
	Flows         uint64
	Filtered      uint64
	Lost          uint64
}

// Next returns the next interval, io.EOF behind the last. What it returns stays as it
// is. Other errors say in which line something is wrong.
func (r *Reader) Next() (*series.Interval, error) {
	if !r.ahead {
		if err := r.readLine(); err != nil {
			return nil, err
		}
	}
	r.read++
	i := &series.Interval{Number: r.read, From: r.next.From, To: r.next.To}
	for {
		r.ahead = false
		if r.next.FlowRuleSet == nil && r.next.Interface == nil {
			return i, nil // a gap
		}
		if len(i.Rows) == mostRows {
			return nil, fmt.Errorf("line %d: its interval has more than %d rows", r.line, mostRows)
		}
		i.Rows = append(i.Rows, r.next.row())
		err := r.readLine()
		switch {
		case err == io.EOF:
			return i, nil
		case err != nil:
			return nil, err
		}
		r.ahead = true
		if r.next.From != i.From || r.next.FlowRuleSet == nil && r.next.Interface == nil {
			return i, nil
		}
	}
}

// row returns the row that the line tells of.
func (l *line) row() series.Row {
	row := series.Row{
		PDUs: l.PDUs, Octets: l.Octets, Ignored: l.Ignored, Unmatched: l.Unmatched, Stopped: l.Stopped, Uncounted: l.Uncounted,
		ActiveFlows: l.ActiveFlows, NewFlows: l.NewFlows, Flows: l.Flows, Filtered: l.Filtered, Lost: l.Lost,
	}
	if l.FlowRuleSet != nil {
		row.RuleSet, row.Name = *l.FlowRuleSet, valid(l.RuleSetName)
	} else {
		row.Interface, row.Name = *l.Interface, valid(l.InterfaceName)
	}
	return row
}

// readLine reads the next line.
func (r *Reader) readLine() error {
	if !r.lines.Scan() {
		if err := r.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			return fmt.Errorf("line %d: it is longer than %d octets", r.line+1, mostLine)
		} else if err != nil {
			return err
		}
		return io.EOF
	}
	r.line++
	text := r.lines.Bytes()
	if r.line == 1 && bytes.HasPrefix(text, []byte(csvStart)) {
		r.names = fieldNames(text)
		return r.readLine()
	}
	r.next = line{}
	var err error
	if r.names != nil {
		err = r.next.parseCSV(text, r.names)
	} else {
		err = r.next.parseJSON(text)
	}
	if err == nil {
		err = r.next.check()
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", r.line, err)
	}
	return nil
}

// check finds numbers that are none of a series.
func (l *line) check() error {
	switch {
	case l.From < 0 || l.To <= l.From:
		return fmt.Errorf("the interval from %d to %d is none", l.From, l.To)
	case l.FlowRuleSet != nil && l.Interface != nil:
		return errors.New("it has both FlowRuleSet and Interface")
	case l.FlowRuleSet != nil && *l.FlowRuleSet < 1:
		return fmt.Errorf("no ruleset has number %d", *l.FlowRuleSet)
	}
	return nil
}

func (l *line) parseJSON(text []byte) error {
	if err := json.Unmarshal(text, l); err != nil {
		return err
	}
	if l.Record != recordSeries && l.Record != recordGap {
		return fmt.Errorf("its record is %q: want %q or %q", l.Record, recordSeries, recordGap)
	}
	return nil
}

// fieldNames returns for each field of CSV's header its place among columns, -1 if it
// is none of them.
func fieldNames(header []byte) (places []int) {
	for name := range strings.SplitSeq(strings.TrimRight(string(header), "\r"), ",") {
		at := -1
		for i := range columns {
			if columns[i].Name == name {
				at = i
			}
		}
		places = append(places, at)
	}
	return places
}

func (l *line) parseCSV(text []byte, names []int) error {
	fields, err := csv.NewReader(bytes.NewReader(text)).Read()
	if err != nil {
		return err
	}
	if len(fields) != len(names) {
		return fmt.Errorf("it has %d fields, the header %d", len(fields), len(names))
	}
	to := []any{
		nil, &l.From, &l.To, &l.FlowRuleSet, &l.RuleSetName, &l.Interface, &l.InterfaceName, &l.PDUs, &l.Octets, &l.Ignored, &l.Unmatched,
		&l.Stopped, &l.Uncounted, &l.ActiveFlows, &l.NewFlows, &l.Flows, &l.Filtered, &l.Lost,
	}
	for i, text := range fields {
		if names[i] < 0 || text == "" {
			continue
		}
		if err := setField(to[names[i]], text); err != nil {
			return fmt.Errorf("%s: %w", columns[names[i]].Name, err)
		}
	}
	return nil
}

// setField sets what to points to.
func setField(to any, text string) (err error) {
	switch to := to.(type) {
	case *string:
		*to = text
	case *int64:
		*to, err = strconv.ParseInt(text, 10, 64)
	case *uint64:
		*to, err = strconv.ParseUint(text, 10, 64)
	case **int:
		*to = new(int)
		**to, err = strconv.Atoi(text)
	case **uint32:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 32)
		*to = new(uint32)
		**to = uint32(n)
	}
	return err
}

// valid returns a name as JSON has it: what is no UTF-8 in it is replaced.
func valid(name string) string { return strings.ToValidUTF8(name, "\ufffd") }
