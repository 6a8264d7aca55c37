package format

import (
	"io"
	"os"
	"sync/atomic"
)

// bufferSize is the size in octets of the buffer that a stream is read into.
// In BenchmarkPcap 64 KiB were a tenth slower, 1 MiB a fifth.
const bufferSize = 256 << 10

// input is a stream seen through a window that can be moved on and filled. The
// octets of the window stay where they are until the next fill.
type input struct {
	src  io.Reader
	buf  []byte
	r, w int   // the window is buf[r:w]
	off  int64 // where the window begins in the stream
	err  error // what ended src: io.EOF or its failure
	// mapping is what buf is of, nil if it is a buffer.
	mapping *mapping
	file    *os.File // that is mapped
}

func newInput(src io.Reader) *input {
	return &input{src: src, buf: make([]byte, bufferSize)}
}

// window returns the octets that were read and not passed over.
func (in *input) window() []byte { return in.buf[in.r:in.w] }

// discard takes the first n octets out of the window.
func (in *input) discard(n int) {
	in.r += n
	in.off += int64(n)
}

// fill reads until the window holds at least need octets, and as many more as
// a single read gives. It invalidates all windows returned before. When the
// stream ends or fails first, it returns that error, io.EOF for an end, and
// the window holds what there was.
//
// The buffer grows only when it is full, at most to twice what has been read
// already, so a record that lies about its length costs no memory.
func (in *input) fill(need int) error {
	for in.w-in.r < need {
		if in.mapping != nil {
			in.reread(in.off, in.window())
		}
		if in.err != nil {
			return in.err
		}
		if in.r > 0 {
			copy(in.buf, in.buf[in.r:in.w])
			in.w -= in.r
			in.r = 0
		}
		if in.w == len(in.buf) {
			buf := make([]byte, min(2*len(in.buf), need))
			copy(buf, in.buf)
			in.buf = buf
		}
		in.read()
	}
	return nil
}

// read reads once into the free end of the buffer, which is not empty.
func (in *input) read() {
	// A reader may return nothing and no error, but not for ever.
	for range 100 {
		n, err := in.src.Read(in.buf[in.w:])
		in.w += n
		in.err = err
		if n > 0 || err != nil {
			return
		}
	}
	in.err = io.ErrNoProgress
}

// Read implements io.Reader, for the decompressors.
func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := in.fill(1); err != nil {
		return 0, err
	}
	n := copy(p, in.window())
	in.discard(n)
	return n, nil
}

// ReadByte implements io.ByteReader, so that decompressors need no buffer of
// their own.
func (in *input) ReadByte() (byte, error) {
	if in.r == in.w {
		if err := in.fill(1); err != nil {
			return 0, err
		}
	}
	c := in.buf[in.r]
	in.discard(1)
	return c, nil
}

// counter counts the octets read from src and keeps the error that ended it.
type counter struct {
	src io.Reader
	n   atomic.Uint64 // a decompressor may read while others look
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n.Add(uint64(n))
	if err != nil {
		c.err = err
	}
	return n, err
}
