package format

import (
	"errors"
	"fmt"
	"io"
	"os"

	"rtfm/traces"
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
	scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error)
}

// reader is the Source over one file, whatever its format.
type reader struct {
	name        string
	raw         *counter // the file itself
	file        *os.File // the same, until it was tried to map it; nil if it is not one
	compression string   // empty for none
	in          *input   // the decompressed stream
	format      format
	guessed     bool  // format was, by the look of the records
	size        int64 // of the file when it was opened, from there on; 0 if it is not a regular one
	stats       traces.Stats
	scanned     traces.Stats // in the last step
	err         error        // what ReadBatch returns when all packets have been
	close       []func() error
}

// inPlace is a format whose packets' Data lie in the windows that it scans. A
// window that is mapped may fail to be there wherever scan looks. Then the same
// records are scanned once more, and again is called first: it undoes what the
// scan that failed has changed of the format's own state.
type inPlace interface{ again() }

// ReadBatch implements Source.
func (r *reader) ReadBatch(b *traces.Batch) error {
	b.Reset(r.name)
	f, ok := r.format.(inPlace)
	if ok && b.MayMap && r.file != nil && r.compression == "" {
		if r.in.mapFile(r.file); r.in.mapping != nil {
			n := len(r.in.mapping.data)
			r.raw.n.Store(uint64(n))
			r.size = max(r.size, int64(n))
		}
		r.file = nil
	}
	need := 0
	for r.err == nil && len(b.Packets) == 0 {
		m, at := r.in.mapping, r.in.off
		if m == nil || !b.MayMap {
			need = r.step(b, need)
		} else if m.catch(func() { need = r.step(b, need) }) != nil || r.err != nil && m.shortened() {
			// It must be read instead, once more from here.
			b.Reset(r.name)
			f.again()
			r.scanned, r.err = traces.Stats{}, nil
			r.in.reread(at, nil)
			r.raw.n.Store(uint64(at))
			need = 0
		}
		r.stats.Add(r.scanned)
	}
	if len(b.Packets) == 0 {
		return r.err
	}
	if b.MayMap && r.in.mapping != nil {
		b.Mapping = r.in.mapping
	}
	return nil
}

// step fills the window with need octets and scans it once. It returns how many
// octets the next record needs, 0 if that is not known. What it has counted is in
// r.scanned, and what ends the reading in r.err.
func (r *reader) step(b *traces.Batch, need int) int {
	r.scanned = traces.Stats{PerInterface: r.scanned.PerInterface[:0]}
	if need > 0 {
		if err := r.in.fill(need); err != nil {
			r.err = r.ended(err, need)
			return 0
		}
	}
	used, need, err := r.format.scan(r.in.window(), b, &r.scanned)
	r.in.discard(used)
	if err != nil {
		r.err = r.damage(err)
	}
	return need
}

// ended returns what ReadBatch has to return when the stream ended with err
// where need octets were wanted.
func (r *reader) ended(err error, need int) error {
	have := len(r.in.window())
	switch {
	case errors.Is(err, io.EOF) && r.shortened():
		return r.damage(ErrShortened)
	case !errors.Is(err, io.EOF):
		return r.damage(err)
	case have > 0:
		return r.damage(fmt.Errorf("%w: %d of %d octets", ErrTruncated, have, need))
	}
	return io.EOF
}

// shortened reports whether the file, which has ended, has lost octets since it
// was opened that were not read before.
func (r *reader) shortened() bool {
	if f := r.in.file; f != nil { // it was mapped: zeros may have been seen instead
		st, err := f.Stat()
		return err != nil || st.Size() < r.size
	}
	return int64(r.raw.n.Load()) < r.size
}

// damage wraps err with the place of the record after those that were read.
func (r *reader) damage(err error) error {
	return &Error{
		File:   r.name,
		Format: r.format.name(),
		Record: int64(r.stats.Records+r.scanned.Records) + 1,
		Offset: r.in.off,
		Err:    err,
	}
}

// Stats implements Source.
func (r *reader) Stats() traces.Stats {
	s := r.stats.Snapshot()
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

// Describe implements Describer.
func (r *reader) Describe() traces.Description {
	d := traces.Description{Format: r.format.name(), Guessed: r.guessed, Compression: r.compression}
	if f, ok := r.format.(interface{ tell(*traces.Description) }); ok {
		f.tell(&d)
	}
	return d
}

func byteOrderName(big bool) string {
	if big {
		return "big-endian"
	}
	return "little-endian"
}

// maxDescribed is how many interfaces of a trace are described.
const maxDescribed = 4096
