package acceptance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/cmd"

	"rtfm/traces/tracetest"
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
	err := runIn(ctx, []string{"run", "-q", "--nemac", pipe}, nil, &out, &errs)
	close(ended)
	if err != failed(130) {
		t.Errorf("ended with %v, want status 130", err)
	}
	if s := out.String(); !strings.Contains(s, "\n1 1 0  2 2  ") || !strings.Contains(s, "\n#EndData: flows=") {
		t.Errorf("wrote %q, want flows", s)
	}
}

// TestLastInterval: after the last interval that was asked for, a meter that
// reads ahead does not wait for what it does not need.
func TestLastInterval(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	packets := tracetest.Mix(9000)
	for i := range packets {
		packets[i].Time = int64(i) * 1e6
	}
	var w *os.File
	opened := make(chan error)
	go func() {
		var err error
		if w, err = os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, err = w.Write(tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...))
		}
		opened <- err
	}()
	done := make(chan error)
	go func() {
		done <- runIn(context.Background(), []string{"run", "-q", "-T", "8.9", "-N", "1", pipe}, nil, io.Discard, io.Discard)
	}()
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the meter waits for more packets")
	}
}

// TestShortenedTrace makes a trace shorter while the program reads it.
func TestShortenedTrace(t *testing.T) {
	dir := t.TempDir()
	trace, pipe := filepath.Join(dir, "trace.pcap"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(20_000)...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	go func() {
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // when the trace before it is open
		if err == nil {
			err = os.Truncate(trace, 0)
		}
		if err == nil {
			_, err = w.Write(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Mix(10)...))
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Error(err)
		}
	}()
	var out, errs bytes.Buffer
	status := runMain([]string{"run", "-q", "-C", trace, "-C", pipe}, nil, &out, &errs)
	if s := errs.String(); status != cmd.StatusDamaged || !strings.Contains(s, "made shorter") {
		t.Errorf("exit status %d, %q", status, s)
	}
}
