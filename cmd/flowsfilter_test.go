package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilterIntoItself refuses to append records to the file that they are read from,
// which would have no end.
func TestFilterIntoItself(t *testing.T) {
	name := filepath.Join(t.TempDir(), "all.flows")
	if err := os.WriteFile(name, []byte("##NeTraMet\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var o flowsFilterOptions
	cmd := flowsFilterCommand()
	cmd.SetContext(context.Background())
	cmd.SetOut(f)
	cmd.SetErr(new(bytes.Buffer))
	err = o.run(cmd, []string{"Octets > 0", name})
	if err == nil || !strings.Contains(err.Error(), "writing to standard output would destroy") {
		t.Error(err)
	}
}
