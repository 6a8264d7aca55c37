package format

import "io"

// Decompress returns what r holds, which may be compressed as traces may be, and
// then is told by how it begins; name stands for it in errors. Closing it does not
// close r.
func Decompress(r io.Reader, name string) (io.ReadCloser, error) {
	raw := &counter{src: r}
	p := &plain{reader{name: name, raw: raw, in: newInput(raw)}}
	kind, err := p.decompress()
	if err != nil {
		p.Close()
		return nil, &Error{File: name, Format: kind, Err: err}
	}
	return p, nil
}

// plain is a decompressed stream.
type plain struct{ reader }

// Read implements io.Reader.
func (p *plain) Read(b []byte) (int, error) { return p.in.Read(b) }
