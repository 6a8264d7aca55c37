package store

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"rtfm/traces"
	"rtfm/traces/format"
)

// Query says which packets of a store are wanted: those at From or later and before To,
// nanoseconds since 1970. Unless Flows is nil, packets of others than these may be left
// out: those of chunks that have, by their file's index, none of them.
type Query struct {
	From, To int64
	Flows    *Flows
}

// Covered is what a store has of a Query's time.
type Covered struct {
	Files, Chunks int    // that were read
	Passed        int    // chunks of the time that have, by an index, none of the flows
	Bytes         uint64 // of these
	First, Last   int64  // times of packets in all chunks looked at, nanoseconds since 1970; 0 if there are none
	Losses        []Loss // that may be of the time
	Damaged       int    // chunks whose packets are missing
	Unmarked      int    // files whose losses are not known, since their marks are missing
	Removed       int    // files that went before they were read, of a limit of the store
	Cut           uint64 // packets of these chunks that have headers only, by Config.Cutoff
	Trace         bool   // it is a trace: of what is missing is known what it tells, of all of it
}

// Complete reports whether, as far as the store knows, all packets of the time that
// came while it was written are there.
func (c *Covered) Complete() bool {
	return len(c.Losses) == 0 && c.Damaged == 0 && c.Unmarked == 0 && c.Removed == 0
}

// ErrRemoved is of a file that was there when the store was opened, and not when it was
// to be read.
var ErrRemoved = errors.New("removed while the store was read: its packets are missing")

// Open opens the store in a folder as a Source. A store that is being written may be
// read: what has been written then is there. Each file is read whose time, by its
// index or its chunks, may be wanted; packets are in the order in which they were
// written. A damaged chunk is left out, and an error, after which reading goes on; so is a
// file that is removed meanwhile.
func Open(dir string, q Query) (*Source, error) {
	files, err := Files(dir)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		if _, err := os.Stat(filepath.Join(dir, "lock")); err != nil {
			return nil, fmt.Errorf("%s: no store of packets", dir)
		}
	}
	return &Source{dir: dir, files: files, query: q}, nil
}

// Source reads a store.
type Source struct {
	dir     string
	files   []File // those still to be read
	query   Query
	covered Covered
	stats   traces.Stats // of files before cur, and losses
	cur     traces.Source
	chunks  *chunks // of cur
	known   []traces.Interface
}

// ReadBatch implements traces.Source.
func (s *Source) ReadBatch(b *traces.Batch) error {
	for {
		if s.cur == nil {
			if err := s.next(); err != nil {
				return err
			}
			continue
		}
		mayMap := b.MayMap
		b.MayMap = false
		err := s.cur.ReadBatch(b)
		b.MayMap = mayMap
		if err == nil {
			if s.query.leave(b); len(b.Packets) > 0 {
				return nil
			}
			continue
		}
		damage, left := s.chunks.damage, len(s.chunks.places)
		s.endFile()
		if !errors.Is(err, io.EOF) { // what is left of the file, and of the chunk at hand, is missing
			s.covered.Damaged += 1 + left
			return err
		}
		if damage != nil {
			return damage
		}
	}
}

// leave leaves the packets in b that are of the time.
func (q *Query) leave(b *traces.Batch) {
	n := 0
	for i := range b.Packets {
		if p := &b.Packets[i]; p.Time >= q.From && p.Time < q.To {
			b.Packets[n] = *p
			n++
		}
	}
	b.Packets = b.Packets[:n]
}

// next opens the next file that may have packets of the time.
func (s *Source) next() error {
	for len(s.files) > 0 {
		f := s.files[0]
		s.files = s.files[1:]
		c, err := s.choose(f)
		if errors.Is(err, fs.ErrNotExist) {
			if !s.mayHave(f) {
				continue
			}
			s.covered.Removed++
			err = ErrRemoved
		}
		if err != nil {
			return &format.Error{File: filepath.Join(s.dir, f.Name), Format: "store", Err: err}
		}
		if len(c.places) == 0 {
			c.file.Close()
			continue
		}
		s.covered.Files++
		if more, err := c.more(); !more {
			c.file.Close()
			if err != nil { // its head is damaged: it has all that is needed to read packets
				s.covered.Damaged += len(c.places)
				return &format.Error{File: c.path, Format: "store", Err: err}
			}
			if c.damage != nil {
				return c.damage
			}
			continue // only what is missing
		}
		cur, err := format.NewSectionReader(c, filepath.Join(s.dir, f.Name), f.Format)
		if err != nil {
			c.file.Close()
			s.covered.Damaged += len(c.places)
			return err
		}
		s.cur, s.chunks = cur, c
		return nil
	}
	return io.EOF
}

// mayHave reports whether a file, which is before those still to be read, may have
// packets of the time.
func (s *Source) mayHave(f File) bool {
	return f.Begins < s.query.To && (len(s.files) == 0 || s.files[0].Begins >= s.query.From)
}

// choose returns the chunks of a file that may be wanted.
func (s *Source) choose(f File) (*chunks, error) {
	path := filepath.Join(s.dir, f.Name)
	file, err := openChunks(s.dir, f)
	if err != nil {
		return nil, err
	}
	c := &chunks{s: s, path: path, file: file, buf: make([]byte, chunkSize)}
	ix, wanted, err := readIndex(filepath.Join(s.dir, indexName(f.Name)), f.Size, s.query.Flows)
	if err != nil || !file.agrees(&ix) {
		wanted = nil
		if ix, err = file.index(); err == nil {
			s.addDamaged(f, &ix)
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if wanted != nil && s.query.Flows.Late {
		late(ix.chunks, wanted)
	}
	var before int64 // when packets that are missing may have come first
	for i, p := range ix.chunks {
		from := p.first
		if p.missing > 0 {
			from = min(from, before)
		}
		switch {
		case p.last < s.query.From || from >= s.query.To:
		case wanted != nil && !wanted[i] && p.missing == 0: // what is missing is to be told
			s.covered.Passed++
		default:
			c.places = append(c.places, p)
		}
		before = p.last
	}
	if file.fault != nil && len(c.places) > 0 {
		s.covered.Unmarked++
	}
	return c, nil
}

// addDamaged adds what is behind the whole chunks of a file, which is before those still
// to be read, to its index: as a chunk that cannot be read. What is being written, or was
// when the writer was killed, is not added: one chunk at most of the newest file.
func (s *Source) addDamaged(f File, ix *index) {
	p := place{number: len(ix.chunks), first: f.Begins, last: math.MaxInt64}
	if n := len(ix.chunks); n > 0 {
		c := &ix.chunks[n-1]
		p.at, p.first = c.at+int64(c.length), c.last
	}
	newest := len(s.files) == 0
	if !newest {
		p.last = max(p.first, s.files[0].Begins)
	}
	if rest := f.Size - p.at; rest > chunkSize || rest > 0 && !newest && marked(f.Format) {
		ix.chunks = append(ix.chunks, p)
	}
}

// marks returns the index of a file by the marks of its chunks, whose packets are not
// looked at. It ends where no chunk follows.
func marks(f *os.File) (ix index, err error) {
	var at int64
	b := make([]byte, chunkSize) // the first chunk's mark is behind the file's head
	for {
		n, err := f.ReadAt(b, at)
		if n == 0 {
			if errors.Is(err, io.EOF) {
				return ix, nil
			}
			return ix, err
		}
		m, err := readMark(b[:n])
		if err != nil || m.Number != uint32(len(ix.chunks)) {
			return ix, nil
		}
		ix.add(&m, at)
		at += int64(m.Length)
		b = b[:align]
	}
}

// endFile closes the file at hand.
func (s *Source) endFile() {
	now := s.cur.Stats()
	s.stats.AddRecords(&now)
	s.known = s.cur.(traces.Describer).Describe().Interfaces
	s.cur.Close()
	s.chunks.file.Close()
	s.cur, s.chunks = nil, nil
}

// Stats implements traces.Source. Packets that there was no room for in the store are
// lost ones.
func (s *Source) Stats() traces.Stats {
	if s.cur == nil {
		return s.stats.Snapshot()
	}
	now := s.stats.Snapshot()
	cur := s.cur.Stats()
	now.AddRecords(&cur)
	return now
}

// Describe implements traces.Describer.
func (s *Source) Describe() traces.Description {
	d := traces.Description{Format: "store", Interfaces: s.known}
	if s.cur != nil {
		d.Interfaces = s.cur.(traces.Describer).Describe().Interfaces
	}
	return d
}

// Covered returns what was read so far.
func (s *Source) Covered() Covered { return s.covered }

// Close implements traces.Source.
func (s *Source) Close() error {
	if s.cur != nil {
		s.endFile()
	}
	s.files = nil
	return nil
}

// chunks reads the head of a file, and the packets of chosen chunks, as one section of
// pcapng.
type chunks struct {
	s      *Source
	path   string
	file   chunkFile
	places []place // those still to be read
	buf    []byte
	rest   []byte // of what was read
	headed bool
	damage error // the first chunk that was left out
}

// Read implements io.Reader.
func (c *chunks) Read(b []byte) (int, error) {
	if more, err := c.more(); !more {
		return 0, cmp.Or(err, io.EOF)
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// more reports whether there is something to be read.
func (c *chunks) more() (bool, error) {
	for len(c.rest) == 0 {
		if !c.headed {
			c.headed = true
			head, err := c.file.head(c.buf)
			if err != nil {
				return false, err
			}
			c.rest = head
			continue
		}
		if len(c.places) == 0 {
			return false, nil
		}
		p := c.places[0]
		c.places = c.places[1:]
		_, c.rest, _ = c.read(p)
	}
	return true, nil
}

// read reads a chunk into buf, where its packets are. It returns no mark if it is damaged.
func (c *chunks) read(p place) (m *Mark, packets []byte, losses []Loss) {
	k, packets, losses, err := c.file.read(c.buf, p.number, p.at)
	m = &k
	s := c.s
	if err != nil {
		s.covered.Damaged++
		if c.damage == nil {
			c.damage = &format.Error{File: c.path, Format: "store", Offset: p.at, Err: err}
		}
		return nil, nil, nil
	}
	v := &s.covered
	v.Chunks++
	v.Bytes += uint64(m.Length)
	v.Cut += uint64(m.Cut)
	if v.First == 0 || m.First < v.First {
		v.First = m.First
	}
	v.Last = max(v.Last, m.Last)
	for _, l := range losses {
		v.Losses = append(v.Losses, l)
		s.stats.Lose(l.Interface, l.Lost+l.Unstored)
	}
	return m, packets, losses
}
