// Package parquet writes collections as Parquet files: columns, packed, which DuckDB,
// ClickHouse, Spark and others read where they stand.
//
//	FOLDER/flows/meter=NAME/day=YYYY-MM-DD/HHMMSS.NANOSECONDS-BOOT-RULESETS.parquet
//	FOLDER/collections/meter=NAME/...
//
// Names of folders are those of Hive. A file is of one collection, and its name follows
// from that alone: sent again it takes the place of itself. The collection's own row
// stands in a file under collections, written last: it says that the flows are all there.
package parquet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rtfm/reader/export"
	"rtfm/reader/record"
)

// folder is an export.Exporter.
type folder struct {
	path               string
	flows, collections *table
}

// New returns an exporter to a target whose path is a folder.
func New(t *export.Target) (export.Exporter, error) {
	if t.Path == "" {
		return nil, fmt.Errorf("%s: want parquet:FOLDER", t)
	}
	return &folder{
		path:        t.Path,
		flows:       newTable("flows", record.Columns(), record.Key()),
		collections: newTable("collections", record.OfCollection(), record.KeyOfCollection()),
	}, nil
}

// Send implements export.Exporter.
func (d *folder) Send(ctx context.Context, c *export.Collection) error {
	row, err := c.Row()
	if err != nil {
		return err
	}
	var id identity
	if err := json.Unmarshal(row, &id); err != nil {
		return export.Refuse(err)
	}
	if id.Flows > 0 {
		err := d.write("flows", &id, func(w *os.File) (sums, error) {
			return d.writeFlows(ctx, w, c, &id)
		})
		if err != nil {
			return err
		}
	}
	return d.writeOwn(&id, row)
}

// writeOwn writes the row of a collection.
func (d *folder) writeOwn(id *identity, row []byte) error {
	return d.write("collections", id, func(w *os.File) (sums, error) {
		f := newWriter(w, d.collections)
		if err := f.put(row); err != nil {
			return nil, err
		}
		return f.sums, f.close()
	})
}

// writeFlows writes the flows of a collection, and notes in id of which rulesets they are.
func (d *folder) writeFlows(ctx context.Context, w *os.File, c *export.Collection, id *identity) (sums, error) {
	f := newWriter(w, d.flows)
	if err := c.Rows(func(row []byte) error {
		if f.batch == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return f.put(row)
	}); err != nil {
		return nil, err
	}
	if err := f.close(); err != nil {
		return nil, err
	}
	id.rulesets = f.rulesets
	if rows := uint64(f.sums[0].rows); rows != id.Flows {
		return nil, export.Refuse(fmt.Errorf("the collection has %d flows, and tells of %d", rows, id.Flows))
	}
	return f.sums, nil
}

// Gap implements export.Exporter.
func (d *folder) Gap(_ context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	id := identity{Meter: g.Meter, Boot: g.Boot, IntervalEndNs: g.IntervalEndNs, rulesets: make(map[string]bool)}
	for _, hash := range strings.Split(g.RuleSets, ",") {
		id.rulesets[hash] = true
	}
	return d.writeOwn(&id, row)
}

// Check implements export.Exporter: a file can be made in the folder, or in the one where
// it is to be made.
func (d *folder) Check(context.Context) error {
	in := filepath.Clean(d.path)
	for {
		info, err := os.Stat(in)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is no folder", in)
		}
		if !errors.Is(err, fs.ErrNotExist) || in == filepath.Dir(in) {
			break
		}
		in = filepath.Dir(in)
	}
	f, err := os.CreateTemp(in, "rtfm-*.tmp")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Close implements export.Exporter.
func (d *folder) Close() error { return nil }
