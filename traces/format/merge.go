package format

import (
	"errors"
	"io"
	"strings"

	"rtfm/traces"
)

// OpenMerged returns a Source that reads the traces of the given names, as Open
// knows them, at the same time and merges their packets by time: those of the
// two directions of a link that were captured apart become one trace.
//
// The next packet is always the earliest of those that are next in their
// traces; at equal times, that of the trace that is named first. So the order
// within a trace is kept, even where its times go back. Packets of the i-th
// trace have interface number i; if a trace has several interfaces, that is the
// first of them to appear, and further ones have numbers beyond, in the order
// in which they appear.
//
// A trace that cannot be opened or is damaged ends there: ReadBatch returns its
// error once, after its packets, and the next call goes on with the others.
// io.EOF comes after the last. One batch of each trace is in memory. Batch.File
// has all names. ReadBatch calls notify; see OpenSequence.
func OpenMerged(names []string, notify func(message string)) *Merged {
	m := &Merged{
		file: strings.Join(names, ", "), traces: make([]mergedTrace, len(names)),
		numbers: make(map[mergedInterface]uint32), next: uint32(len(names)) + 1,
	}
	for i := range names {
		m.traces[i].src = OpenSequence(names[i:i+1], notify)
	}
	return m
}

// Merged is a Source that reads traces together.
type Merged struct {
	file    string
	traces  []mergedTrace
	numbers map[mergedInterface]uint32
	next    uint32 // number of the next interface that gets one of its own
}

// mergedTrace is one of several traces.
type mergedTrace struct {
	src     *Sequence // of this trace only
	ended   bool
	batch   traces.Batch
	rest    int    // the packets of batch from here on were not given yet
	appears bool   // an interface of it has
	from    uint32 // the interface of the last packet that was given
	number  uint32 // and the number that it was given
}

// mergedInterface is an interface of a trace.
type mergedInterface struct {
	trace  int
	number uint32 // there
}

// maxMerged bounds how many interfaces have numbers of their own. Others have
// that of their trace.
const maxMerged = 1 << 16

// ReadBatch implements Source.
func (m *Merged) ReadBatch(b *traces.Batch) error {
	b.Reset(m.file)
	for i := range m.traces {
		if err := m.traces[i].fill(); err != nil {
			return err
		}
	}
	for len(b.Packets) < cap(b.Packets) {
		i, until := m.earliest()
		if i < 0 {
			break
		}
		t := &m.traces[i]
		records := len(t.batch.Records) > 0
		if len(b.Packets) > 0 && records != (len(b.Records) > 0) {
			break // a batch has records for all packets or for none
		}
		for t.rest < len(t.batch.Packets) && len(b.Packets) < cap(b.Packets) {
			p := &t.batch.Packets[t.rest]
			if p.Time > until {
				break
			}
			if p.Interface != t.from || !t.appears {
				t.number = m.number(i, p.Interface)
				t.from = p.Interface
			}
			b.Packets = append(b.Packets, *p)
			b.Packets[len(b.Packets)-1].Interface = t.number
			if records {
				b.Records = append(b.Records, t.batch.Records[t.rest])
			}
			t.rest++
		}
		if t.rest == len(t.batch.Packets) {
			break // to read more would take the packets' data away
		}
	}
	if len(b.Packets) == 0 {
		return io.EOF
	}
	return nil
}

// fill sees to it that t has a packet to give, if there is one.
func (t *mergedTrace) fill() error {
	if t.ended || t.rest < len(t.batch.Packets) {
		return nil
	}
	t.rest = 0
	err := t.src.ReadBatch(&t.batch)
	if err == io.EOF {
		t.ended = true
		return nil
	}
	return err
}

// earliest returns the trace whose next packet is due, -1 if there is none, and
// up to what time its packets come before those of all others.
func (m *Merged) earliest() (first int, until int64) {
	const never = 1<<63 - 1
	first, until = -1, never
	for i := range m.traces {
		t := &m.traces[i]
		if t.rest == len(t.batch.Packets) {
			continue
		}
		at := t.batch.Packets[t.rest].Time
		switch {
		case first < 0:
			first = i
		case at < m.time(first):
			// A trace that is named before this one has its turn at equal times.
			first, until = i, min(until, m.time(first)-1)
		default:
			until = min(until, at)
		}
	}
	return first, until
}

// time returns when the next packet of a trace was captured.
func (m *Merged) time(trace int) int64 {
	t := &m.traces[trace]
	return t.batch.Packets[t.rest].Time
}

// number returns the number of an interface of a trace, and notes it.
func (m *Merged) number(trace int, from uint32) uint32 {
	own := uint32(trace) + 1
	key := mergedInterface{trace, from}
	n, known := m.numbers[key]
	switch {
	case known:
		return n
	case !m.traces[trace].appears, len(m.numbers) >= maxMerged:
		n = own
	default:
		n = m.next
		m.next++
	}
	m.traces[trace].appears = true
	if len(m.numbers) < maxMerged {
		m.numbers[key] = n
	}
	return n
}

// Wrap has each trace read through another Source; see Sequence.Wrap.
func (m *Merged) Wrap(wrap func(n int, src traces.Source) traces.Source) {
	for i := range m.traces {
		m.traces[i].src.Wrap(func(_ int, src traces.Source) traces.Source { return wrap(i, src) })
	}
}

// OpenFiles opens the files of all traces now; see Sequence.OpenFiles.
func (m *Merged) OpenFiles() error {
	for i := range m.traces {
		if err := m.traces[i].src.OpenFiles(); err != nil {
			return errors.Join(err, m.Close())
		}
	}
	return nil
}

// Stats implements Source: the sums over the traces.
func (m *Merged) Stats() (sum traces.Stats) {
	for i := range m.traces {
		st := m.traces[i].src.Stats()
		sum.AddRecords(&st)
		for _, f := range st.PerInterface {
			n, known := m.numbers[mergedInterface{i, f.Number}]
			if !known {
				n = uint32(i) + 1
			}
			sum.Lose(n, f.Lost)
		}
	}
	return sum.Snapshot()
}

// Close implements Source.
func (m *Merged) Close() error {
	var errs []error
	for i := range m.traces {
		t := &m.traces[i]
		t.batch.Packets, t.rest = t.batch.Packets[:0], 0
		errs = append(errs, t.src.Close())
	}
	return errors.Join(errs...)
}
