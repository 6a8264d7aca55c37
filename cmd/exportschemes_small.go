//go:build small

package cmd

import "rtfm/reader/export"

// largeSchemes are the names of those that this program is without.
var largeSchemes = []export.Scheme{
	{Name: "kafka", Missing: true},
	{Name: "nats", Missing: true},
	{Name: "parquet", Missing: true},
	{Name: "postgres", Missing: true},
}
