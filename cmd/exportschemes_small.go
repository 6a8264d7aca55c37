//go:build small

package cmd

import (
	"fmt"

	"rtfm/reader/export"
	"rtfm/reader/feature"
)

// largeSchemes are the names of those that this program is without.
var largeSchemes = []export.Scheme{
	{Name: "kafka", Missing: true},
	{Name: "nats", Missing: true},
	{Name: "parquet", Missing: true},
	{Name: "postgres", Missing: true},
}

// parquetFeatures is without.
func parquetFeatures(path string, _ int) (feature.Rows, error) {
	return nil, fmt.Errorf("--features %s: this rtfm was built without Parquet (-tags small)", path)
}
