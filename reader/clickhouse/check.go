package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rtfm/reader/record"
)

// Check implements export.Exporter: each server takes the password, and the tables have all
// columns, or would be made.
func (in *inserter) Check(ctx context.Context) error {
	var errs []error
	for _, h := range in.hosts {
		version, err := in.versionOf(ctx, h)
		if err == nil {
			h.version = version
			err = in.checkTables(ctx, h)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkTables finds columns that a server's tables lack.
func (in *inserter) checkTables(ctx context.Context, h *host) error {
	for table, columns := range map[string][]record.Column{in.tables.Flows: record.Columns(), in.tables.Collections: record.OfCollection()} {
		database, name, _ := strings.Cut(table, ".")
		answer, err := in.post(ctx, h, nil, []byte("SELECT name FROM system.columns WHERE database = '"+database+"' AND table = '"+name+"'"))
		if err != nil {
			return err
		}
		names := strings.Fields(string(answer))
		if len(names) == 0 {
			if err := in.checkDatabase(ctx, h, database); err != nil {
				return err
			}
		}
		switch {
		case len(names) == 0 && in.create:
			continue
		case len(names) == 0:
			return fmt.Errorf("%s has no table %s; rtfm flows schema clickhouse tells how to make it, or ?create has it made", h.url, table)
		}
		for _, c := range columns {
			if !slices.Contains(names, c.Name) {
				return fmt.Errorf("%s: %w", h.url, &noColumn{table, c.Name})
			}
		}
		if _, err := in.post(ctx, h, url.Values{"query": {"INSERT INTO " + table + " FORMAT JSONEachRow"}}, nil); err != nil {
			return err // no rows, but the right to insert some
		}
	}
	return nil
}

// checkDatabase finds whether a server has a database, which is never made.
func (in *inserter) checkDatabase(ctx context.Context, h *host, database string) error {
	answer, err := in.post(ctx, h, nil, []byte("SELECT name FROM system.databases WHERE name = '"+database+"'"))
	if err == nil && len(answer) == 0 {
		err = fmt.Errorf("%s: there is no database %s", h.url, database)
	}
	return err
}

// noColumn is an error of a table that lacks a column.
type noColumn struct{ table, column string }

func (e *noColumn) Error() string {
	return fmt.Sprintf("table %s has no column %s; rtfm flows schema clickhouse tells all", e.table, e.column)
}
