package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/reader/schema"
)

// flowsSchemaOptions are the options of `rtfm flows schema`.
type flowsSchemaOptions struct {
	table, collections string
	replicated, old    bool
	days               int
	day                string
}

var schemaKinds = []string{"clickhouse", "postgres", "parquet", "json"}

const flowsSchemaHelp = `Print the tables that exported collections go into: that of flows and that of
collections, whose rows come behind their flows and say that they are all there.

  clickhouse  statements for clickhouse-client
  postgres    statements for psql
  parquet     the schemas of files
  json        the JSON Schema of what is sent as JSON

Columns of what a flow has not saved are 0 or empty in ClickHouse and NULL elsewhere;
what is not known of an interval is NULL everywhere. Columns are added to a schema,
never changed.`

func flowsSchemaCommand() *cobra.Command {
	var o flowsSchemaOptions
	cmd := &cobra.Command{
		Use:   "schema clickhouse|postgres|parquet|json",
		Short: "Print the tables that exported collections go into",
		Long:  flowsSchemaHelp,
		Example: `  rtfm flows schema clickhouse | clickhouse-client --multiquery
  rtfm flows schema postgres | psql flows
  rtfm flows schema postgres --day 2026-11-21 | psql flows`,
		ValidArgs: schemaKinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(schemaKinds, args[0]) {
				return fmt.Errorf("want one of %s", strings.Join(schemaKinds, ", "))
			}
			if err := o.check(cmd, args[0]); err != nil {
				return err
			}
			return o.print(cmd.OutOrStdout(), args[0])
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.table, "table", "flows", "`NAME` of the table of flows; of databases")
	f.StringVar(&o.collections, "collections", "collections", "`NAME` of the table of collections; of databases")
	f.BoolVar(&o.replicated, "replicated", false, "tables that replicas keep together; of ClickHouse")
	f.BoolVar(&o.old, "old", false, "for servers of ClickHouse before 20.6")
	f.Var(newCount(&o.days, 90, 0, 36500, "a number of days"), "keep", "keep rows for so many `DAYS`, 0 for ever; of ClickHouse")
	f.StringVar(&o.day, "day", "", "print the partitions of this `DATE` instead; of PostgreSQL")
	return cmd
}

// check finds options that are of other kinds of tables.
func (o *flowsSchemaOptions) check(cmd *cobra.Command, kind string) error {
	of := map[string]string{"table": "clickhouse postgres", "collections": "clickhouse postgres", "replicated": "clickhouse", "old": "clickhouse", "keep": "clickhouse", "day": "postgres"}
	for _, name := range [...]string{"table", "collections", "replicated", "old", "keep", "day"} {
		if cmd.Flags().Changed(name) && !strings.Contains(of[name], kind) {
			return fmt.Errorf("--%s is for %s", name, strings.ReplaceAll(of[name], " ", " and "))
		}
	}
	for _, name := range [...]string{o.table, o.collections} {
		if !isTableName(name) {
			return fmt.Errorf("%q is no name of a table: want letters, digits, _ and periods", name)
		}
	}
	return nil
}

// isTableName reports whether a name can stand in a statement as it is.
func isTableName(name string) bool {
	for _, part := range strings.Split(name, ".") {
		if part == "" || part[0] >= '0' && part[0] <= '9' || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return false
		}
	}
	return true
}

func (o *flowsSchemaOptions) print(w io.Writer, kind string) error {
	var statements []string
	switch kind {
	case "clickhouse":
		statements = schema.ClickHouse{Flows: o.table, Collections: o.collections, Replicated: o.replicated, Old: o.old, Days: o.days}.Statements()
	case "postgres":
		p := schema.Postgres{Flows: o.table, Collections: o.collections}
		statements = p.Statements()
		if o.day != "" {
			day, err := time.Parse(time.DateOnly, o.day)
			if err != nil {
				return errors.New("--day " + o.day + ": want a date such as 2026-11-21")
			}
			statements = p.Day(day)
		}
	case "parquet":
		_, err := fmt.Fprintf(w, "%s\n%s\n", schema.Parquet(), schema.ParquetOfCollections())
		return err
	case "json":
		_, err := w.Write(schema.JSON())
		return err
	}
	_, err := io.WriteString(w, strings.Join(statements, ";\n\n")+";\n")
	return err
}
