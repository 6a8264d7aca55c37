package flowfile

import (
	"bytes"
	"runtime"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// ahead parses flow records that follow each other in chunks, several at a time, ahead
// of what is done with them. The zero value must get its functions.
type ahead struct {
	lines *lines
	// isFlow reports whether a line, which may be empty, is a flow record of which
	// nothing has to be known but its columns.
	isFlow func(line []byte) bool
	// parser returns a new flowParser.
	parser func() flowParser
	free   []*chunk
	queue  []*chunk
}

// A flowParser gives a builder what lines tell of flows.
type flowParser interface {
	flow(line []byte) error
	builder() *builder
}

// chunk is some lines and their flows.
type chunk struct {
	text   []byte
	parser flowParser
	flows  []parsed // the first n are those of the text
	n      int
	// stopped is where the first line begins of which no flow could be made, the
	// length of the text if there is none.
	stopped int
	raw     []byte
	numbers []uint64 // of what distributions counted
	done    chan struct{}
}

// parsed is what a line tells.
type parsed struct {
	flow    match.Flow
	counted record.Counters
	known   bool // whether counted is
	at      int  // where the line begins
	raw     []byte
	have    uint16
}

// chunkLen is how many octets of text a chunk has, if no line is longer.
const chunkLen = 1 << 15

// run calls take for each flow of the lines that are next, as long as they are flow
// records without faults and it returns true. What is not taken is read again.
func (a *ahead) run(from *builder, take func(*parsed) (bool, error)) error {
	most := 2 * runtime.GOMAXPROCS(0)
	for {
		for len(a.queue) < most {
			c := a.cut(from)
			if c == nil {
				break
			}
			a.queue = append(a.queue, c)
			go c.parse()
		}
		if len(a.queue) == 0 {
			return nil
		}
		c := a.queue[0]
		<-c.done
		for i := range c.n {
			a.lines.number++
			if ok, err := take(&c.flows[i]); err != nil || !ok {
				a.lines.number--
				a.unread(c.flows[i].at)
				return err
			}
		}
		if c.stopped < len(c.text) {
			a.unread(c.stopped)
			return nil
		}
		a.queue = append(a.queue[:0], a.queue[1:]...)
		a.free = append(a.free, c)
	}
}

// cut returns a chunk of the lines that are next, nil if there is none.
func (a *ahead) cut(from *builder) *chunk {
	var c *chunk
	if n := len(a.free); n > 0 {
		c, a.free = a.free[n-1], a.free[:n-1]
	} else {
		c = &chunk{parser: a.parser(), done: make(chan struct{}, 1)}
	}
	if c.text = a.lines.take(c.text[:0], chunkLen, a.isFlow); len(c.text) == 0 {
		a.free = append(a.free, c)
		return nil
	}
	b := c.parser.builder()
	b.epoch, b.deltas = from.epoch, from.deltas
	return c
}

// unread gives back what the queue has from a place of its first chunk on.
func (a *ahead) unread(at int) {
	var rest []byte
	for i, c := range a.queue {
		if i > 0 {
			<-c.done
		}
		rest = append(rest, c.text[at:]...)
		at = 0
	}
	a.lines.unread(rest)
	a.free = append(a.free, a.queue...)
	a.queue = a.queue[:0]
}

// parse makes flows of the text.
func (c *chunk) parse() {
	c.n, c.stopped, c.raw, c.numbers = 0, len(c.text), c.raw[:0], c.numbers[:0]
	b := c.parser.builder()
	var raw []byte
	for at := 0; at < len(c.text); {
		line := c.text[at:]
		line = line[:bytes.IndexByte(line, '\n')]
		err := c.parser.flow(line)
		var f *match.Flow
		var counted *record.Counters
		if err == nil {
			f, counted, err = b.flow()
		}
		if err != nil {
			c.stopped = at
			break
		}
		if c.n == len(c.flows) {
			c.flows = append(c.flows, parsed{})
		}
		if string(b.raw) != string(raw) {
			from := len(c.raw)
			c.raw = append(c.raw, b.raw...)
			raw = c.raw[from:]
		}
		p := &c.flows[c.n]
		p.at, p.raw, p.have = at, raw, b.row.have
		c.keep(p, f, counted)
		c.n++
		at += len(line) + 1
	}
	c.done <- struct{}{}
}

// keep copies a flow, which is the builder's.
func (c *chunk) keep(to *parsed, f *match.Flow, counted *record.Counters) {
	counters := to.flow.Counters[:0]
	to.flow = *f
	for _, n := range f.Counters {
		counters = append(counters, c.copy(n))
	}
	to.flow.Counters = counters
	if to.known = counted != nil; counted != nil {
		to.counted = *counted
		to.counted.Measures = c.copy(counted.Measures)
	}
}

// copy returns a copy of counters.
func (c *chunk) copy(counters []uint64) []uint64 {
	if len(counters) == 0 {
		return nil
	}
	from := len(c.numbers)
	c.numbers = append(c.numbers, counters...)
	return c.numbers[from:len(c.numbers):len(c.numbers)]
}

// counters returns what the flow has counted in the interval, nil if that is not known.
func (p *parsed) counters() *record.Counters {
	if !p.known {
		return nil
	}
	return &p.counted
}
