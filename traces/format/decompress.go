package format

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory in octets that the compressed data may ask for:
// what the zstd tool itself accepts, and twice the dictionary of `xz -9`.
const maxWindow = 128 << 20

// compressions are the known ones, recognised by the octets they begin with.
var compressions = [...]struct {
	name  string
	magic string
	open  func(in *input) (r io.Reader, close func() error, err error)
}{
	{"gzip", "\x1f\x8b", func(in *input) (io.Reader, func() error, error) {
		// gzip reads a bufio.Reader directly; any other reader costs an interface
		// call per byte.
		r, err := gzip.NewReader(bufio.NewReaderSize(in, bufferSize))
		return r, nil, err
	}},
	{"bzip2", "BZh", func(in *input) (io.Reader, func() error, error) {
		return bzip2.NewReader(in), nil, nil
	}},
	{"xz", "\xfd7zXZ\x00", newXZ},
	{"zstd", "\x28\xb5\x2f\xfd", func(in *input) (io.Reader, func() error, error) {
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return r, func() error { r.Close(); return nil }, nil
	}},
}

// magicLength is the length of the longest magic of compressions.
const magicLength = 6

// decompress puts a decompressor before r.in when the stream is compressed,
// and returns the compression's name. Where there are several processors, it
// works on one of its own.
func (r *reader) decompress() (string, error) {
	if err := r.in.fill(magicLength); err != nil && err != io.EOF {
		return "", err
	}
	for _, c := range compressions {
		if !bytes.HasPrefix(r.in.window(), []byte(c.magic)) {
			continue
		}
		z := &decompressor{name: c.name, raw: r.raw}
		src, done, err := c.open(r.in)
		if err != nil {
			return c.name, z.failed(err)
		}
		z.src = src
		if runtime.GOMAXPROCS(0) > 1 {
			a := newAhead(z, done)
			r.close = append(r.close, a.Close)
			r.in = newInput(a)
			return c.name, nil
		}
		if done != nil {
			r.close = append(r.close, done)
		}
		r.in = newInput(z)
		return c.name, nil
	}
	return "", nil
}

// decompressor tells damage of the compressed data from failures of the file
// below it.
type decompressor struct {
	name string
	src  io.Reader
	raw  *counter
}

// Read implements io.Reader.
func (z *decompressor) Read(p []byte) (int, error) {
	n, err := z.src.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: %w", z.name, z.failed(err))
	}
	return n, err
}

// failed returns err as damage of the right kind, or what made it happen.
func (z *decompressor) failed(err error) error {
	switch {
	case z.raw.err != nil && z.raw.err != io.EOF:
		return z.raw.err
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("compressed data %w", ErrTruncated)
	}
	if errors.Is(err, ErrCorrupt) {
		return err
	}
	return corrupt("compressed data: %v", err)
}
