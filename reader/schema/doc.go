// Package schema writes the tables that rows of flows and collections go into, as
// databases and files want them: ClickHouse, PostgreSQL, Parquet, JSON Schema. All come
// from the columns of package record, which are the only place where these are listed.
package schema
