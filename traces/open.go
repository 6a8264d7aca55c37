package traces

import (
	"fmt"
	"io"
	"os"
)

// Open opens the trace of the given name; "-" is standard input.
func Open(name string) (Source, error) {
	if name == "-" {
		return NewReader(os.Stdin, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	src, err := newReader(openedFile(f), name)
	if err != nil {
		f.Close()
		return nil, err
	}
	src.close = append(src.close, f.Close)
	return src, nil
}

// NewReader returns a Source over the trace that r holds; name stands for it
// in errors and in Batch.File. Closing the source does not close r. The error
// is an *Error, of kind ErrFormat when r holds no trace.
func NewReader(r io.Reader, name string) (Source, error) {
	src, err := newReader(r, name)
	if err != nil {
		return nil, err
	}
	return src, nil
}

// sniffLength is how many octets at most are looked at to recognise a format
// that has no magic number. An ERF record is shorter than half of it.
const sniffLength = 1 << 17

func newReader(r io.Reader, name string) (*reader, error) {
	raw := &counter{src: r}
	src := &reader{name: name, raw: raw, in: newInput(raw)}
	kind, err := src.decompress()
	if err == nil {
		src.compression = kind
		src.format, err = src.in.sniff()
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

// sniff recognises the format of the trace that in holds, and passes over the
// file's header.
func (in *input) sniff() (format, error) {
	if err := in.fill(4); err != nil && err != io.EOF {
		return nil, err
	}
	switch head := in.window(); {
	case len(head) == 0:
		return nil, fmt.Errorf("empty: %w", ErrFormat)
	case isPcap(head):
		if err := in.fill(pcapHeader); err == io.EOF {
			return nil, fmt.Errorf("%w: %d of %d octets of the pcap header", ErrTruncated, len(in.window()), pcapHeader)
		} else if err != nil {
			return nil, err
		}
		p, err := newPcap(in.window())
		if err != nil {
			return nil, err
		}
		in.discard(pcapHeader)
		return p, nil
	case isPcapng(head):
		return new(pcapng), nil
	}
	// ERF has no magic number: as much as is sensible has to be looked at.
	if err := in.fill(sniffLength); err != nil && err != io.EOF {
		return nil, err
	}
	head := in.window()
	if isERF(head) {
		return new(erf), nil
	}
	return nil, fmt.Errorf("begins with % x: %w", head[:min(len(head), 8)], ErrFormat)
}
