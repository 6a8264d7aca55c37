package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// output is a file of results. What stood in it before stays there until there
// is something to put in its place.
type output struct {
	file    *os.File // not embedded: all is written through Write
	name    string
	made    bool // it was not there before
	regular bool
	begun   bool // something was written
}

// openOutput opens the file of this name. A pipe is opened when somebody reads
// it, or not at all when ctx is done before.
func openOutput(ctx context.Context, name string) (*output, error) {
	o := &output{name: name, regular: true}
	if st, err := os.Stat(name); err == nil {
		o.regular = st.Mode().IsRegular()
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	switch {
	case err == nil:
		o.made = true
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	case o.regular: // or a link to none
		f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	default:
		f, err = openWaiting(ctx, name)
	}
	o.file = f
	return o, err
}

// openWaiting opens a pipe for writing.
func openWaiting(ctx context.Context, name string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	result := make(chan opened, 1)
	go func() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		result <- opened{f, err}
	}()
	select {
	case r := <-result:
		return r.f, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("open %s: nobody reads it: %w", name, ctx.Err())
	}
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if err := o.begin(); err != nil {
		return 0, err
	}
	return o.file.Write(p)
}

// begin takes away what stood in the file before.
func (o *output) begin() error {
	if o.begun {
		return nil
	}
	o.begun = true
	if !o.regular {
		return nil
	}
	return o.file.Truncate(0)
}

// finish closes the file, which is then empty if there was nothing to write. When
// there was not because of err, which it returns, all is as it was before.
func (o *output) finish(err error) error {
	switch {
	case err == nil:
		err = o.begin()
	case o.made && !o.begun:
		os.Remove(o.name)
	}
	return errors.Join(err, o.file.Close())
}

// writeTo gives write the file of this name, or without a name stdout. It refuses
// to write over one of the files of names inputs, of which "-" is stdin.
func writeTo(ctx context.Context, name string, inputs []string, stdin io.Reader, stdout io.Writer, write func(io.Writer) error) error {
	if name == "" || name == "-" {
		if err := notRead(statOf(stdout), "standard output", inputs, stdin); err != nil {
			return err
		}
		return write(stdout)
	}
	old, err := os.Stat(name)
	if err == nil {
		err = notRead(old, name, inputs, stdin)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return err
	}
	f, err := openOutput(ctx, name)
	if err != nil {
		return err
	}
	return f.finish(write(f))
}

// notRead returns an error if the file old, which is called name, is one of those
// that are read.
func notRead(old fs.FileInfo, name string, inputs []string, stdin io.Reader) error {
	if old == nil || !old.Mode().IsRegular() {
		return nil
	}
	for _, input := range inputs {
		in, called := statOf(stdin), "standard input"
		if input != "-" {
			called = input
			in, _ = os.Stat(input)
		}
		if in != nil && os.SameFile(old, in) {
			return fmt.Errorf("writing to %s would destroy %s, which is read", name, called)
		}
	}
	return nil
}

// statOf returns what is known of the file that stream is, nil if it is none.
func statOf(stream any) fs.FileInfo {
	f, ok := stream.(*os.File)
	if !ok {
		return nil
	}
	st, err := f.Stat()
	if err != nil {
		return nil
	}
	return st
}
