package manager

import (
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"rtfm/mib/client"
)

// TestWhatFailed wants the log to tell a full disk from a meter that is silent.
func TestWhatFailed(t *testing.T) {
	var log strings.Builder
	k := newKeeper(&Meter{Name: "m"}, &Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	k.failed(fmt.Errorf("flow data file: %w", &fs.PathError{Op: "write", Path: "m.flows", Err: syscall.ENOSPC}))
	if text := log.String(); !strings.Contains(text, "flow data cannot be written") || strings.Contains(text, "cannot be managed") {
		t.Errorf("a full disk: %s", text)
	}
	log.Reset()
	k.failed(fmt.Errorf("m: %w", client.ErrNoAnswer))
	if text := log.String(); !strings.Contains(text, "cannot be managed") || strings.Contains(text, "flow data") {
		t.Errorf("a silent meter: %s", text)
	}
}
