package format

import (
	"io"
	"os"

	"rtfm/traces"
)

// Open opens the trace of the given name: the path of a file, or "-" for
// standard input, or either after the name of its format and a colon, as in
// "tsh:FILE". A file whose own name begins like that needs a path:
// "./tsh:FILE".
func Open(name string) (traces.Source, error) {
	_, path := SplitName(name)
	if path == "-" {
		return NewReader(os.Stdin, name)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return newFile(f, name)
}

// newFile returns a Source over the trace in f, which it closes.
func newFile(f *os.File, name string) (traces.Source, error) {
	src, err := newReader(f, name)
	if err != nil {
		f.Close()
		return nil, err
	}
	src.file = f
	src.close = append(src.close, f.Close)
	return src, nil
}

// NewReader returns a Source over the trace that r holds; name stands for it
// in errors and in Batch.File, and may begin with its format, as for Open.
// Closing the source does not close r. The error is an *Error, of kind
// ErrFormat when r holds no trace.
func NewReader(r io.Reader, name string) (traces.Source, error) {
	src, err := newReader(r, name)
	if err != nil {
		return nil, err
	}
	return src, nil
}

func newReader(r io.Reader, name string) (*reader, error) {
	raw := &counter{src: r}
	src := &reader{name: name, raw: raw, in: newInput(raw), size: sizeFrom(r)}
	kind, err := src.decompress()
	if err == nil {
		src.compression = kind
		if named, _ := SplitName(name); named != "" {
			src.format, err = src.in.openNamed(named)
		} else {
			src.format, src.guessed, err = src.in.sniff()
		}
		if err != nil && err == src.in.err {
			kind = "" // the decompressor's error has it
		}
	}
	if err != nil {
		src.Close()
		return nil, &Error{File: name, Format: kind, Err: err}
	}
	return src, nil
}

// sizeFrom returns how many octets there are to read of r, 0 if r is not a
// regular file.
func sizeFrom(r io.Reader) int64 {
	f, ok := r.(*os.File)
	if !ok {
		return 0
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return 0
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0
	}
	return max(st.Size()-at, 0)
}
