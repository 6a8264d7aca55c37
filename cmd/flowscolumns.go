package cmd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
)

// columns finds out the columns that the converter needs and the files do not tell.
// Standard input waits meanwhile.
func (f *flowFiles) columns(ctx context.Context, k *flowfile.Converter, waiting *held) error {
	if slices.Contains(f.names, "-") {
		if _, err := io.Copy(waiting, f.stdin); err != nil {
			return err
		}
		f.stdin = waiting.reader()
		defer func() { f.stdin = waiting.reader() }()
	}
	var found flowfile.ColumnsOf
	first := *f
	first.stderr, first.ordered = new(bytes.Buffer), false // damage is told the second time
	err := first.each(ctx, func(file *flowFile, from record.From) error {
		if k.Form == flowfile.Text && file.all.Head().Format != nil {
			return errKnown
		}
		_, err := record.Copy(&found, from)
		return err
	})
	if err != nil && !errors.Is(err, errKnown) {
		return err
	}
	if k.Form == flowfile.CSV {
		k.Format = found.Table()
	} else if err == nil {
		k.Format = found.Text()
	}
	return nil
}

// errKnown tells that a file's columns are known.
var errKnown = errors.New("the columns are known")
