package cmd

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestOutputReplaces has a file that stands there be written over, in whatever way a
// Writer may be written to.
func TestOutputReplaces(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"Write": func(w io.Writer) error { _, err := w.Write([]byte("new")); return err },
		"Copy": func(w io.Writer) error {
			_, err := io.Copy(w, io.LimitReader(bytes.NewReader([]byte("new")), 3))
			return err
		},
		"String": func(w io.Writer) error {
			_, err := io.WriteString(w, "new")
			return err
		},
	} {
		path := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(path, []byte("what stood there"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := writeTo(t.Context(), path, nil, nil, nil, write); err != nil {
			t.Error(name, err)
		}
		if got, err := os.ReadFile(path); string(got) != "new" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
