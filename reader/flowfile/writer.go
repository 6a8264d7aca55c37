package flowfile

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset"
)

// Options say how a Writer writes.
type Options struct {
	JSON       bool // JSON lines instead of NeMaC's text
	CSV        bool // CSV instead
	ISO        bool // rows of JSON and CSV have times as texts too, record.Texts
	Statistics bool // #Stats records too; JSON has their content anyway
	Append     bool // the file has its header already

	again  bool // collections are of a file, so that intervals need not follow each other
	unsure bool // whether Statistics is so is not known
}

// Writer writes a flow data file. Between Begin and End come the flows of one
// collection. The first error of the underlying writer is kept and returned
// by Err, End and Flush. It is not safe for concurrent use.
type Writer struct {
	page
	w    io.Writer
	err  error
	zone *time.Location

	begun bool // a collection was begun
	to    uint64
}

// page is lines that are not written yet, and what it takes to make those of
// flows.
type page struct {
	opts    Options
	format  *ruleset.Format
	meter   string
	c       *record.Collection // to which the flows belong; may be nil
	in      interval           // of the present collection
	buf     []byte
	flows   uint64
	current *printer // of the shape that was printed last
	lead    []byte   // what rows of its ruleset begin with
	byShape map[*match.Shape]*printer
	leads   map[int][]byte // by ruleset, of the present collection
}

// maxPrinters is how many are remembered. A meter may tell of more shapes than
// there is memory for their printers.
const maxPrinters = 1 << 12

// flushAt is the size of the buffer above which it is written out.
const flushAt = 1 << 16

// NewWriter returns a Writer of a file that begins with h and whose records
// have the columns of f; with JSON, records have all attributes that the flow
// saved, whatever f is, and with CSV those of f, which TableFor makes. Uptimes are counted from epoch, in nanoseconds since
// 1970-01-01 00:00:00 UTC.
func NewWriter(w io.Writer, h Header, epoch int64, f *ruleset.Format, opts Options) *Writer {
	wr := &Writer{page: newPage(opts, f, name(h.Meter), interval{epoch, epoch, epoch}), w: w, zone: h.Start.Location()}
	switch {
	case opts.Append:
	case opts.JSON:
		columns := ""
		if f != nil {
			columns = f.String()
		}
		statistics := &opts.Statistics
		if opts.unsure {
			statistics = nil
		}
		wr.jsonLine(jsonHeader(&h, epoch, columns, statistics))
	case opts.CSV:
		wr.buf = appendCSVHeader(wr.buf, f, opts.ISO)
	default:
		wr.buf = appendFormat(h.appendTo(wr.buf), columns(f))
	}
	return wr
}

func newPage(opts Options, f *ruleset.Format, meter string, in interval) page {
	return page{
		opts: opts, format: f, meter: meter, in: in,
		buf: make([]byte, 0, flushAt+1<<12), byShape: map[*match.Shape]*printer{}, leads: map[int][]byte{},
	}
}

// Resume tells that collections were made before, of which the last ended at
// this time, in nanoseconds since 1970.
func (w *Writer) Resume(at int64) {
	w.begun, w.to, w.in.end = true, match.Uptime(at, w.in.epoch), at
}

// again begins the interval of the next collection where that says.
func (w *Writer) again(c *record.Collection) {
	if w.Resume(c.From); c.First {
		w.begun, w.to = false, 0
	}
}

// identify says to what the flows of the next collection belong.
func (w *Writer) identify(c *record.Collection) {
	if !slices.Equal(w.missing(), c.Missing) {
		clear(w.byShape)
	}
	w.c, w.meter = c, name(c.Meter)
}

// Begin starts a collection that was made at this time, in nanoseconds since
// 1970. Its interval begins where that of the one before ended: one
// centisecond earlier, as NeMaC has it, so that no flow is missed.
func (w *Writer) Begin(at int64) {
	c := Times{
		Time:  time.Unix(at/1e9, at%1e9).In(w.zone),
		Meter: w.meter,
		From:  1,
		To:    max(match.Uptime(at, w.in.epoch), w.to),
	}
	if w.begun {
		c.From = max(w.to, 1) - 1
		if w.c != nil && w.c.From > w.in.end { // time between is in no collection
			w.in.end = w.c.From
			c.From = max(match.Uptime(w.c.From, w.in.epoch), 1) - 1
		}
	}
	w.begun, w.to, w.flows, w.current = true, c.To, 0, nil
	w.in.start, w.in.end = w.in.end, max(at, w.in.end)
	clear(w.leads)
	var clock int64
	boot, postponed := "", 0
	if w.c != nil {
		clock, boot, postponed = w.c.Clock, w.c.Boot, w.c.Postponed
	}
	if clock != 0 {
		c.Time = time.Unix(0, clock).In(w.zone)
	}
	switch {
	case w.opts.JSON:
		w.jsonLine(jsonStart(&c, boot, &w.in, clock, postponed))
	case !w.opts.CSV:
		w.buf = c.appendTo(w.buf)
	}
}

// Flow writes the record of a flow, and with JSON what it counted in this
// interval, null if delta is nil. Both are only read, and not kept.
func (w *Writer) Flow(f *match.Flow, delta *record.Counters) {
	w.put(f, delta)
	if len(w.buf) >= flushAt {
		w.write()
	}
}

// Err returns the first error of the underlying writer, if one has shown.
func (w *Writer) Err() error { return w.err }

// put appends the record of a flow.
func (p *page) put(f *match.Flow, delta *record.Counters) {
	if p.current == nil || p.current.shape != f.Shape {
		p.change(f.Shape)
	}
	p.buf = append(p.buf, p.lead...)
	p.buf = p.current.appendTo(p.buf, f, delta, &p.in)
	p.flows++
}

// change makes the printer of flows of shape s the current one.
func (p *page) change(s *match.Shape) {
	pr := p.byShape[s]
	names := p.names(s.RuleSet)
	if pr == nil || pr.names != names {
		if len(p.byShape) >= maxPrinters {
			clear(p.byShape)
		}
		switch {
		case p.opts.JSON:
			pr = p.jsonPrinter(s)
		case p.opts.CSV:
			pr = p.csvPrinter(s)
		default:
			pr = textPrinter(p.format, s)
		}
		pr.names = names
		p.byShape[s] = pr
	}
	p.current, p.lead = pr, p.leads[s.RuleSet]
	if p.lead == nil && (p.opts.JSON || p.opts.CSV) {
		if p.opts.JSON {
			p.lead = p.jsonLead(s.RuleSet)
		} else {
			p.lead = p.csvLead(s.RuleSet)
		}
		p.leads[s.RuleSet] = p.lead
	}
}

// Skipped tells that n collections without flows are not in the file.
func (w *Writer) Skipped(n int) {
	switch {
	case w.opts.JSON:
		w.jsonLine(jsonSkipped(n))
		return
	case w.opts.CSV:
		return
	}
	w.buf = append(w.buf, "# "...)
	w.buf = strconv.AppendInt(w.buf, int64(n), 10)
	w.buf = append(w.buf, skippedWords+"\n"...)
}

// End finishes the collection and writes out all of it. Flows in s is set to
// the number of flow records.
func (w *Writer) End(s record.Summary) error {
	s.Flows = w.flows
	s.Sampling = max(s.Sampling, 1)
	switch {
	case w.opts.JSON:
		w.buf = appendJSONEnd(w.buf, &s)
	case !w.opts.CSV:
		w.textEnd(&s)
	}
	return w.Flush()
}

// textEnd adds the records that end a collection.
func (w *Writer) textEnd(s *record.Summary) {
	if w.opts.Statistics && s.Known == record.KnownAll {
		w.buf = appendNumbers(append(w.buf, markStats...), statsNumbers(s))
		w.buf = append(w.buf, '\n')
		for i := range s.RuleSets {
			w.buf = appendNumbers(append(w.buf, markRuleSet...), ruleSetNumbers(&s.RuleSets[i]))
			w.buf = append(w.buf, '\n')
		}
	}
	w.buf = append(w.buf, markEnd+":"...)
	if s.Known == record.KnownFlows {
		w.buf = strconv.AppendUint(append(w.buf, " flows="...), s.Flows, 10)
	} else {
		w.buf = appendNumbers(w.buf, endNumbers(s))
		if s.Stopped > 0 {
			w.buf = strconv.AppendUint(append(w.buf, " stopped="...), s.Stopped, 10)
		}
	}
	w.buf = append(w.buf, '\n')
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error {
	w.write()
	return w.err
}

func (w *Writer) write() {
	w.writeOut(w.buf)
	w.buf = w.buf[:0]
}

func (w *Writer) writeOut(b []byte) {
	if w.err == nil && len(b) > 0 {
		if _, err := w.w.Write(b); err != nil {
			w.err = fmt.Errorf("flow data file: %w", err)
		}
	}
}
