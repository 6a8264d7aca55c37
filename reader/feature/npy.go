package feature

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// NPY files have a header of a length that stays: it has room for the longest number
// of rows.
const npyMagic = "\x93NUMPY\x01\x00"

// shapeMember stands before the number of rows.
const shapeMember = "], 'fortran_order': False, 'shape': "

// headerOf returns the header of version 1.0 of NumPy's format of these columns, for
// so many rows. Its length does not depend on their number.
func headerOf(cols []column, rows int64) []byte {
	var b strings.Builder
	b.WriteString("{'descr': [")
	for i, c := range cols {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.n == 1 {
			fmt.Fprintf(&b, "('%s', '%s')", c.name, c.kind)
		} else {
			fmt.Fprintf(&b, "('%s', '%s', (%d,))", c.name, c.kind, c.n)
		}
	}
	fmt.Fprintf(&b, shapeMember+"(%d,), }", rows)
	b.WriteString(strings.Repeat(" ", 20-len(fmt.Sprint(rows))))
	const align = 64
	n := len(npyMagic) + 2 + b.Len() + 1
	b.WriteString(strings.Repeat(" ", (align-n%align)%align) + "\n")
	head := append([]byte(npyMagic), 0, 0)
	le.PutUint16(head[len(npyMagic):], uint16(b.Len()))
	return append(head, b.String()...)
}

// NPY writes rows as an array of NumPy, which numpy.load reads, with named fields.
// Whenever it flushes, the rows are written first, and then how many they are, in place.
// So the file can be read at any time, and what a writer leaves that was killed, too.
type NPY struct {
	w    io.WriterAt
	cols []column
	b    []byte // rows to be written
	end  int64  // where
	rows int64
}

// blockLen is how many octets are written at a time, about.
const blockLen = 1 << 18

// OpenNPY returns one that appends rows, which list so many packets, to a file that is
// empty or has such rows. Those that a killed writer had not counted yet are kept.
func OpenNPY(f *os.File, first int) (*NPY, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: rows of NPY are counted at its beginning: it must be a file, no pipe", f.Name())
	}
	n := &NPY{w: f, cols: columns(first)}
	head := headerOf(n.cols, 0)
	n.end = int64(len(head))
	if st.Size() > 0 {
		have := make([]byte, len(head))
		if _, err := f.ReadAt(have, 0); err != nil && err != io.EOF {
			return nil, err
		}
		i := bytes.Index(head, []byte(shapeMember))
		if !bytes.HasPrefix(have, head[:i]) {
			return nil, fmt.Errorf("%s: is there and has other fields, of another number of first packets perhaps", f.Name())
		}
		n.rows = (st.Size() - n.end) / int64(rowLen(n.cols))
	}
	n.end += n.rows * int64(rowLen(n.cols))
	return n, n.count()
}

// count writes how many rows there are.
func (n *NPY) count() error {
	_, err := n.w.WriteAt(headerOf(n.cols, n.rows), 0)
	return err
}

// Row implements Rows.
func (n *NPY) Row(r *Row) error {
	n.b = appendRow(n.b, n.cols, r)
	if len(n.b) >= blockLen {
		return n.Flush()
	}
	return nil
}

// appendRow appends the numbers of a row.
func appendRow(b []byte, cols []column, r *Row) []byte {
	for i := range cols {
		b = cols[i].append(b, r)
	}
	return b
}

// Flush implements Rows.
func (n *NPY) Flush() error {
	if len(n.b) == 0 {
		return nil
	}
	if _, err := n.w.WriteAt(n.b, n.end); err != nil {
		return err
	}
	n.end += int64(len(n.b))
	n.rows += int64(len(n.b) / rowLen(n.cols))
	n.b = n.b[:0]
	return n.count()
}

// Close implements Rows. It does not close the file.
func (n *NPY) Close() error { return n.Flush() }

// Vectors are rows as NPY has them, for other forms of files.
type Vectors struct{ cols []column }

// Field is a field of them: N numbers, or texts, of a type as NumPy names it, one behind the
// other.
type Field struct {
	Name, Type string
	N          int
}

// NewVectors returns those of rows that list so many packets.
func NewVectors(first int) Vectors { return Vectors{columns(first)} }

// Fields returns the fields in their order.
func (v Vectors) Fields() (all []Field) {
	for _, c := range v.cols {
		all = append(all, Field{c.name, c.kind, c.n})
	}
	return all
}

// Append appends a row.
func (v Vectors) Append(b []byte, r *Row) []byte { return appendRow(b, v.cols, r) }

// Listed returns how many packets a row lists.
func (r *Row) Listed() int { return len(r.Flow.first) }
