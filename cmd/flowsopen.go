package cmd

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

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

// cutExpr takes the expression from the front of the arguments, if one is there: what
// is no file, and not "-".
func cutExpr(args []string) (*query.Expr, []string, error) {
	if len(args) == 0 || args[0] == "-" {
		return nil, args, nil
	}
	if _, err := os.Stat(args[0]); err == nil {
		return nil, args, nil
	}
	if len(args) == 1 && !strings.ContainsAny(args[0], "=<> ") {
		_, err := os.Stat(args[0])
		if err == nil {
			err = fs.ErrNotExist
		}
		return nil, nil, err
	}
	e, err := query.Parse("filter", args[0])
	return e, args[1:], err
}
