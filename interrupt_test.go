package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestInterrupted: a meter that waits for packets ends when it is told to, and
// writes what it has.
func TestInterrupted(t *testing.T) {
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	const pcapHeader = 24
	many := append(sample, bytes.Repeat(sample[pcapHeader:], 10)...)
	testInterrupted(t, many)
	// With one processor the meter does not read ahead.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	testInterrupted(t, many)
}

func testInterrupted(t *testing.T, trace []byte) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	ctx, interrupt := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
		}
		// A pipe holds much less than this, so most of it has been read when
		// all is written; the pipe stays open.
		w.Write(trace)
		interrupt()
		<-ended
		w.Close()
	}()
	var out, errs bytes.Buffer
	err := run(ctx, []string{"run", "-q", pipe}, nil, &out, &errs)
	close(ended)
	var exit *exitError
	if !errors.As(err, &exit) || exit.status != statusInterrupted {
		t.Errorf("ended with %v, want status %d", err, statusInterrupted)
	}
	if s := out.String(); !strings.Contains(s, "\n1 1 0  2 2  ") || !strings.Contains(s, "\n#EndData: flows=") {
		t.Errorf("wrote %q, want flows", s)
	}
}
