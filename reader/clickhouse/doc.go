// Package clickhouse sends collections to ClickHouse over HTTP, as JSONEachRow.
//
// A collection's flows go in parts of some rows each, and its own row behind them, into a
// table of its own. A part that is sent again has the same token and the same rows: within
// the server's window it is not inserted twice, and later ReplacingMergeTree makes one of
// rows with the same key.
package clickhouse
