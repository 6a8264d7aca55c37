package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// flowFiles are flow data files that are read as they are.
type flowFiles struct {
	names  []string
	stdin  io.Reader
	stderr io.Writer
	// ordered is set if all are read at once, their collections in order of time.
	ordered bool
	damage  error // the last that was found
}

// flowFile is one that is open.
type flowFile struct {
	name string
	in   io.Closer
	all  *flowfile.Collections
	from record.From // the collection that is to be read next, nil after the last
}

// status returns the error that has the exit status of what was read.
func (f *flowFiles) status() error {
	if f.damage != nil {
		return &exitError{status: StatusDamaged} // it was told
	}
	return nil
}

// tell tells of damage.
func (f *flowFiles) tell(name string, err error) {
	f.damage = err
	fmt.Fprintf(f.stderr, "rtfm: %s: %v\n", name, err)
}

// each calls do for each collection, file by file or in order of the intervals' ends.
// A damaged file ends there; what do returns for other reasons ends it all.
func (f *flowFiles) each(ctx context.Context, do func(*flowFile, record.From) error) error {
	var open []*flowFile
	defer func() {
		for _, file := range open {
			file.in.Close()
		}
	}()
	for _, name := range f.names {
		file := f.open(name)
		if file == nil {
			continue
		}
		if open = append(open, file); f.ordered {
			continue
		}
		for file.from != nil {
			if err := f.one(ctx, file, do); err != nil {
				return err
			}
		}
	}
	for f.ordered {
		var first *flowFile
		for _, file := range open {
			if file.from != nil && (first == nil || file.from.Collection().To < first.from.Collection().To) {
				first = file
			}
		}
		if first == nil {
			break
		}
		if err := f.one(ctx, first, do); err != nil {
			return err
		}
	}
	return nil
}

// open opens a file, nil if there is nothing to be read.
func (f *flowFiles) open(name string) *flowFile {
	in, err := openFlows(name, f.stdin)
	if err != nil {
		f.tell(name, err)
		return nil
	}
	file := &flowFile{name: name, in: in, all: flowfile.NewCollections(in)}
	f.next(file)
	return file
}

// next goes on to the file's next collection.
func (f *flowFiles) next(file *flowFile) {
	from, err := file.all.Next()
	if file.from = from; err != nil {
		if file.from = nil; err != io.EOF {
			f.tell(file.name, err)
		}
		file.in.Close()
	}
}

// one passes a file's collection to do.
func (f *flowFiles) one(ctx context.Context, file *flowFile, do func(*flowFile, record.From) error) error {
	from := &watched{From: file.from, ctx: ctx}
	err := do(file, from)
	switch {
	case err == nil:
		f.next(file)
	case from.damage != nil && errors.Is(err, from.damage):
		f.tell(file.name, from.damage)
		file.from = nil
	default:
		return err
	}
	return nil
}

// watched is a collection of which it is known whether it was damaged. Its flows end
// when ctx is done.
type watched struct {
	record.From
	ctx    context.Context
	damage error
}

// Flows implements record.From.
func (w *watched) Flows(put func(*match.Flow, *record.Counters) error) error {
	var other error
	n := 0
	err := w.From.Flows(func(f *match.Flow, counted *record.Counters) error {
		if n++; n%4096 == 0 {
			if other = w.ctx.Err(); other != nil {
				return other
			}
		}
		other = put(f, counted)
		return other
	})
	if err != nil && other == nil {
		w.damage = err
	}
	return err
}
