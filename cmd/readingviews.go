package cmd

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"rtfm/reader"
)

// isRows reports whether flows are printed as rows, not as a table for people.
func (o *readerOptions) isRows() bool { return o.json || o.csv }

// print prints the flows of a collection. JSON lines and CSV of one that is the only one
// are printed as they come; all else waits until it is whole.
func (r *reading) print(ctx context.Context) error {
	if r.options.isRows() && r.options.once {
		r.page = reader.Stream{W: r.stdout}
		return r.collectOnce(ctx)
	}
	var printed held
	defer printed.close()
	r.page = reader.Stream{W: &printed} // with a header
	if err := r.collectOnce(ctx); err != nil {
		return err
	}
	if r.options.isRows() {
		_, err := io.Copy(r.stdout, printed.reader())
		return err
	}
	if f, ok := r.stdout.(*os.File); ok && r.options.watch && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(f, "\x1b[H\x1b[2J") // cursor home, clear all
	}
	return writeTable(r.stdout, printed.reader)
}
