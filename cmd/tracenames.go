package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rtfm/traces/format"
)

// netflowPrefix stands before the name of a trace whose export datagrams are to
// be metered, netflowScheme before an address at which to receive them.
const (
	netflowPrefix = "netflow:"
	netflowScheme = netflowPrefix + "//"
)

// tracePaths returns the paths of the traces of these names, which may begin
// with netflowPrefix and a format, or with storePrefix.
func tracePaths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		if dir, ok := strings.CutPrefix(name, storePrefix); ok {
			paths[i] = dir
			continue
		}
		_, paths[i] = format.SplitName(strings.TrimPrefix(name, netflowPrefix))
	}
	return paths
}

// tracesExist returns an error if there is no file of one of these traces.
func tracesExist(names []string) error {
	for _, path := range tracePaths(names) {
		if path == "-" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	return nil
}

// baseNames returns the names of the files of these traces, without folders.
func baseNames(names []string) []string {
	base := tracePaths(names)
	for i, path := range base {
		base[i] = filepath.Base(path)
	}
	return base
}

// hint returns what to add to the error of traces that are not in order, or of one
// that is rules or a filter.
func hint(err error) string {
	var order *format.OrderError
	if errors.As(err, &order) {
		return "; traces of one time are merged by -C for each, and --unordered counts all that is earlier at that time"
	}
	var missing *fs.PathError
	if errors.As(err, &missing) && errors.Is(err, fs.ErrNotExist) && strings.Contains(missing.Path, " ") {
		return "; a FILTER goes behind the TRACEs"
	}
	var damage *format.Error
	if !errors.As(err, &damage) || !errors.Is(err, format.ErrFormat) {
		return ""
	}
	switch filepath.Ext(damage.File) {
	case ".srl":
		return "; an SRL program goes behind -r"
	case ".rules":
		return "; a rule file goes behind -r"
	}
	return ""
}
