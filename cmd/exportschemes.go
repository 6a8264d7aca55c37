package cmd

import (
	"rtfm/reader/export"
	"rtfm/reader/httppost"
)

// exportSchemes are the kinds of places that collections can go to.
var exportSchemes = []export.Scheme{
	{Name: "http", Hosts: true, Port: "", Options: httppost.Options, New: httppost.New},
	{Name: "https", Hosts: true, Port: "", Options: httppost.Options, New: httppost.New},
}
