//go:build !small

package cmd

import (
	"rtfm/reader/export"
	"rtfm/reader/nats"
	"rtfm/reader/parquet"
)

// largeSchemes are those that programs built with -tags small are without.
var largeSchemes = []export.Scheme{
	{Name: "nats", Hosts: true, Port: "4222", Options: nats.Options, New: nats.New},
	{Name: "parquet", New: parquet.New},
}
