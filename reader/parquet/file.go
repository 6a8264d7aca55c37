package parquet

import (
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"

	"github.com/parquet-go/parquet-go"

	"rtfm/reader/export"
)

// Rows are handed to the library so many at a time, and it keeps those of a group of rows
// in memory.
const (
	batchRows = 512
	groupRows = 64 << 10
)

// writer writes rows as a Parquet file.
type writer struct {
	table   *table
	to      *parquet.GenericWriter[any]
	columns [][]parquet.Value // a batch
	batch   int               // rows in it
	group   int               // rows in the group of rows
	sums    sums
	// rulesets are the hashes of those whose flows the rows are.
	rulesets map[string]bool
}

func newWriter(w io.Writer, t *table) *writer {
	n := len(t.columns) + 1
	f := &writer{
		table:   t,
		to:      parquet.NewGenericWriter[any](w, t.options()...),
		columns: make([][]parquet.Value, n),
		sums:    newSums(n),

		rulesets: make(map[string]bool),
	}
	for i := range f.columns {
		f.columns[i] = slices.Repeat([]parquet.Value{parquet.NullValue().Level(0, 0, i)}, batchRows)
	}
	return f
}

// options are those of the library. The least and the greatest value of each column stand
// at the end of the file, for readers to pass over what they do not look for; not again
// with each page, and not of objects, which nobody compares.
func (t *table) options() []parquet.WriterOption {
	all := []parquet.WriterOption{
		t.schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("rtfm", "", ""), parquet.DataPageStatistics(false), parquet.PageBufferSize(64 << 10),
	}
	for _, c := range t.columns {
		if c.Type == "json" {
			all = append(all, parquet.SkipPageBounds(c.Name))
		}
	}
	return all
}

// put writes a row.
func (f *writer) put(row []byte) error {
	if err := f.table.values(row, f.columns, f.batch); err != nil {
		return export.Refuse(err)
	}
	if i, ok := f.table.byName["RuleSet"]; ok {
		if hash := f.columns[i][f.batch].ByteArray(); !f.rulesets[string(hash)] {
			f.rulesets[string(hash)] = true // a text is made only here
		}
	}
	if f.batch++; f.batch < batchRows {
		return nil
	}
	return f.writeBatch()
}

// writeBatch hands the batch to the library.
func (f *writer) writeBatch() error {
	for i, to := range f.to.ColumnWriters() {
		values := f.columns[i][:f.batch]
		f.sums.add(i, values)
		if _, err := to.WriteRowValues(values); err != nil {
			return err
		}
		if f.sums[i].nulls < f.sums[i].rows { // else they are null still
			null := parquet.NullValue().Level(0, 0, i)
			for at := range values {
				values[at] = null
			}
		}
	}
	f.group += f.batch
	f.batch = 0
	if f.group < groupRows {
		return nil
	}
	f.group = 0
	return f.to.Flush()
}

// close writes what is not written yet.
func (f *writer) close() error {
	if err := f.writeBatch(); err != nil {
		return err
	}
	return f.to.Close()
}

// sums are what was written of each column, or read.
type sums []sum

type sum struct {
	rows, nulls int64
	hash        uint64 // of all values in their order
}

var seed = maphash.MakeSeed()

func newSums(columns int) sums { return make(sums, columns) }

// add adds values of a column.
func (s sums) add(column int, values []parquet.Value) {
	c := &s[column]
	c.rows += int64(len(values))
	for i := range values {
		v := &values[i]
		h := uint64(0)
		switch {
		case v.IsNull():
			c.nulls++
		case v.Kind() == parquet.ByteArray:
			h = maphash.Bytes(seed, v.ByteArray())
		case v.Kind() == parquet.Int32: // whose upper half may be the sign, or zeros
			h = uint64(v.Uint32()) + 1
		default:
			h = v.Uint64() + 1
		}
		c.hash = (c.hash ^ h) * 0x9e3779b97f4a7c15
		c.hash ^= c.hash >> 29
	}
}

// check reads a file back and compares it with what was written.
func (s sums) check(f *os.File, t *table) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return err
	}
	if got := len(file.Schema().Columns()); got != len(s) {
		return fmt.Errorf("%d columns were written, %d are read", len(s), got)
	}
	read := newSums(len(s))
	for _, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			if err := read.addChunk(i, chunk); err != nil {
				return err
			}
		}
	}
	for i := range s {
		if s[i] != read[i] {
			return fmt.Errorf("column %s: %d rows with %d nulls were written, what is read is not the same (%d rows, %d nulls)",
				t.schema.Columns()[i][0], s[i].rows, s[i].nulls, read[i].rows, read[i].nulls)
		}
	}
	return nil
}

// addChunk adds the values of a column in a group of rows.
func (s sums) addChunk(column int, chunk parquet.ColumnChunk) error {
	pages := chunk.Pages()
	defer pages.Close()
	values := make([]parquet.Value, batchRows)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		from := page.Values()
		for err == nil {
			var n int
			n, err = from.ReadValues(values)
			s.add(column, values[:n])
		}
		parquet.Release(page)
		if err != io.EOF {
			return err
		}
	}
}
