package format

import (
	"io"

	"github.com/xi2/xz"
)

// newXZ returns a decompressor of xz data.
func newXZ(in *input) (io.Reader, func() error, error) {
	r, err := xz.NewReader(in, maxWindow)
	if err != nil {
		return nil, nil, xzError(in, err)
	}
	return &xzReader{in, r}, nil, nil
}

// xzReader names the end of the data as other decompressors do.
type xzReader struct {
	in *input
	xz *xz.Reader
}

// Read implements io.Reader.
func (r *xzReader) Read(p []byte) (int, error) {
	n, err := r.xz.Read(p)
	if err != nil && err != io.EOF {
		err = xzError(r.in, err)
	}
	return n, err
}

// xzError returns io.ErrUnexpectedEOF if the decompressor failed at the end of
// the data, else err.
func xzError(in *input, err error) error {
	switch err {
	case xz.ErrBuf:
		if in.err == io.EOF && len(in.window()) == 0 {
			return io.ErrUnexpectedEOF
		}
	case xz.ErrMemlimit:
		return corrupt("xz dictionary of more than %d octets", maxWindow)
	}
	return err
}
