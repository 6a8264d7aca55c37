package cmd

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"rtfm/traces"
)

// busy is a source that reads, once it was asked to, until it is released.
type busy struct {
	traces.Source
	asked, release chan struct{}
}

func (s *busy) ReadBatch(*traces.Batch) error {
	close(s.asked)
	<-s.release
	return io.EOF
}

// TestInterruptedReading: with one processor, where nothing is read ahead, a read
// of a regular file that finds no packets ends when it is told to.
func TestInterruptedReading(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, interrupt := context.WithCancel(context.Background())
	src := &busy{asked: make(chan struct{}), release: make(chan struct{})}
	defer close(src.release)
	s := withInterrupt(ctx, src, []string{"traces/testdata/sample.pcap"})
	ended := make(chan error, 1)
	go func() { ended <- s.ReadBatch(new(traces.Batch)) }()
	<-src.asked
	interrupt()
	select {
	case err := <-ended:
		if err != io.EOF {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the read goes on")
	}
}
