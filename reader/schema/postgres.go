package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rtfm/reader/record"
)

// Postgres says how tables of PostgreSQL are to be: partitioned by day, so that what is
// old goes in no time.
type Postgres struct {
	// Flows and Collections are the names of the tables.
	Flows, Collections string
}

// Statements returns what creates the tables, if they are not there, each with a
// partition for the days that have none of their own.
func (p Postgres) Statements() []string {
	return []string{
		p.table(p.Flows, record.Columns(), record.Key()),
		p.rest(p.Flows),
		p.table(p.Collections, record.OfCollection(), record.KeyOfCollection()),
		p.rest(p.Collections),
	}
}

// Day returns what creates the partitions of a day in UTC. That is to be done before the
// day: once the other partition has rows of it, the database refuses.
func (p Postgres) Day(day time.Time) []string {
	y, m, d := day.UTC().Date()
	from := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 0, 1)
	var all []string
	for _, table := range []string{p.Flows, p.Collections} {
		all = append(all, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s_%s PARTITION OF %s FOR VALUES FROM (%d) TO (%d)",
			table, from.Format("20060102"), table, from.UnixNano(), to.UnixNano()))
	}
	return all
}

func (p Postgres) rest(table string) string {
	return fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s_rest PARTITION OF %s DEFAULT", table, table)
}

func (p Postgres) table(name string, columns []record.Column, key []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE IF NOT EXISTS %s (\n", name)
	for _, c := range PostgresColumns(columns) {
		fmt.Fprintf(&b, "  %s %s", c.Name, c.Type)
		if slices.Contains(key, c.Name) {
			b.WriteString(" NOT NULL")
			if c.Type == "text" {
				b.WriteString(" DEFAULT ''")
			}
		}
		b.WriteString(",\n")
	}
	fmt.Fprintf(&b, "  PRIMARY KEY (%s)\n) PARTITION BY RANGE (IntervalEndNs)", strings.Join(key, ", "))
	return b.String()
}

// PostgresColumn is a column of a table of PostgreSQL.
type PostgresColumn struct {
	Name, Type string
	// Of is the column of rows from which it comes: another one if the database has a
	// type of its own for some values, which stands beside.
	Of string
}

// PostgresColumns returns the columns of a table of rows with these.
func PostgresColumns(columns []record.Column) (all []PostgresColumn) {
	for _, c := range columns {
		all = append(all, PostgresColumn{c.Name, postgresType(c.Type), c.Name})
	}
	for _, c := range columns {
		if isAddress(c) {
			all = append(all, PostgresColumn{strings.TrimSuffix(c.Name, "Address") + "IP", "inet", c.Name})
		}
	}
	return append(all, PostgresColumn{"IntervalEnd", "timestamptz", "IntervalEndNs"})
}

// postgresType returns the type of a column. The database has no unsigned numbers: each
// type is one that holds them all.
func postgresType(t string) string {
	return map[string]string{
		"string": "text", "json": "jsonb", "int64": "bigint",
		"uint8": "smallint", "uint16": "integer", "uint32": "bigint", "uint64": "numeric(20)",
	}[t]
}
