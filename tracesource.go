package main

import (
	"path/filepath"

	"rtfm/traces"
)

// tracePaths returns the paths of the traces of these names, which may begin
// with a format.
func tracePaths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		_, paths[i] = traces.SplitName(name)
	}
	return paths
}

// baseNames returns the names of the files of these traces, without folders.
func baseNames(names []string) []string {
	base := tracePaths(names)
	for i, path := range base {
		base[i] = filepath.Base(path)
	}
	return base
}
