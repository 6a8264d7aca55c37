package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/parquet-go/parquet-go"

	"rtfm/reader/feature"
)

// Features writes rows of features as a Parquet file. It is a feature.Rows. The file can be
// read when it is closed.
type Features struct {
	file    *os.File
	vectors feature.Vectors
	fields  []feature.Field
	to      *parquet.GenericWriter[any]
	b       []byte
	row     [1]parquet.Row
	rows    int // in the group
}

// featureRows is how many rows of features a group has: of some 1,000 octets each.
const featureRows = 16 << 10

// NewFeatures makes a file, which must not be there, for rows that list so many packets.
func NewFeatures(path string, first int) (*Features, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s: is there, and nothing can be appended to a Parquet file", path)
	} else if err != nil {
		return nil, err
	}
	f := &Features{file: file, vectors: feature.NewVectors(first)}
	f.fields = f.vectors.Fields()
	nodes, names := make(parquet.Group), make([]string, len(f.fields))
	for i, field := range f.fields {
		names[i], nodes[field.Name] = field.Name, featureNode(field)
	}
	f.to = parquet.NewGenericWriter[any](file, parquet.NewSchema("features", inOrder(nodes, names)), parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("rtfm", "", ""), parquet.DataPageStatistics(false))
	return f, nil
}

// featureNode returns how a field is written: several numbers as a list, and texts and
// fractions as null if there are none.
func featureNode(f feature.Field) parquet.Node {
	var node parquet.Node
	switch bits := 8 * featureSize(f); {
	case f.Type[1] == 'S':
		return parquet.Optional(parquet.String())
	case f.Type[1] == 'f':
		return parquet.Optional(parquet.Leaf(parquet.DoubleType))
	case f.Type[1] == 'i':
		node = parquet.Int(bits)
	default:
		node = parquet.Uint(bits)
	}
	if f.N > 1 {
		return parquet.List(node)
	}
	return node
}

// featureSize returns the octets of one number or text of a field.
func featureSize(f feature.Field) (n int) {
	for _, digit := range f.Type[2:] {
		n = 10*n + int(digit-'0')
	}
	return n
}

// Row implements feature.Rows.
func (f *Features) Row(r *feature.Row) error {
	f.b = f.vectors.Append(f.b[:0], r)
	f.row[0] = f.row[0][:0]
	rest := f.b
	for i, field := range f.fields {
		size := featureSize(field)
		n := field.N
		if strings.HasPrefix(field.Name, "First") {
			n = r.Listed()
		}
		f.put(field, rest[:n*size], size, i)
		rest = rest[field.N*size:]
	}
	if _, err := f.to.WriteRows(f.row[:]); err != nil {
		return err
	}
	if f.rows++; f.rows < featureRows {
		return nil
	}
	f.rows = 0
	return f.to.Flush()
}

// put puts the value of a field, or its list, into the row.
func (f *Features) put(field feature.Field, b []byte, size, column int) {
	row := &f.row[0]
	switch {
	case field.Type[1] == 'S':
		text := bytes.TrimRight(b, "\x00")
		if len(text) == 0 {
			*row = append(*row, parquet.NullValue().Level(0, 0, column))
			return
		}
		*row = append(*row, parquet.ByteArrayValue(text).Level(0, 1, column))
	case field.Type[1] == 'f':
		v := math.Float64frombits(binary.LittleEndian.Uint64(b))
		if math.IsNaN(v) {
			*row = append(*row, parquet.NullValue().Level(0, 0, column))
			return
		}
		*row = append(*row, parquet.DoubleValue(v).Level(0, 1, column))
	case field.N == 1:
		*row = append(*row, featureNumber(field, b).Level(0, 0, column))
	case len(b) == 0:
		*row = append(*row, parquet.NullValue().Level(0, 0, column))
	default:
		for at := 0; at < len(b); at += size {
			*row = append(*row, featureNumber(field, b[at:at+size]).Level(min(1, at), 1, column))
		}
	}
}

// featureNumber returns a whole number.
func featureNumber(f feature.Field, b []byte) parquet.Value {
	switch {
	case len(b) == 8:
		return parquet.Int64Value(int64(binary.LittleEndian.Uint64(b)))
	case len(b) == 4:
		return parquet.Int32Value(int32(binary.LittleEndian.Uint32(b)))
	case len(b) == 2:
		return parquet.Int32Value(int32(binary.LittleEndian.Uint16(b)))
	case f.Type[1] == 'i':
		return parquet.Int32Value(int32(int8(b[0])))
	}
	return parquet.Int32Value(int32(b[0]))
}

// Flush implements feature.Rows. Rows cannot be seen before the file is closed.
func (f *Features) Flush() error { return nil }

// Close implements feature.Rows.
func (f *Features) Close() error {
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.to.Close(), f.file.Close())
	f.file = nil
	return err
}
