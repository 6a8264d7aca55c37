// Package postgres sends collections to PostgreSQL.
//
// A collection is a transaction: its flows are copied into a temporary table and inserted
// from there, less those that are there, and behind them the collection's own row. So
// nobody sees a part of a collection, and one that is sent again changes nothing.
package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/reader/schema"
)

// Options are the names of those that URLs may have.
var Options = []string{"user", "password-file", "tls", "ca", "socket", "collections", "create", "timeout"}

// database is an export.Exporter.
type database struct {
	config             *pgconn.Config
	name               string // of the database
	tables             schema.Postgres
	flows, collections *table
	create             bool
	timeout            time.Duration // for a collection
	conn               *pgconn.PgConn
	day                string // the latest for which partitions were created
}

// New returns an exporter to a target, whose path is DATABASE/TABLE.
func New(t *export.Target) (export.Exporter, error) {
	name, flows, ok := strings.Cut(t.Path, "/")
	collections := cmp.Or(t.Options["collections"], inSchemaOf(flows, "collections"))
	if !ok || name == "" || !isTable(flows) || !isTable(collections) {
		return nil, fmt.Errorf("%s: want postgres://HOST/DATABASE/TABLE, or postgres:DATABASE/TABLE, and names of tables of letters, digits, _ and periods", t)
	}
	d := &database{
		name:        name,
		tables:      schema.Postgres{Flows: flows, Collections: collections},
		flows:       newTable(flows, record.Columns(), record.Key()),
		collections: newTable(collections, record.OfCollection(), record.KeyOfCollection()),
		create:      t.Has("create"),
	}
	var err error
	if d.timeout, err = t.Duration("timeout", 10*time.Minute); err != nil {
		return nil, err
	}
	d.config, err = configure(t, name)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// inSchemaOf returns the name of another table in the schema of one.
func inSchemaOf(table, other string) string {
	return table[:strings.LastIndexByte(table, '.')+1] + other
}

// isTable reports whether a name, perhaps with that of a schema, needs no quotation.
func isTable(name string) bool {
	for _, part := range strings.Split(name, ".") {
		if part == "" || part[0] >= '0' && part[0] <= '9' ||
			strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return false
		}
	}
	return strings.Count(name, ".") < 2
}

// Send implements export.Exporter.
func (d *database) Send(ctx context.Context, c *export.Collection) error {
	row, err := c.Row()
	if err != nil {
		return err
	}
	return d.with(ctx, d.prepare, func(ctx context.Context) error {
		if d.create {
			if err := d.createDay(ctx, row); err != nil {
				return err
			}
		}
		if err := d.exec(ctx, "BEGIN"); err != nil {
			return err
		}
		if err := d.insert(ctx, d.flows, c.Rows); err != nil {
			return err
		}
		return d.insertOwn(ctx, row)
	})
}

// Gap implements export.Exporter.
func (d *database) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return d.with(ctx, d.prepare, func(ctx context.Context) error {
		if err := d.exec(ctx, "BEGIN"); err != nil {
			return err
		}
		return d.insertOwn(ctx, row)
	})
}

// insertOwn inserts the row of a collection and ends the transaction.
func (d *database) insertOwn(ctx context.Context, row []byte) error {
	if err := d.insert(ctx, d.collections, func(put func([]byte) error) error { return put(row) }); err != nil {
		return err
	}
	return d.exec(ctx, "COMMIT")
}

// Check implements export.Exporter: the password is taken, and the tables have all columns,
// or would be made.
func (d *database) Check(ctx context.Context) error {
	return d.with(ctx, d.find, func(ctx context.Context) error {
		for _, t := range [...]*table{d.flows, d.collections} {
			for _, c := range t.columns {
				if c.Name == c.Of && !t.has[c.Name] && len(t.has) > 0 {
					return t.lacks(c.Name)
				}
			}
			if len(t.has) == 0 {
				continue
			}
			// No rows, but the rights that are needed for some.
			if err := d.exec(ctx, "INSERT INTO "+t.name+" SELECT * FROM "+t.name+" LIMIT 0"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close implements export.Exporter.
func (d *database) Close() error {
	if d.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := d.conn.Close(ctx)
	d.conn = nil
	return err
}

// with calls do while there is a connection, which does not outlive an error. On one that
// is new, begin comes first.
func (d *database) with(parent context.Context, begin, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(parent, d.timeout)
	defer cancel()
	var err error
	if d.conn == nil || d.conn.IsClosed() {
		if d.conn, err = pgconn.ConnectConfig(ctx, d.config); err == nil {
			err = begin(ctx)
		}
	}
	if err == nil {
		err = do(ctx)
	}
	if err == nil {
		return nil
	}
	d.Close()
	if ctx.Err() != nil && parent.Err() == nil {
		return fmt.Errorf("not done in %v", d.timeout)
	}
	return d.meaning(err)
}

// exec executes a statement that has no answer.
func (d *database) exec(ctx context.Context, statement string) error {
	results, err := d.conn.Exec(ctx, statement).ReadAll()
	if err == nil && statement == "COMMIT" && results[0].CommandTag.String() != "COMMIT" {
		err = errors.New("the transaction was rolled back")
	}
	return err
}

// insert inserts rows that are not there, as rows gives them each time it is called.
func (d *database) insert(ctx context.Context, t *table, rows func(put func(row []byte) error) error) error {
	staged, err := t.staged(rows)
	if err != nil {
		return err
	}
	names := staged.names()
	if err := d.exec(ctx, "CREATE TEMPORARY TABLE rtfm_staged ON COMMIT DROP AS SELECT "+names+" FROM "+t.name+" WITH NO DATA"); err != nil {
		return err
	}
	text, stop := staged.text(rows)
	_, err = d.conn.CopyFrom(ctx, text, "COPY pg_temp.rtfm_staged ("+names+") FROM STDIN")
	if wrong := stop(); wrong != nil { // of the rows, for which the server was told to stop
		return wrong
	}
	if err != nil {
		return err
	}
	return d.exec(ctx, "INSERT INTO "+t.name+" ("+names+") SELECT "+names+" FROM pg_temp.rtfm_staged ON CONFLICT ("+
		strings.Join(t.key, ", ")+") DO NOTHING; DROP TABLE pg_temp.rtfm_staged")
}

// createDay creates the partitions of the day in which a collection ends. That is left out
// if the day is in other partitions, or some rows of it are in those of the rest.
func (d *database) createDay(ctx context.Context, row []byte) error {
	var end time.Time
	err := export.Fields(row, func(name, text []byte) (err error) {
		if string(name) == "IntervalEndNs" {
			end, err = timeOf(text)
		}
		return err
	})
	if err != nil {
		return export.Refuse(err)
	}
	day := end.Format(time.DateOnly)
	if day == d.day {
		return nil
	}
	for _, statement := range d.tables.Day(end) {
		err := d.exec(ctx, "BEGIN; SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '10s'; "+lock+"; "+statement+"; COMMIT")
		if isTaken(err) {
			err = d.exec(ctx, "ROLLBACK")
		}
		if err != nil {
			return err
		}
	}
	d.day = day
	return nil
}

// lock has one exporter at a time create tables.
const lock = "SELECT pg_advisory_xact_lock(27202722)"

// prepare creates tables if that is wanted, and finds which columns they have.
func (d *database) prepare(ctx context.Context) error {
	d.day = ""
	if d.create {
		statements := strings.Join(d.tables.Statements(), "; ")
		if err := d.exec(ctx, "BEGIN; SET LOCAL client_min_messages = warning; "+lock+"; "+statements+"; COMMIT"); err != nil {
			return err
		}
	}
	return d.find(ctx)
}

// find finds which columns the tables have. One that is to be created has none.
func (d *database) find(ctx context.Context) error {
	for _, t := range [...]*table{d.flows, d.collections} {
		answer := d.conn.ExecParams(ctx, "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped",
			[][]byte{[]byte(t.name)}, nil, nil, nil).Read()
		if answer.Err != nil {
			return answer.Err
		}
		if len(answer.Rows) == 0 && !d.create {
			return export.Refuse(fmt.Errorf("there is no table %s in the database; %s", t.name, d.howToCreate()))
		}
		t.found(answer.Rows)
	}
	return nil
}

// howToCreate tells what creates the tables.
func (d *database) howToCreate() string {
	var options bytes.Buffer
	if d.flows.name != "flows" {
		options.WriteString(" --table " + d.flows.name)
	}
	if d.collections.name != "collections" {
		options.WriteString(" --collections " + d.collections.name)
	}
	return "rtfm flows schema postgres" + options.String() + " | psql " + d.name + " creates it, and so does ?create"
}
