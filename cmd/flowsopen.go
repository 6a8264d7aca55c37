package cmd

import (
	"errors"
	"io"
	"os"

	"rtfm/reader/query"
	"rtfm/traces/format"
)

// openFlows opens a flow data file, "-" for standard input, and decompresses it. The
// error is a *damage.
func openFlows(name string, stdin io.Reader) (io.ReadCloser, error) {
	in := io.NopCloser(stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, &damage{err}
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			f.Close()
			return nil, &damage{errors.New("it is a directory")}
		}
		in = f
	}
	plain, err := format.Decompress(in, name)
	if err != nil {
		in.Close()
		return nil, &damage{err}
	}
	return &flowsFile{plain, in}, nil
}

// flowsFile is an open flow data file.
type flowsFile struct {
	io.ReadCloser
	file io.Closer
}

// Close closes both.
func (f *flowsFile) Close() error { return errors.Join(f.ReadCloser.Close(), f.file.Close()) }

// openNetworks reads a list of networks for keys.
func openNetworks(name string) (*query.Networks, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return query.ReadNetworks(f, name)
}
