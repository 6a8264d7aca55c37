package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"rtfm/traces"
	"rtfm/traces/format"
)

// pieceLen is how many octets a chunk of a trace has, or a few more.
const pieceLen = 1 << 20

// TraceIndex returns the name of the index of a trace, a file.
func TraceIndex(name string) string {
	_, path := format.SplitName(name)
	return path + indexSuffix
}

// Indexed is what an index of a trace has.
type Indexed struct {
	Packets uint64
	Chunks  int
}

// IndexTrace writes the index of a trace beside it: a file of pcap, pcapng or ERF that is
// not compressed. Its chunks are of records, one behind the other, and all of them are the
// file. The missing packets of a chunk's place are 1 if it has to be read in any case:
// if it has other records than packets, or tells of losses. cfg has Key and Tuple.
func IndexTrace(ctx context.Context, name string, cfg *Config) (Indexed, error) {
	return indexTrace(ctx, name, pieces{ix: index{flows: newFlows(cfg)}, length: pieceLen})
}

func indexTrace(ctx context.Context, name string, x pieces) (Indexed, error) {
	src, err := format.Open(name)
	if err != nil {
		return Indexed{}, err
	}
	defer src.Close()
	d := src.(traces.Describer).Describe()
	_, path := format.SplitName(name)
	if d.Compression != "" {
		return Indexed{}, fmt.Errorf("%s: is compressed, by %s: a chunk of it cannot be read alone; unpack it first, with zstd -d or the like, or rtfm trace convert IN FILE.pcapng", name, d.Compression)
	}
	before, size, err := traceState(path, d.Format)
	if err != nil {
		return Indexed{}, err
	}
	if x.at, x.alone = format.Seam(src); !x.alone {
		return Indexed{}, fmt.Errorf("%s: is %s: want pcap, pcapng or erf, as rtfm trace convert writes them", name, d.Format)
	}
	if err := x.read(ctx, src); err != nil {
		return Indexed{}, err
	}
	if !x.alone {
		return Indexed{}, fmt.Errorf("%s: packets cannot be understood without those before: it has cells of ATM, or packets without a time; want a copy, as rtfm trace convert writes it", name)
	}
	if after, _, err := traceState(path, d.Format); err != nil || after != before || x.at != size {
		return Indexed{}, fmt.Errorf("%s: has changed while it was read; once it is whole it can have an index", name)
	}
	return Indexed{x.ix.packets(), len(x.ix.chunks)}, x.ix.write(TraceIndex(name), before)
}

// traceState returns a number that a file as it is now has, with its format: of its size,
// its time and how it begins.
func traceState(path, kind string) (state, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	state, size, err = stateOf(f, kind)
	return state, size, err
}

func stateOf(f *os.File, kind string) (state, size int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return 0, 0, err
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %d ", kind, st.Size(), st.ModTime().UnixNano())
	_, err = io.Copy(h, io.NewSectionReader(f, 0, 64<<10))
	return int64(h.Sum64()), st.Size(), err
}

// pieces makes the index of a trace.
type pieces struct {
	ix     index
	length int64        // of a chunk, or a few more
	batch  traces.Batch // of which a chunk has one at least
	at     int64        // where the chunk at hand begins, or all ends
	alone  bool         // no packet needs those before it
	place  place        // of the chunk
	pairs  int          // of the flows of those before
}

// read reads a trace to its end.
func (x *pieces) read(ctx context.Context, src traces.Source) error {
	b := &x.batch
	x.begin()
	before := src.Stats()
	for {
		err := src.ReadBatch(b)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err == nil {
			for i := range b.Packets {
				x.packet(&b.Packets[i])
			}
		}
		var at int64
		if at, x.alone = format.Seam(src); !x.alone {
			return nil
		}
		if err == nil && at-x.at < x.length {
			continue
		}
		now := src.Stats()
		if now.Skipped > before.Skipped || now.Lost > before.Lost {
			x.place.missing = 1
		}
		before = now
		if at > x.at {
			x.end(at)
		}
		if err != nil {
			return nil
		}
		x.begin()
	}
}

// begin begins a chunk.
func (x *pieces) begin() {
	f := x.ix.flows
	x.place = place{number: len(x.ix.chunks), at: x.at}
	x.pairs = len(f.pairs)
	f.fits = f.size <= startDigest+x.at/16
}

// packet adds a packet to the chunk.
func (x *pieces) packet(p *traces.Packet) {
	k := &x.place
	if k.packets == 0 {
		k.first, k.last = p.Time, p.Time
	}
	k.first, k.last = min(k.first, p.Time), max(k.last, p.Time)
	k.packets++
	x.ix.flows.note(p)
}

// end ends the chunk.
func (x *pieces) end(at int64) {
	x.ix.flows.end(x.pairs)
	x.place.length = uint32(at - x.at)
	x.ix.chunks = append(x.ix.chunks, x.place)
	x.at = at
}

// Trace reads a trace like a store: packets of a Query. Its index, if it has one, only
// leaves out chunks that have none of these.
type Trace struct {
	// Fault tells why an index is not used that is there.
	Fault   error
	src     traces.Source
	file    *os.File // that src reads chunks of, nil if it reads all
	query   Query
	covered Covered
	ended   bool
}

// OpenTrace opens a trace, a file. It ends at damage.
func OpenTrace(name string, q Query) (*Trace, error) {
	t := &Trace{query: q, covered: Covered{Files: 1, Trace: true}}
	var err error
	if t.src, err = format.Open(name); err != nil {
		return nil, err
	}
	d := t.src.(traces.Describer).Describe()
	if _, known := format.Seam(t.src); !known {
		return t, nil
	}
	_, path := format.SplitName(name)
	f, err := os.Open(path)
	if err != nil {
		t.src.Close()
		return nil, err
	}
	r, fault := t.choose(f, TraceIndex(name), d.Format)
	var some traces.Source
	if fault == nil {
		some, fault = format.NewSectionReader(r, name, d.Format)
	}
	if fault != nil {
		f.Close()
		if !errors.Is(fault, fs.ErrNotExist) {
			t.Fault = fmt.Errorf("%s: %w: all of the trace is read", TraceIndex(name), fault)
		}
		t.covered.Chunks, t.covered.Passed, t.covered.Bytes = 0, 0, 0
		return t, nil
	}
	t.src.Close()
	t.src, t.file = some, f
	return t, nil
}

var (
	errState = errors.New("it is damaged, or the trace has changed since")
	errFlows = errors.New("what it has of flows is damaged")
)

// choose returns those octets of a trace that are to be read by its index.
func (t *Trace) choose(f *os.File, path, kind string) (io.Reader, error) {
	state, size, err := stateOf(f, kind)
	if err != nil {
		return nil, err
	}
	ix, wanted, err := readIndex(path, state, t.query.Flows)
	if errors.Is(err, errIndex) || err == nil && !covers(ix.chunks, size) {
		return nil, errState
	}
	if err != nil {
		return nil, err
	}
	if t.query.Flows != nil && wanted == nil {
		return nil, errFlows
	}
	if wanted != nil && t.query.Flows.Late {
		late(ix.chunks, wanted)
	}
	from, to := int64(0), size // of octets to be read
	if len(ix.chunks) > 0 {
		to = ix.chunks[0].at
	}
	var parts []io.Reader
	for i, p := range ix.chunks {
		if p.missing == 0 && (p.last < t.query.From || p.first >= t.query.To || wanted != nil && !wanted[i]) {
			t.covered.Passed++
			continue
		}
		t.covered.Chunks++
		t.covered.Bytes += uint64(p.length)
		if p.at > to {
			parts = append(parts, io.NewSectionReader(f, from, to-from))
			from = p.at
		}
		to = p.at + int64(p.length)
	}
	return io.MultiReader(append(parts, io.NewSectionReader(f, from, to-from))...), nil
}

// covers reports whether chunks are a file of this size, behind its head.
func covers(chunks []place, size int64) bool {
	for i, p := range chunks {
		if i == 0 && (p.at < 0 || p.at > pieceLen) || i > 0 && p.at != chunks[i-1].at+int64(chunks[i-1].length) {
			return false
		}
	}
	n := len(chunks)
	return n == 0 || chunks[n-1].at+int64(chunks[n-1].length) == size
}

// ReadBatch implements traces.Source. Behind damage it is at its end.
func (t *Trace) ReadBatch(b *traces.Batch) error {
	for !t.ended {
		if err := t.src.ReadBatch(b); err != nil {
			if t.ended = true; !errors.Is(err, io.EOF) {
				t.covered.Damaged++
			}
			return err
		}
		if t.query.leave(b); len(b.Packets) > 0 {
			return nil
		}
	}
	return io.EOF
}

// Stats implements traces.Source.
func (t *Trace) Stats() traces.Stats { return t.src.Stats() }

// Describe implements traces.Describer.
func (t *Trace) Describe() traces.Description { return t.src.(traces.Describer).Describe() }

// Covered returns what is read, and what the trace told to be lost so far.
func (t *Trace) Covered() Covered {
	c := t.covered
	if lost := t.src.Stats().Lost; lost > 0 {
		c.Losses = []Loss{{Lost: lost}}
	}
	return c
}

// Close implements traces.Source.
func (t *Trace) Close() error {
	if t.file != nil {
		return errors.Join(t.src.Close(), t.file.Close())
	}
	return t.src.Close()
}
