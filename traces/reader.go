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
	file        *os.File // the same, until it was tried to map it; nil if it is not one
	compression string   // empty for none
	in          *input   // the decompressed stream
	format      format
	guessed     bool // format was, by the look of the records
	stats       Stats
	err         error // what ReadBatch returns when all packets have been
	close       []func() error
}

// inPlace is a format whose packets' Data lie in the windows that it scans.
type inPlace interface{ inPlace() }

// ReadBatch implements Source.
func (r *reader) ReadBatch(b *Batch) error {
	b.reset(r.name)
	if _, ok := r.format.(inPlace); ok && b.MayMap && r.file != nil && r.compression == "" {
		if r.in.mapFile(r.file); r.in.mapping != nil {
			r.raw.n.Store(uint64(len(r.in.mapping.data)))
		}
		r.file = nil
	}
	m := r.in.mapping
	if m == nil || !b.MayMap {
		return r.readBatch(b)
	}
	before, at := r.stats, r.in.off
	var err error
	if m.catch(func() { err = r.readBatch(b) }) != nil {
		// It must be read instead, once more from here.
		b.reset(r.name)
		r.stats, r.err = before, nil
		r.in.reread(at, nil)
		r.raw.n.Store(uint64(at))
		return r.readBatch(b)
	}
	if r.in.mapping == m {
		b.Mapping = m
	}
	return err
}

func (r *reader) readBatch(b *Batch) error {
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
	if s.Bytes = r.raw.n.Load(); r.in.mapping != nil {
		s.Bytes = uint64(r.in.off)
	}
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
