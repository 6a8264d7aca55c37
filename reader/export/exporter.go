package export

import (
	"context"
	"errors"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
)

// Exporter sends collections to one place.
type Exporter interface {
	// Send sends a collection and returns nil once it was acknowledged. It may be
	// called again with a collection that it has sent before. An error that comes from
	// the collection, or needs a person, is a Refusal; others pass.
	Send(ctx context.Context, c *Collection) error
	// Gap tells of collections that will never come, for they were dropped when the
	// spool was full. It is as Send: it may be called again with the same, and returns
	// nil once that was acknowledged.
	Gap(ctx context.Context, g *Gap) error
	// Check finds whether the place can be reached, knows who this is, and would take
	// collections. It sends nothing, and makes nothing there. It may be called beside
	// another rtfm that sends to the same place.
	Check(ctx context.Context) error
	// Close lets go of the place.
	Close() error
}

// Noting is an Exporter that has things to tell a person once, such as what its place
// cannot hold.
type Noting interface {
	Exporter
	// Notes says whom to tell.
	Notes(tell func(note string))
}

// Refusal is an error that repetition does not heal: a table that lacks a column, a
// right that was not given.
type Refusal struct{ Err error }

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// Refuse returns err as a Refusal.
func Refuse(err error) error { return &Refusal{err} }

func refused(err error) bool {
	var r *Refusal
	return errors.As(err, &r)
}

// Collection is a collection in a spool. It may be read any number of times.
type Collection struct {
	segment *spool.Segment
}

// NewCollection returns the collection that a segment is.
func NewCollection(segment *spool.Segment) *Collection { return &Collection{segment} }

// Number is the number of the collection in its spool.
func (c *Collection) Number() uint64 { return c.segment.Number }

// Size is how many octets of JSON lines it has.
func (c *Collection) Size() int64 { return c.segment.Size }

// Open opens its JSON lines (FORMAT.md).
func (c *Collection) Open() (*os.File, error) { return c.segment.Open() }

// Copy hands the collection to a sink.
func (c *Collection) Copy(to record.Sink) (*record.Summary, error) {
	f, err := c.segment.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	from, err := flowfile.NewCollections(f).Next()
	if err != nil {
		return nil, err
	}
	return record.Copy(to, from)
}
