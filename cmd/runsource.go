package cmd

import (
	"context"
	"fmt"
	"io"

	"rtfm/traces"
)

// open opens the interfaces, or makes a source of the traces, and gives up the
// rights that only that takes. The source ends when ctx is done.
func (o *runOptions) open(ctx context.Context, stderr io.Writer) (src traces.Source, err error) {
	if o.capture.isLive() {
		warn := func(message string) { fmt.Fprintf(stderr, "rtfm: %s\n", message) }
		o.capture.sample, o.capture.idle = &o.sample, o.sample.idle(o.store.idle(o.feed.waits()))
		if src, err = o.capture.open(ctx, o.traces.exporters, warn); err != nil {
			return nil, err
		}
		src = o.traces.steady(src, warn)
	} else {
		files := o.traces.open(o.notify(stderr))
		if o.user != "" { // who may not be allowed to
			if err := files.OpenFiles(); err != nil {
				return nil, &exitError{status: StatusDamaged, err: err}
			}
		}
		src = withInterrupt(ctx, files, o.traces.names())
		if !o.quiet {
			src = withProgress(src, o.traces.names(), stderr)
		}
		src = o.sample.filter(src, false)
		src = o.traces.plausible(src, func(message string) { fmt.Fprintf(stderr, "rtfm: warning: %s\n", message) })
		src = o.capture.filter(src)
	}
	if o.verbose {
		o.memory = &memoryWatch{Source: src}
		src = o.memory
	}
	if err := o.capture.giveUpRights(o.user, nil); err != nil {
		src.Close()
		return nil, err
	}
	return src, nil
}

// notify returns what tells people of things worth knowing, nil if they are not
// to be told.
func (o *runOptions) notify(stderr io.Writer) func(message string) {
	if o.quiet {
		return nil
	}
	return func(message string) { fmt.Fprintf(stderr, "rtfm: %s\n", message) }
}

// sources returns the names of the interfaces or traces as flow data shows them.
func (o *runOptions) sources() []string {
	if o.capture.isLive() {
		return o.capture.interfaces
	}
	return baseNames(o.traces.names())
}

// inputs returns the paths of all files that are read.
func (o *runOptions) inputs() []string {
	return append(tracePaths(o.traces.names()), programFiles(o.programs.programs)...)
}
