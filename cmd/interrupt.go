package cmd

import (
	"context"
	"io"
	"os"
	"runtime"

	"rtfm/traces"
)

// interruptible is a Source that ends when ctx is done, even while it waits
// for packets that may never come, as a pipe's reader does.
type interruptible struct {
	traces.Source
	ctx   context.Context
	waits bool // reading may take for ever, or nobody else looks at ctx meanwhile
	stats traces.Stats
	read  chan error    // gives what the read under way has returned
	left  bool          // that read was not waited for
	own   *traces.Batch // that it fills
}

// withInterrupt returns src, which reads the traces of these names, as a source
// that ends when ctx is done.
func withInterrupt(ctx context.Context, src traces.Source, names []string) traces.Source {
	s := &interruptible{Source: src, ctx: ctx, read: make(chan error, 1)}
	// With one processor nothing is read ahead, and a read that finds no packet in a
	// large file would keep whoever waits for it from looking at ctx.
	s.waits = runtime.GOMAXPROCS(0) == 1
	for _, path := range tracePaths(names) {
		if st, err := os.Stat(path); path == "-" || err == nil && !st.Mode().IsRegular() {
			s.waits = true
		}
	}
	return s
}

// ReadBatch implements traces.Source.
func (s *interruptible) ReadBatch(b *traces.Batch) error {
	if s.left || s.ctx.Err() != nil {
		b.Packets, b.Records, b.Mapping = b.Packets[:0], b.Records[:0], nil
		return io.EOF
	}
	if !s.waits {
		return s.Source.ReadBatch(b)
	}
	if s.own == nil {
		s.own = traces.NewBatch(cap(b.Packets))
	}
	s.own.MayMap = b.MayMap
	go func() { s.read <- s.Source.ReadBatch(s.own) }()
	select {
	case err := <-s.read:
		*b, *s.own = *s.own, *b
		s.stats = s.Source.Stats()
		return err
	case <-s.ctx.Done():
		b.Packets, b.Records, b.Mapping = b.Packets[:0], b.Records[:0], nil
		s.left = true
		return io.EOF
	}
}

// Stats implements traces.Source.
func (s *interruptible) Stats() traces.Stats {
	if !s.waits {
		return s.Source.Stats()
	}
	return s.stats
}

// Describe implements traces.Describer.
func (s *interruptible) Describe() (d traces.Description) {
	if src, ok := s.Source.(traces.Describer); ok && !s.left {
		d = src.Describe()
	}
	return d
}

// Close implements traces.Source. When ctx is done, a read may still be under
// way, and the source is left to the end of the program.
func (s *interruptible) Close() error {
	if s.ctx.Err() != nil {
		return nil
	}
	return s.Source.Close()
}
