//go:build !small

package cmd

import (
	"rtfm/reader/export"
	"rtfm/reader/feature"
	"rtfm/reader/kafka"
	"rtfm/reader/nats"
	"rtfm/reader/parquet"
	"rtfm/reader/postgres"
)

// largeSchemes are those that programs built with -tags small are without.
var largeSchemes = []export.Scheme{
	{Name: "kafka", Hosts: true, Port: "9092", Options: kafka.Options, New: kafka.New},
	{Name: "nats", Hosts: true, Port: "4222", Options: nats.Options, New: nats.New},
	{Name: "parquet", New: parquet.New},
	{Name: "postgres", Hosts: true, Paths: true, Port: "5432", Options: postgres.Options, New: postgres.New},
}

// parquetFeatures makes a Parquet file of features.
func parquetFeatures(path string, first int) (feature.Rows, error) {
	return parquet.NewFeatures(path, first)
}
