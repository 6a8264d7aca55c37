package feature

import (
	"fmt"
	"io"
	"strings"
)

// NPY files have a header of a length that stays: it has room for the longest number
// of rows.
const npyMagic = "\x93NUMPY\x01\x00"

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
	fmt.Fprintf(&b, "], 'fortran_order': False, 'shape': (%d,), }", rows)
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
	w interface {
		io.Writer
		io.WriterAt
	}
	cols []column
	b    []byte
	rows int64
}

// blockLen is how many octets are written at a time, about.
const blockLen = 1 << 18

// NewNPY returns one that writes to an empty file, with rows that list so many packets.
func NewNPY(w interface {
	io.Writer
	io.WriterAt
}, first int) (*NPY, error) {
	n := &NPY{w: w, cols: columns(first)}
	_, err := w.Write(headerOf(n.cols, 0))
	return n, err
}

// Row implements Rows.
func (n *NPY) Row(r *Row) error {
	n.b = appendRow(n.b, n.cols, r)
	n.rows++
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
	if _, err := n.w.Write(n.b); err != nil {
		return err
	}
	n.b = n.b[:0]
	_, err := n.w.WriteAt(headerOf(n.cols, n.rows), 0)
	return err
}

// Close implements Rows. It does not close the file.
func (n *NPY) Close() error { return n.Flush() }
