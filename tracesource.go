package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rtfm/traces"
)

// traceOptions are the traces that a command meters.
type traceOptions struct {
	sequence []string // its arguments, read one after the other
	merged   []string // those of options, merged by time
}

// flags defines the options.
func (o *traceOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&o.merged, "trace", "C", nil, "meter this `TRACE`; repeated: merged by time, each its own interface")
	f.VarP(f.Lookup("trace").Value, "source", "S", "the same as -C `TRACE`")
}

// check finds traces that do not fit each other.
func (o *traceOptions) check() error {
	if len(o.sequence) > 0 && len(o.merged) > 0 {
		return errors.New("either traces as arguments, one after the other, or with -C, merged by time, not both")
	}
	return nil
}

// names returns the names of the traces.
func (o *traceOptions) names() []string { return append(o.sequence, o.merged...) }

// files is a source of files, which ReadBatch opens unless OpenFiles has.
type files interface {
	traces.Source
	OpenFiles() error
}

// open returns a source of the traces' packets.
func (o *traceOptions) open(notify func(message string)) files {
	if len(o.merged) > 1 {
		return traces.OpenMerged(o.merged, notify)
	}
	return traces.OpenSequence(o.names(), notify)
}

// tracePaths returns the paths of the traces of these names, which may begin
// with a format.
func tracePaths(names []string) []string {
	paths := make([]string, len(names))
	for i, name := range names {
		_, paths[i] = traces.SplitName(name)
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
