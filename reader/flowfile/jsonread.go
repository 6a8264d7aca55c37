package flowfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/spell"
)

// maxJSONLine is the length of the longest line of JSON that is read, in octets:
// distributions may have many counters.
const maxJSONLine = 1 << 24

// jsonRecord is a record of JSON lines that is not a flow's.
type jsonRecord struct {
	Record string `json:"record"`

	Version    string   `json:"version"`
	Parameters string   `json:"parameters"`
	Meter      string   `json:"meter"`
	Interfaces []string `json:"interfaces"`
	MaxFlows   int      `json:"maxFlows"`
	StartNs    int64    `json:"startNs"`
	EpochNs    int64    `json:"epochNs"`
	Format     string   `json:"format"`
	Statistics *bool    `json:"statistics"`

	Boot    string `json:"boot"`
	From    uint64 `json:"from"`
	To      uint64 `json:"to"`
	EndNs   int64  `json:"endNs"`
	ClockNs int64  `json:"clockNs"`

	Postponed int `json:"postponed"`

	Collections int `json:"collections"`

	end []byte // of the record of an end: all of it
}

// jsonSource reads JSON lines.
type jsonSource struct {
	lines  lines
	b      builder
	record jsonRecord
	fields map[string]*field
	order  []*field // as they stood in the line before
	lead   jsonLead
}

// jsonLead is what the line before began with, up to the first member that tells of
// more than the ruleset and the interval: most lines begin like the one before.
type jsonLead struct {
	line    []byte
	members int
	raw     []byte // for builder
	ruleSet int
}

// newFlowSource returns what reads single records of flows.
func newFlowSource() *jsonSource {
	return &jsonSource{b: builder{deltas: deltaBits}, fields: make(map[string]*field)}
}

func newJSONSource(r *bufio.Reader) *jsonSource {
	s := newFlowSource()
	s.lines = newLines(r, maxJSONLine)
	return s
}

func (s *jsonSource) line() int         { return s.lines.number }
func (s *jsonSource) told() *jsonRecord { return &s.record }
func (s *jsonSource) builder() *builder { return &s.b }

// next implements rowSource.
func (s *jsonSource) next() (event, error) {
	for {
		line, err := s.lines.next()
		if err != nil {
			return eventNone, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		e, err := s.parse(line)
		if err != nil {
			if !s.lines.whole {
				err = errCut
			}
			err = &SyntaxError{s.lines.number, err.Error()}
		}
		return e, err
	}
}

var errCut = errors.New("the line is cut off: it has no end")

// parse reads a line.
func (s *jsonSource) parse(line []byte) (event, error) {
	if isJSONFlow(line) {
		return eventFlow, s.flow(line)
	}
	s.record = jsonRecord{}
	if err := json.Unmarshal(line, &s.record); err != nil {
		return eventNone, fmt.Errorf("no object of JSON: %w", err)
	}
	switch s.record.Record {
	case "header":
		return eventHeader, nil
	case "start":
		return eventStart, nil
	case "flow":
		return eventFlow, s.flow(line)
	case "end":
		s.record.end = line
		return eventEnd, nil
	case "skipped":
		return eventSkipped, nil
	}
	return eventNone, fmt.Errorf("%q is no kind of record: want header, start, flow, end or skipped as \"record\"", s.record.Record)
}

// isJSONFlow reports whether a line is a flow's as we write it.
func isJSONFlow(line []byte) bool { return bytes.HasPrefix(line, []byte(jsonFlow)) }

// flow gives the builder the members of an object.
func (s *jsonSource) flow(line []byte) error {
	line = bytes.TrimSpace(line)
	s.b.begin()
	rest, n := line[1:], 0
	leads := true
	if l := &s.lead; len(l.line) > 0 && bytes.HasPrefix(line, l.line) {
		rest, n, leads = line[len(l.line):], l.members, false
		s.b.raw, s.b.row.ruleSet = append(s.b.raw, l.raw...), l.ruleSet
	}
	for ; ; n++ {
		at := len(line) - len(rest)
		name, after, err := member(rest)
		if err != nil {
			return err
		}
		f, err := s.field(n, name)
		if err != nil {
			return err
		}
		if leads && f.kind != fieldIdentity && f.attr != attr.FlowRuleSet && f.name != "record" {
			s.lead = jsonLead{append(s.lead.line[:0], line[:at]...), n, append(s.lead.raw[:0], s.b.raw...), s.b.row.ruleSet}
			leads = false
		}
		value, after, err := jsonValue(after)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := s.set(f, value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		after = skipSpace(after)
		if len(after) == 1 && after[0] == '}' {
			return nil
		}
		if len(after) == 0 || after[0] != ',' {
			return errors.New("want a comma, or a brace that ends the object and the line")
		}
		rest = after[1:]
	}
}

// member returns the name with which an object goes on, and what follows its colon.
func member(rest []byte) (name, after []byte, err error) {
	rest = skipSpace(rest)
	name, after, err = jsonValue(rest)
	if err != nil || rest[0] != '"' {
		return nil, nil, errors.New("want the name of a member in quotation marks")
	}
	if after = skipSpace(after); len(after) == 0 || after[0] != ':' {
		return nil, nil, fmt.Errorf("want a colon behind %s", shown(name))
	}
	return name[1 : len(name)-1], skipSpace(after[1:]), nil
}

// field returns the field of the n-th member, which mostly is the same in all lines.
// The fields in order are those of the line so far, each there once.
func (s *jsonSource) field(n int, name []byte) (*field, error) {
	if n < len(s.order) && s.order[n].name == string(name) {
		return s.order[n], nil
	}
	f := s.fields[string(name)]
	if f == nil {
		known, ok := fieldOf(string(name))
		if !ok && string(name) != "record" {
			return nil, errors.New(spell.Unknown("column", string(shown(name)), columnNames()))
		}
		f = &known
		s.fields[f.name] = f
	}
	if n < s.lead.members {
		s.lead.line = s.lead.line[:0]
	}
	if s.order = s.order[:n]; slices.Contains(s.order, f) {
		return nil, fmt.Errorf("%s stands there twice", f.name)
	}
	s.order = append(s.order, f)
	return f, nil
}

// set gives the builder a value.
func (s *jsonSource) set(f *field, value []byte) error {
	switch {
	case string(value) == "null" && f.attr.Form() == attr.FormDigest:
		return s.b.statistic(f.attr, []byte("-"))
	case f.kind == fieldIgnored, string(value) == "null":
		return nil
	case value[0] == '{' && f.attr.Form() != attr.FormBuckets:
		return s.statistic(f.attr, value)
	case f.kind == fieldDistribution && value[0] == '{':
		return s.distribution(f.attr, value)
	case value[0] == '"':
		if bytes.IndexByte(value, '\\') >= 0 {
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
			return s.b.set(f, []byte(text))
		}
		if len(value) == 2 && f.kind == fieldSaved {
			return nil // as addresses that packets did not have once were written
		}
		return s.b.set(f, value[1:len(value)-1])
	}
	return s.b.set(f, value)
}

// distribution reads a distribution.
func (s *jsonSource) distribution(a attr.Attr, value []byte) error {
	var mask, bounds, counters, delta []byte
	err := members(value, func(name, value []byte) error {
		switch string(name) {
		case "mask":
			mask = value
		case "value":
			bounds = value
		case "counters":
			counters = value
		case "delta":
			if string(value) == "null" {
				return nil
			}
			return members(value, func(name, value []byte) error {
				if string(name) == "counters" {
					delta = value
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	f := s.b.of(a)
	if err := s.b.parameters(f, unquoted(mask), unquoted(bounds)); err != nil {
		return err
	}
	if counters, err = listed(counters); err != nil {
		return err
	}
	if err := s.b.counters(f, counters, ','); err != nil || delta == nil {
		return err
	}
	if delta, err = listed(delta); err == nil {
		f.delta, err = s.b.list(delta, ',')
	}
	return err
}

// members calls yield for each member of an object.
func members(object []byte, yield func(name, value []byte) error) error {
	if len(object) == 0 || object[0] != '{' {
		return fmt.Errorf("%q is no object", shown(object))
	}
	for rest := object[1:]; ; {
		name, after, err := member(rest)
		if err != nil {
			return err
		}
		value, after, err := jsonValue(after)
		if err == nil {
			err = yield(name, value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", shown(name), err)
		}
		after = skipSpace(after)
		if len(after) == 1 && after[0] == '}' {
			return nil
		}
		if len(after) == 0 || after[0] != ',' {
			return errors.New("want a comma, or a brace that ends the object")
		}
		rest = after[1:]
	}
}

// unquoted returns a text without its quotation marks.
func unquoted(text []byte) []byte { return bytes.Trim(text, `"`) }

// listed returns what stands in a list.
func listed(text []byte) ([]byte, error) {
	if n := len(text); n > 2 && text[0] == '[' && text[n-1] == ']' {
		return text[1 : n-1], nil
	}
	return nil, fmt.Errorf("%q is no list of counters", shown(text))
}

// jsonValue returns the value with which a text begins, and what follows it. Of
// numbers and words it is not known whether they are some.
func jsonValue(text []byte) (value, after []byte, err error) {
	if len(text) == 0 {
		return nil, nil, errors.New("want a value")
	}
	end := 0
	switch text[0] {
	case '"':
		end = stringEnd(text)
	case '{', '[':
		end = nestedEnd(text)
	default:
		for end < len(text) && text[end] != ',' && text[end] != '}' && text[end] != ' ' {
			end++
		}
	}
	if end <= 0 {
		return nil, nil, fmt.Errorf("%q is not a value", shown(text))
	}
	return text[:end], text[end:], nil
}

// stringEnd returns where the string ends with which a text begins, 0 if it does not.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		n := bytes.IndexByte(text[i:], '"')
		if n < 0 {
			return 0
		}
		escape := bytes.IndexByte(text[i:i+n], '\\')
		if escape < 0 {
			return i + n + 1
		}
		i += escape + 1 // and what it stands before
	}
	return 0
}

// nestedEnd returns where the object or array ends with which a text begins, 0 if it
// does not.
func nestedEnd(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			n := stringEnd(text[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// skipSpace returns a text without the blanks with which it begins.
func skipSpace(text []byte) []byte { return bytes.TrimLeft(text, " \t") }

// columnNames returns the names of all columns that rows may have.
func columnNames() (names []string) {
	for _, c := range slices.Concat(record.Identity(), record.Texts()) {
		names = append(names, c.Name)
	}
	for _, in := range attr.All() {
		if in.Class == attr.ClassStatistic {
			names = append(names, partColumns(in.Attr)...)
		}
		if in.Attr.IsColumn() {
			names = append(names, in.Name)
		}
	}
	return names
}

// summary sets what the record of an end tells.
func (j *jsonRecord) summary(s *record.Summary) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(j.end, &all); err != nil {
		return err
	}
	set := func(from map[string]json.RawMessage, numbers numbers) (err error) {
		numbers(func(name string, n *uint64) {
			if raw, ok := from[name]; ok && err == nil {
				if *n, ok = parseUint(raw); !ok {
					err = fmt.Errorf("%s: %w", name, numberFault(raw, 64))
				}
			}
		})
		return err
	}
	for _, name := range jsonNames(j.end) {
		if isMore(name) {
			s.More = append(s.More, record.Number{Name: name})
		}
	}
	if err := set(all, func(yield func(string, *uint64)) { allNumbers(s)(yield) }); err != nil {
		return err
	}
	s.Known = record.KnownFlows
	if _, ok := all["packets"]; ok {
		s.Known = record.KnownAll
	} else if _, ok := all["lost"]; ok {
		s.Known = record.KnownLoss
	}
	var sets []map[string]json.RawMessage
	if raw, ok := all["rulesets"]; ok {
		if err := json.Unmarshal(raw, &sets); err != nil {
			return fmt.Errorf("rulesets: %w", err)
		}
	}
	for _, from := range sets {
		var rs record.RuleSetSummary
		collected := uint64(0)
		err := set(from, func(yield func(string, *uint64)) {
			ruleSetNumbers(&rs)(yield)
			yield("collected", &collected)
		})
		if err != nil {
			return fmt.Errorf("rulesets: %w", err)
		}
		if _, ok := from["collected"]; ok {
			rs.Collected = &collected
		}
		s.RuleSets = append(s.RuleSets, rs)
	}
	return nil
}

// jsonNames returns the names of an object's members, in their order.
func jsonNames(object []byte) (names []string) {
	d := json.NewDecoder(bytes.NewReader(object))
	depth := 0
	isName := false
	for {
		token, err := d.Token()
		if err != nil {
			return names
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				depth++
			} else {
				depth--
			}
			isName = depth == 1
		case string:
			if depth == 1 && isName {
				names = append(names, t)
				isName = false
				continue
			}
			isName = depth == 1
		default:
			isName = depth == 1
		}
	}
}
