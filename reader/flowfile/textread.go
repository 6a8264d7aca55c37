package flowfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// textCollections reads the collections of text.
type textCollections struct {
	r       *Reader
	next    *Record // that begins the next collection, or ends the file
	skipped int     // collections passed over just before it
	to      int64   // the end of the collection before, 0 if there is none
	uptime  uint64  // the same as Uptime
	epoch   int64   // 0 before the first collection behind a header
	builder builder
	head    *Head
	plan    textPlan
	ahead   ahead
}

// newTextCollections returns the collections of r.
func newTextCollections(r *bufio.Reader) *textCollections {
	c := &textCollections{r: newReader(r), builder: builder{zero: true}}
	c.ahead = ahead{lines: &c.r.lines, isFlow: startsRecord, parser: func() flowParser {
		return &textParser{plan: &c.plan, b: builder{zero: true}}
	}}
	return c
}

// textParser parses lines of text. It is a flowParser.
type textParser struct {
	plan *textPlan
	b    builder
}

func (p *textParser) builder() *builder { return &p.b }

func (p *textParser) flow(line []byte) error {
	return p.plan.split(bytes.TrimRight(line, " \r"), &p.b)
}

// textPlan says what becomes of the values of a line.
type textPlan struct {
	columns []Column
	fields  []field
	blanks  []bool // any number of blanks stands behind the value
	ends    [][]byte
}

// Next returns the next collection.
func (c *textCollections) Next() (record.From, error) {
	for {
		rec := c.next
		c.next = nil
		if rec == nil {
			var err error
			if rec, err = c.r.Next(); err != nil {
				return nil, err
			}
		}
		switch rec.Kind {
		case KindHeader:
			c.to, c.uptime, c.epoch, c.head = 0, 0, 0, nil
		case KindFormat:
			c.head = nil
		case KindComment:
			c.skipped += skippedIn(rec.Text)
		case KindTime:
			return c.collection(rec)
		case KindFlow:
			return nil, &SyntaxError{rec.Line, "a flow record outside a collection, which begins with #Time"}
		}
	}
}

// Head returns what is known of the file beside collections.
func (c *textCollections) Head() *Head { return c.head }

// skippedIn returns how many collections a comment says were passed over.
func skippedIn(comment string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(comment, "# "), skippedWords))
	return max(n, 0)
}

// skippedWords follow the number of collections that were passed over.
const skippedWords = " empty collections passed over"

func (c *textCollections) collection(rec *Record) (record.From, error) {
	if c.head == nil {
		c.head = &Head{Header: rec.Header, Format: formatOf(rec.Columns)}
		c.plan.set(rec.Columns)
	}
	t := rec.Collection
	if c.epoch == 0 || t.To < c.uptime {
		c.epoch = epochOf(rec.Header.Start, &t)
	}
	f := &fromText{all: c, c: record.Collection{
		Meter: t.Meter, Skipped: c.skipped, Epoch: c.epoch, To: instant(c.epoch, t.To), Clock: t.Time.UnixNano(),
	}}
	switch {
	case c.to != 0 && t.To >= c.uptime && t.From > 1:
		f.c.From = c.to
	case t.From <= 1:
		f.c.First, f.c.From = true, f.c.Epoch
	default:
		f.c.From = instant(f.c.Epoch, t.From+1)
	}
	if f.c.From = min(f.c.From, f.c.To); len(rec.Columns) > 0 {
		have := c.plan.have()
		f.c.Missing, c.builder.deltas = missing(have), have&deltaBits
	}
	c.to, c.uptime, c.skipped, c.builder.epoch = f.c.To, t.To, 0, f.c.Epoch
	return f, nil
}

// epochOf returns when the meter's Uptime was 0. Files of ours begin with the second
// of that. NeMaC wrote when it began itself: then the time of the first collection
// tells, to about half a second.
func epochOf(start time.Time, t *Times) int64 {
	epoch := t.Time.UnixNano() - instant(0, t.To)
	if !start.IsZero() {
		if d := epoch - start.UnixNano(); d > -1e9 && d < 1e9 {
			return start.UnixNano()
		}
	}
	return epoch + 5e8
}

// instant returns the time of an Uptime in centiseconds, the last there is if it
// is later.
func instant(epoch int64, uptime uint64) int64 {
	if uptime > uint64(math.MaxInt64-max(epoch, 0))/match.Centisecond {
		return math.MaxInt64
	}
	return epoch + int64(uptime)*match.Centisecond
}

// formatOf returns those columns that are attributes.
func formatOf(columns []Column) *ruleset.Format {
	f := &ruleset.Format{}
	for _, c := range columns {
		if c.Attr != attr.Null {
			f.Fields = append(f.Fields, ruleset.Field{Attr: c.Attr, Separator: c.Separator})
		}
	}
	if n := len(f.Fields); n > 0 {
		f.Fields[n-1].Separator = " "
	}
	if f.Check() != nil {
		return nil
	}
	return f
}

// set makes a plan for these columns.
func (p *textPlan) set(columns []Column) {
	*p = textPlan{columns: columns}
	for _, c := range columns {
		f := field{name: c.Name}
		if c.Attr != attr.Null {
			f = attributeField(c.Name, c.Attr)
		}
		p.fields = append(p.fields, f)
		p.blanks = append(p.blanks, strings.Trim(c.Separator, " ") == "")
		p.ends = append(p.ends, []byte(c.Separator))
	}
}

// have returns which of told the columns have.
func (p *textPlan) have() (have uint16) {
	for i := range p.fields {
		if p.fields[i].kind == fieldMeasured {
			have |= p.fields[i].place
		}
	}
	return have
}

// split gives a builder the values of a line.
func (p *textPlan) split(line []byte, b *builder) error {
	if len(p.fields) == 0 {
		return errors.New("a flow record before #Format")
	}
	b.begin()
	for i := range p.fields {
		f := &p.fields[i]
		value := line
		if i < len(p.fields)-1 {
			var ok bool
			if p.blanks[i] {
				value, line = cutBlanks(line)
				ok = len(line) > 0
			} else {
				value, line, ok = bytes.Cut(line, p.ends[i])
			}
			if !ok {
				return fmt.Errorf("%d values, #Format has %d", i+1, len(p.fields))
			}
		}
		if len(value) == 0 && f.attr != attr.Null {
			return fmt.Errorf("%s: it is empty", f.name)
		}
		if err := b.set(f, value); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// cutBlanks splits a line at its first blanks. Most values are shorter than what a
// search for one octet takes.
func cutBlanks(line []byte) (value, rest []byte) {
	n := 0
	for n < len(line) && line[n] != ' ' {
		n++
	}
	value = line[:n]
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return value, line[n:]
}

// fromText is a collection of text. It is a record.From.
type fromText struct {
	all   *textCollections
	c     record.Collection
	flows uint64
	sum   record.Summary
}

// Collection implements record.From.
func (f *fromText) Collection() *record.Collection { return &f.c }

// Flows implements record.From.
func (f *fromText) Flows(put func(*match.Flow, *record.Counters) error) error {
	f.sum.Known = record.KnownFlows
	stats := false
	for {
		if err := f.ahead(put); err != nil {
			return err
		}
		if line, ok := f.all.r.flowLine(); ok {
			if err := f.flow(line, put); err != nil {
				return err
			}
			continue
		}
		rec, err := f.all.r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch rec.Kind {
		case KindFlow:
			if err := f.flow([]byte(rec.Text), put); err != nil {
				return err
			}
		case KindFormat:
			if !slices.Equal(rec.Columns, f.all.plan.columns) {
				return &SyntaxError{rec.Line, "the columns change within a collection"}
			}
		case KindStats:
			rec.Summary.RuleSets = f.sum.RuleSets
			f.sum = rec.Summary
			stats = hasNumber(rec.Text, "packets")
		case KindRuleSet:
			f.sum.RuleSets = append(f.sum.RuleSets, rec.Summary.RuleSets...)
		case KindEnd:
			return f.end(rec, stats)
		case KindIncomplete:
			return fmt.Errorf("%w: line %d", ErrIncomplete, rec.Line)
		case KindTime, KindHeader: // of files that have no #EndData
			f.all.next = rec
			return nil
		}
	}
}

// ahead passes flows on that can be parsed ahead.
func (f *fromText) ahead(put func(*match.Flow, *record.Counters) error) error {
	if f.all.r.peeked != nil {
		return nil
	}
	return f.all.ahead.run(&f.all.builder, func(p *parsed) (bool, error) {
		f.flows++
		return true, put(&p.flow, p.counters())
	})
}

// flow passes the flow of a line on.
func (f *fromText) flow(line []byte, put func(*match.Flow, *record.Counters) error) error {
	b := &f.all.builder
	err := f.all.plan.split(line, b)
	if err == nil {
		flow, counted, builderErr := b.flow()
		if builderErr == nil {
			f.flows++
			return put(flow, counted)
		}
		err = builderErr
	}
	return &SyntaxError{f.all.r.line, err.Error()}
}

// end takes the numbers of #EndData.
func (f *fromText) end(rec *Record, stats bool) error {
	f.sum.Lost, f.sum.Uncounted, f.sum.Sampling = rec.Summary.Lost, rec.Summary.Uncounted, rec.Summary.Sampling
	f.sum.Stopped = max(f.sum.Stopped, rec.Summary.Stopped)
	switch {
	case stats:
		f.sum.Known = record.KnownAll
	case hasNumber(rec.Text, "lost"):
		f.sum.Known = record.KnownLoss
	default:
		f.sum.Known = record.KnownFlows
	}
	if hasNumber(rec.Text, "flows") && rec.Summary.Flows != f.flows {
		return &SyntaxError{rec.Line, flowsFault(f.flows, rec.Summary.Flows).Error()}
	}
	return nil
}

// hasNumber reports whether a record has a number of this name.
func hasNumber(text, name string) bool { return strings.Contains(text, " "+name+"=") }

// Summary implements record.From.
func (f *fromText) Summary(func(ruleSet int) *uint64) (*record.Summary, error) {
	f.sum.Flows = f.flows
	return &f.sum, nil
}
