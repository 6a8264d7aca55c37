package tracetest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestRequire checks when a test runs, is skipped and fails, by what Require
// does to tests of its own.
func TestRequire(t *testing.T) {
	full, empty := t.TempDir(), t.TempDir()
	for _, name := range []string{"traces", "truth"} {
		if err := os.Mkdir(filepath.Join(full, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		name, what, traces, require string
		path, outcome               string
	}{
		{"there", "traces", full, "traces", full, "runs"},
		{"unset", "traces", "", "", "", "skipped"},
		{"unset, another required", "traces", "", "traces-of-others sh", "", "skipped"},
		{"unset, required", "traces", "", "sh traces", "", "failed"},
		{"empty folder", "traces", empty, "traces", "", "failed"},
		{"no such folder", "traces", filepath.Join(empty, "none"), "", "", "skipped"},
		{"relative", "traces", ".", "", "", "skipped"},
		{"tool missing", "no-such-tool", "", "", "", "skipped"},
		{"tool missing, required", "no-such-tool", "", "no-such-tool", "", "failed"},
		{"tool there", "rtfm-tool", "", "rtfm-tool", filepath.Join(full, "rtfm-tool"), "runs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("RTFM_TRACES", tc.traces)
			t.Setenv("RTFM_REQUIRE", tc.require)
			t.Setenv("PATH", full)
			if err := os.WriteFile(filepath.Join(full, "rtfm-tool"), nil, 0o777); err != nil {
				t.Fatal(err)
			}
			r := &recorder{TB: t, outcome: "runs"}
			var path string
			done := make(chan bool)
			go func() {
				defer close(done)
				path = Require(r, tc.what)
			}()
			<-done
			if path != tc.path || r.outcome != tc.outcome {
				t.Errorf("Require(%q) = %q, test %s; want %q, test %s", tc.what, path, r.outcome, tc.path, tc.outcome)
			}
		})
	}
}

// recorder notes how a test would end instead of ending the one it belongs to.
type recorder struct {
	testing.TB
	outcome string
}

func (r *recorder) Helper()               {}
func (r *recorder) Skip(...any)           { r.end("skipped") }
func (r *recorder) Fatalf(string, ...any) { r.end("failed") }

func (r *recorder) end(outcome string) {
	r.outcome = outcome
	runtime.Goexit()
}
