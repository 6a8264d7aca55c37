package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"rtfm/traces/feed"
)

// urls returns where feeds come from.
func (o *feedReceiverOptions) urls(files []string) (all []feed.URL) {
	all = append(all, o.listen...)
	for _, name := range files {
		all = append(all, feed.URL{Network: "file", Address: name})
	}
	return all
}

// onlyFiles reports whether all feeds are read from files.
func (o *feedReceiverOptions) onlyFiles(files []string) bool {
	for _, u := range o.urls(files) {
		if !u.IsFile() {
			return false
		}
	}
	return true
}

// urlList is the places where feeds come from. It is a pflag.Value.
type urlList []feed.URL

// Set implements pflag.Value.
func (l *urlList) Set(text string) error {
	u, err := feed.ParseURL(text)
	if err == nil {
		*l = append(*l, u)
	}
	return err
}

// String implements pflag.Value. There is no default.
func (l *urlList) String() string { return "" }

// Type implements pflag.Value.
func (*urlList) Type() string { return "url" }

// output opens a file to which is appended, nil without a name.
func (r *feedRun) output(cmd *cobra.Command, name string) (io.Writer, error) {
	switch name {
	case "":
		return nil, nil
	case "-":
		return cmd.OutOrStdout(), nil
	}
	f, err := openLines(name)
	if err == nil {
		r.close = append(r.close, f)
	}
	return f, err
}

// isThere reports whether there is a file of this name, or something that hides one.
func isThere(name string) bool {
	_, err := os.Stat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// urlFlag is where a feed goes. It is a pflag.Value.
type urlFlag struct{ to *feed.URL }

// Set implements pflag.Value.
func (f urlFlag) Set(text string) (err error) {
	if f.to.Network != "" {
		return fmt.Errorf("a meter has one feed, and that is %s", f.to)
	}
	*f.to, err = feed.ParseURL(text)
	return err
}

// String implements pflag.Value. There is no default.
func (f urlFlag) String() string { return "" }

// Type implements pflag.Value.
func (urlFlag) Type() string { return "url" }
