package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"rtfm/traces"
	"rtfm/traces/format"
)

// besideMark is a chunk of a file whose format has no marks: they stand in a file beside
// it, NAME.marks, one behind the other. There a Mark's Length is that of its packets, and
// End that of the mark with its filling; its checksum is that of the packets, and another
// one is that of the mark.
type besideMark struct {
	Mark
	offset int64 // of the chunk in its file
	losses []Loss
	sum    uint32 // of its octets
}

// marked reports whether files of a format have their marks in them.
func marked(kind string) bool { return kind == "pcapng" }

// headLen returns how many octets the head of a file has whose marks are beside it.
func headLen(kind string) uint32 {
	if kind == "pcap" {
		return 24
	}
	return 0
}

// besideSumAt is where the checksum of a mark beside its file is.
const besideSumAt = 48

// appendTo appends the mark, of packets of this checksum, as it stands beside a file.
func (m *besideMark) appendTo(b []byte) []byte {
	le := binary.LittleEndian
	from := len(b)
	m.End = markLen + blockLen + 4 + uint32(len(m.losses))*lossLen
	b = append(b, make([]byte, m.End)...)
	at := b[from:]
	m.Mark.put(at)
	putLosses(at[markLen:], m.losses)
	le.PutUint32(at[crcAt:], m.sum)
	le.PutUint32(at[besideSumAt:], crc32.Checksum(at, castagnoli))
	return b
}

// parseBeside appends to marks those that stand beside a file behind them, up to the first
// that is damaged, and returns how many octets these have.
func parseBeside(marks []besideMark, b []byte, kind string) (_ []besideMark, used int) {
	le := binary.LittleEndian
	var offset int64
	if n := len(marks); n > 0 {
		offset = marks[n-1].offset + int64(marks[n-1].Length)
	}
	for {
		rest := b[used:]
		if len(rest) < markLen || le.Uint32(rest) != blockMark || le.Uint32(rest[4:]) != markLen || string(rest[8:16]) != magic {
			return marks, used
		}
		m := besideMark{offset: offset, sum: le.Uint32(rest[crcAt:])}
		m.fields(rest)
		if len(marks) == 0 {
			m.at = headLen(kind)
		}
		if m.End < markLen+blockLen+4 || uint64(m.End) > uint64(len(rest)) || m.Length > chunkSize || m.Length < m.at || m.Number != uint32(len(marks)) {
			return marks, used
		}
		rest = rest[:m.End]
		sum := le.Uint32(rest[besideSumAt:])
		if crc32.Update(crc32.Update(crc32.Checksum(rest[:besideSumAt], castagnoli), castagnoli, make([]byte, 4)), castagnoli, rest[besideSumAt+4:]) != sum {
			return marks, used
		}
		m.losses = getLosses(rest[markLen:])
		marks = append(marks, m)
		used += int(m.End)
		offset += int64(m.Length)
	}
}

// maxBeside is the most octets of marks that are read.
const maxBeside = mostChunks * (markLen + blockLen + 4)

// errMarks is what marks are that are missing, or damaged.
var errMarks = errors.New("missing or damaged: what was lost is not known")

// besideMarks returns the marks of a file that has none in it. What has no marks, of a
// file that is being written or whose writer was killed, is looked at packet by packet.
// whole is where the last whole packet ends. The error is that of marks, or of reading.
func besideMarks(path string, of File, f *os.File) (marks []besideMark, whole int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	marks, fault := readMarks(marksName(path), of.Format)
	for n := len(marks); n > 0; n-- {
		if m := &marks[n-1]; m.offset+int64(m.Length) <= st.Size() {
			break
		}
		marks, fault = marks[:n-1], errMarks // the file is shorter
	}
	if fault != nil {
		fault = fmt.Errorf("%s: %w", marksName(path), errMarks)
	}
	marks, whole, err = walk(marks, of, f)
	return marks, whole, errors.Join(fault, err)
}

// readMarks reads a file of marks up to the first that is damaged. It reads no more of a
// file than it has marks, and one block.
func readMarks(path, kind string) (marks []besideMark, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := io.LimitReader(f, maxBeside)
	b, left := make([]byte, 1<<16), 0 // a mark is shorter, see maxLosses
	for {
		n, err := io.ReadFull(in, b[left:])
		all := b[:left+n]
		var used int
		marks, used = parseBeside(marks, all, kind)
		switch {
		case err == nil && used > 0:
			left = copy(b, all[used:])
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return marks, err
		case used < len(all):
			return marks, errMarks
		default:
			return marks, nil
		}
	}
}

// walk appends marks of what is behind those of a file, found packet by packet, and
// returns where the last whole packet ends.
func walk(marks []besideMark, of File, f *os.File) ([]besideMark, int64, error) {
	var at int64
	if n := len(marks); n > 0 {
		at = marks[n-1].offset + int64(marks[n-1].Length)
	}
	var batch traces.Batch
	b := make([]byte, chunkSize)
	head := make([]byte, headLen(of.Format))
	if _, err := f.ReadAt(head, 0); err != nil && len(head) > 0 {
		return marks, 0, nil // not even that is there
	}
	for {
		n, err := f.ReadAt(b, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return marks, at, err
		}
		m := besideMark{offset: at}
		if at == 0 {
			m.at = uint32(len(head))
		}
		used, err := format.SectionPackets(of.Format, head, b[m.at:max(n, int(m.at))], &batch, func(p *traces.Packet) { m.count(p) })
		m.Length, m.File, m.Number = m.at+uint32(used), of.Number, uint32(len(marks))
		if used == 0 || m.Packets == 0 || err != nil && used == 0 {
			return marks, at + int64(m.Length), nil // there is no packet, but maybe what ends the file
		}
		m.sum = crc32.Checksum(b[:m.Length], castagnoli)
		marks = append(marks, m)
		at += int64(m.Length)
	}
}

// readBeside reads the chunk of this number into b.
func readBeside(f *os.File, marks []besideMark, b []byte, number int) (*besideMark, error) {
	if number >= len(marks) {
		return nil, errChunk
	}
	m := &marks[number]
	if _, err := f.ReadAt(b[:m.Length], m.offset); err != nil {
		return nil, err
	}
	if crc32.Checksum(b[:m.Length], castagnoli) != m.sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", errChunk)
	}
	return m, nil
}

// indexOf returns the index of marks beside a file.
func indexOf(marks []besideMark) (ix index) {
	for i := range marks {
		ix.add(&marks[i].Mark, marks[i].offset)
	}
	return ix
}

// chunkFile reads the chunks of a file.
type chunkFile struct {
	*os.File
	kind  string
	marks []besideMark // unless they are in the file
	whole int64        // where the last whole packet ends then
	fault error        // of the marks then
}

// openChunks opens a file of a store.
func openChunks(dir string, f File) (c chunkFile, err error) {
	path := filepath.Join(dir, f.Name)
	c.kind = f.Format
	if c.File, err = os.Open(path); err != nil || marked(c.kind) {
		return c, err
	}
	c.marks, c.whole, c.fault = besideMarks(path, f, c.File)
	return c, nil
}

// read reads the chunk of a number, at an offset, into b, which has chunkSize octets, and checks it. It
// returns the packets in b, and what is missing before them.
func (c *chunkFile) read(b []byte, number int, at int64) (m Mark, packets []byte, losses []Loss, err error) {
	if !marked(c.kind) {
		k, err := readBeside(c.File, c.marks, b, number)
		if err != nil {
			return m, nil, nil, err
		}
		return k.Mark, b[k.at:k.Length], k.losses, nil
	}
	if m, err = readChunk(c.File, b, at); err != nil {
		return m, nil, nil, err
	}
	return m, b[m.at+markLen : m.End], m.losses(b), nil
}

// head returns the head of the file; b is as for read.
func (c *chunkFile) head(b []byte) ([]byte, error) {
	if !marked(c.kind) {
		head := make([]byte, headLen(c.kind))
		if _, err := c.ReadAt(head, 0); err != nil && len(head) > 0 {
			return nil, fmt.Errorf("the head of the file: %w", err)
		}
		return head, nil
	}
	m, err := readChunk(c.File, b, 0)
	if err != nil && m.at == 0 {
		return nil, fmt.Errorf("the head of the file: %w", err)
	}
	return append([]byte(nil), b[:m.at]...), nil
}

// agrees reports whether an index is of these chunks.
func (c *chunkFile) agrees(ix *index) bool {
	if marked(c.kind) {
		return true
	}
	same := func(p place, m besideMark) bool { return p.at == m.offset && p.length == m.Length }
	return slices.EqualFunc(ix.chunks, c.marks, same)
}

// index returns where the chunks are by their marks.
func (c *chunkFile) index() (index, error) {
	if !marked(c.kind) {
		return indexOf(c.marks), nil
	}
	return marks(c.File)
}
