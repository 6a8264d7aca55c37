//go:build !small

package cmd

import (
	"rtfm/reader/export"
	"rtfm/reader/parquet"
)

// largeSchemes are those that programs built with -tags small are without.
var largeSchemes = []export.Scheme{
	{Name: "parquet", New: parquet.New},
}
