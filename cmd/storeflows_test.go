package cmd

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/reader/flowlist"
	"rtfm/traces/store"
)

// TestWithin asks for no packets outside of the time that was asked for, whether rows tell
// when their flows were or not.
func TestWithin(t *testing.T) {
	const address = `{"SourcePeerAddress":"192.0.2.1"`
	for _, tt := range []struct {
		rows     string
		from, to int64
	}{
		{address + "}", 1e15, 3e15},
		{address + `,"FirstTimeNs":2000000000000000}`, 2e15 - lateness, 3e15},
		{address + `,"LastActiveTimeNs":2000000000000000}`, 1e15, 2e15 + 1},
		{address + `,"FirstTimeNs":-9223372036854775807}`, 1e15, 3e15},
	} {
		o := originOptions{of: flowlist.New(false)}
		if err := o.of.Read(strings.NewReader(tt.rows)); err != nil {
			t.Fatal(err)
		}
		q := store.Query{From: 1e15, To: 3e15}
		if o.within(&q); q.From != tt.from || q.To != tt.to {
			t.Errorf("%s: from %d to %d, want %d to %d", tt.rows, q.From, q.To, tt.from, tt.to)
		}
	}
	o := originOptions{of: flowlist.New(false)}
	q := store.Query{From: math.MinInt64, To: math.MaxInt64}
	if o.within(&q); q.From < q.To {
		t.Errorf("no flows are from %d to %d", q.From, q.To)
	}
}

// TestExportName exports to a folder's name with a slash behind it, as shells complete it,
// and not at all where there is a file.
func TestExportName(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	w, err := store.NewWriter(store.Config{Dir: from})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	export := func(to string) error {
		c := storeExportCommand()
		c.SetContext(t.Context())
		c.SetArgs([]string{from, "-d", to, "-q"})
		return c.Execute()
	}
	to := filepath.Join(dir, "to")
	if err := export(to + "/"); err != nil {
		t.Error(err)
	}
	if _, err := store.Open(to, store.Query{}); err != nil {
		t.Error(err)
	}
	lock := filepath.Join(to, "lock")
	if err := export(lock); err == nil {
		t.Error("a file is taken for a folder")
	}
	if left, _ := filepath.Glob(lock + ".part"); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
