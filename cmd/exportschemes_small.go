//go:build small

package cmd

import "rtfm/reader/export"

// largeSchemes are the names of those that this program is without.
var largeSchemes = []export.Scheme{
	{Name: "parquet", Missing: true},
}
