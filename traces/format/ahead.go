package format

import "io"

// ahead reads a stream on a goroutine of its own, which keeps a few buffers
// ahead of whoever reads from it.
type ahead struct {
	full, free chan []byte
	stop       chan struct{} // closed when no more is wanted
	err        error         // what ended the stream, once full is closed
	buf        []byte        // the one at hand, as long as it was filled
	read       int           // octets of that
}

// Buffers hold two of the largest blocks of zstd.
const (
	aheadBuffers = 4
	aheadSize    = 256 << 10
)

// newAhead returns what reads src ahead. Done, if any, is called when src is not
// read any more, which may be some time after Close.
func newAhead(src io.Reader, done func() error) *ahead {
	a := &ahead{
		full: make(chan []byte, aheadBuffers), free: make(chan []byte, aheadBuffers), stop: make(chan struct{}),
	}
	for range aheadBuffers {
		a.free <- make([]byte, aheadSize)
	}
	go func() {
		defer close(a.full)
		a.err = a.fill(src)
		if done != nil {
			done() // what there was to read has been
		}
	}()
	return a
}

// fill fills buffers until src ends, and returns how.
func (a *ahead) fill(src io.Reader) error {
	for {
		select {
		case buf := <-a.free:
			n, err := src.Read(buf)
			a.full <- buf[:n]
			if err != nil {
				return err
			}
		case <-a.stop:
			return io.ErrClosedPipe
		}
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	if a.read == len(a.buf) {
		if a.buf != nil {
			a.free <- a.buf[:cap(a.buf)]
		}
		a.buf, a.read = <-a.full, 0
		if a.buf == nil {
			return 0, a.err
		}
	}
	n := copy(p, a.buf[a.read:])
	a.read += n
	return n, nil
}

// Close has the goroutine end. It does not wait for it: there may be nothing to
// read for ever.
func (a *ahead) Close() error {
	close(a.stop)
	return nil
}
