package flowfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Collections reads the collections of a flow data file, text, each as a
// record.From. What text does not tell is not known: the interval's differences,
// and times finer than its columns have them. Without FirstTimeNs and the like,
// times are those of the Uptime, from the second at which the file says that the
// meter was started. A table that another program made, without #Time, has none.
type Collections struct {
	r       *Reader
	next    *Record // that begins the next collection, or ends the file
	skipped int     // collections passed over just before it
	to      int64   // the end of the collection before, 0 if there is none
	builder builder
}

// NewCollections returns the Collections of r.
func NewCollections(r io.Reader) *Collections { return &Collections{r: NewReader(r)} }

// ErrIncomplete is for a collection that ended without its #EndData.
var ErrIncomplete = errors.New("flow data file: the collection was not ended")

// Next returns the next collection, io.EOF after the last. It is to be read before
// Next is called again. After an error none follow.
func (c *Collections) Next() (record.From, error) {
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
			c.to = 0
		case KindComment:
			c.skipped += skippedIn(rec.Text)
		case KindTime:
			return c.collection(rec), nil
		case KindFlow:
			return nil, &SyntaxError{rec.Line, "a flow record outside a collection"}
		}
	}
}

// skippedIn returns how many collections a comment says were passed over.
func skippedIn(comment string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(comment, "# "), skippedWords))
	return max(n, 0)
}

// skippedWords follow the number of collections that were passed over.
const skippedWords = " empty collections passed over"

func (c *Collections) collection(rec *Record) *fromFile {
	f := &fromFile{all: c, c: record.Collection{
		Meter: rec.Collection.Meter, Skipped: c.skipped,
	}}
	if start := rec.Header.Start; !start.IsZero() {
		f.c.Epoch = start.UnixNano()
	}
	f.c.To = instant(f.c.Epoch, rec.Collection.To)
	switch {
	case c.to != 0:
		f.c.From = c.to
	case rec.Collection.From <= 1:
		f.c.First, f.c.From = true, f.c.Epoch
	default:
		f.c.From = instant(f.c.Epoch, rec.Collection.From+1)
	}
	c.to, c.skipped, c.builder.epoch = f.c.To, 0, f.c.Epoch
	return f
}

// instant returns the time of an Uptime in centiseconds, the last there is if it
// is later.
func instant(epoch int64, uptime uint64) int64 {
	const tick = 10_000_000
	if uptime > uint64(math.MaxInt64-max(epoch, 0))/tick {
		return math.MaxInt64
	}
	return epoch + int64(uptime)*tick
}

// fromFile is a collection of a file. It is a record.From.
type fromFile struct {
	all *Collections
	c   record.Collection
	sum record.Summary
}

// Collection implements record.From.
func (f *fromFile) Collection() *record.Collection { return &f.c }

// Flows implements record.From.
func (f *fromFile) Flows(put func(*match.Flow, *record.Counters) error) error {
	for {
		rec, err := f.all.r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch rec.Kind {
		case KindFlow:
			flow, err := f.all.builder.flow(rec)
			if err != nil {
				return err
			}
			if err := put(flow, nil); err != nil {
				return err
			}
		case KindStats:
			rec.Summary.RuleSets = f.sum.RuleSets
			f.sum = rec.Summary
		case KindRuleSet:
			f.sum.RuleSets = append(f.sum.RuleSets, rec.Summary.RuleSets...)
		case KindEnd:
			f.sum.Lost, f.sum.Uncounted, f.sum.Sampling = rec.Summary.Lost, rec.Summary.Uncounted, rec.Summary.Sampling
			f.sum.Stopped = max(f.sum.Stopped, rec.Summary.Stopped)
			return nil
		case KindIncomplete:
			return fmt.Errorf("%w: line %d", ErrIncomplete, rec.Line)
		case KindTime, KindHeader: // of files that have no #EndData
			f.all.next = rec
			return nil
		}
	}
}

// Summary implements record.From.
func (f *fromFile) Summary(func(ruleSet int) *uint64) (*record.Summary, error) { return &f.sum, nil }
