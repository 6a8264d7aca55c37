package main

import (
	"context"
	"io"
	"os"

	"rtfm/traces"
)

// interruptible is a Source that ends when ctx is done, even while it waits
// for packets that may never come, as a pipe's reader does.
type interruptible struct {
	traces.Source
	ctx   context.Context
	stats traces.Stats
	read  chan error // gives what the read under way has returned
	left  bool       // that read was not waited for
}

// withInterrupt returns src, which ends when ctx is done if one of the traces
// of these names may make it wait.
func withInterrupt(ctx context.Context, src traces.Source, names []string) traces.Source {
	for _, name := range names {
		if st, err := os.Stat(name); name == "-" || err == nil && !st.Mode().IsRegular() {
			return &interruptible{Source: src, ctx: ctx, read: make(chan error, 1)}
		}
	}
	return src
}

// ReadBatch implements traces.Source.
func (s *interruptible) ReadBatch(b *traces.Batch) error {
	if s.left {
		return io.EOF
	}
	go func() { s.read <- s.Source.ReadBatch(b) }()
	select {
	case err := <-s.read:
		s.stats = s.Source.Stats()
		return err
	case <-s.ctx.Done():
		s.left = true
		return io.EOF
	}
}

// Stats implements traces.Source.
func (s *interruptible) Stats() traces.Stats { return s.stats }

// Close implements traces.Source. A read that was left keeps its source.
func (s *interruptible) Close() error {
	if s.left {
		return nil
	}
	return s.Source.Close()
}
