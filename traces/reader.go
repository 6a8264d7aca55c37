package traces

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// format is one trace format, reading one file.
type format interface {
	// name returns the format's name for errors.
	name() string
	// scan appends to b the packets of the records that stand whole at the
	// beginning of win, until b is full, and counts them in st. It returns how
	// many octets those records take. It stops when b is full, with need 0; at
	// a record that is not whole, with the octets that it needs of it; or at
	// damage.
	scan(win []byte, b *Batch, st *Stats) (used, need int, err error)
}

// reader is the Source over one file, whatever its format.
type reader struct {
	name        string
	raw         *counter // the file itself
	compression string   // empty for none
	in          *input   // the decompressed stream
	format      format
	guessed     bool // format was, by the look of the records
	stats       Stats
	err         error // what ReadBatch returns when all packets have been
	close       []func() error
}

// ReadBatch implements Source.
func (r *reader) ReadBatch(b *Batch) error {
	b.reset(r.name)
	need := 0
	for r.err == nil {
		if need > 0 {
			if err := r.in.fill(need); err != nil {
				r.err = r.ended(err, need)
				break
			}
		}
		used, more, err := r.format.scan(r.in.window(), b, &r.stats)
		r.in.discard(used)
		if err != nil {
			r.err = r.damage(err)
		}
		if len(b.Packets) > 0 {
			return nil
		}
		need = more
	}
	return r.err
}

// ended returns what ReadBatch has to return when the stream ended with err
// where need octets were wanted.
func (r *reader) ended(err error, need int) error {
	have := len(r.in.window())
	switch {
	case !errors.Is(err, io.EOF):
		return r.damage(err)
	case have > 0:
		return r.damage(fmt.Errorf("%w: %d of %d octets", ErrTruncated, have, need))
	}
	return io.EOF
}

// damage wraps err with the place of the record after those that were read.
func (r *reader) damage(err error) error {
	return &Error{
		File:   r.name,
		Format: r.format.name(),
		Record: int64(r.stats.Records) + 1,
		Offset: r.in.off,
		Err:    err,
	}
}

// Stats implements Source.
func (r *reader) Stats() Stats {
	s := r.stats.snapshot()
	s.Bytes = r.raw.n
	return s
}

// Close implements Source.
func (r *reader) Close() error {
	var errs []error
	for _, f := range r.close {
		errs = append(errs, f())
	}
	r.close = nil
	r.err = os.ErrClosed
	return errors.Join(errs...)
}
