package cmd

import (
	"slices"

	"rtfm/reader/clickhouse"
	"rtfm/reader/export"
	"rtfm/reader/httppost"
	"rtfm/reader/ipfixsink"
	"rtfm/reader/otlp"
)

// exportSchemes are the kinds of places that collections can go to. Those that take much
// room stand in exportschemes_full.go; programs built with -tags small are without them.
var exportSchemes = slices.Concat([]export.Scheme{
	{Name: "clickhouse", Hosts: true, Port: "8123", Options: clickhouse.Options, New: clickhouse.New},
	{Name: "clickhouses", Hosts: true, Port: "8443", Options: clickhouse.TLSOptions, New: clickhouse.New},
	{Name: "http", Hosts: true, Port: "", Options: httppost.Options, New: httppost.New},
	{Name: "https", Hosts: true, Port: "", Options: httppost.Options, New: httppost.New},
	{Name: "ipfix", Hosts: true, Paths: true, Port: "4739", Options: ipfixsink.UDPOptions, New: ipfixsink.New},
	{Name: "ipfix+tcp", Hosts: true, Port: "4739", Options: ipfixsink.FileOptions, New: ipfixsink.New},
	{Name: "ipfix+tls", Hosts: true, Port: "4740", Options: ipfixsink.TLSOptions, New: ipfixsink.New},
	{Name: "otlp", Hosts: true, Port: "4318", Options: httppost.Options, New: otlp.New},
	{Name: "otlps", Hosts: true, Port: "4318", Options: httppost.Options, New: otlp.New},
}, largeSchemes)
