package cmd

import (
	"io"
	"os"

	"golang.org/x/term"

	"rtfm/reader/table"
)

// styleOf returns how tables are written to w: as wide as a terminal, with a bold header
// unless NO_COLOR is set or the terminal is a dumb one.
func styleOf(w io.Writer) table.Options {
	f, ok := w.(*os.File)
	if !ok {
		return table.Options{}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return table.Options{} // a file or a pipe
	}
	kind := os.Getenv("TERM")
	return table.Options{Width: width, Bold: os.Getenv("NO_COLOR") == "" && kind != "" && kind != "dumb"}
}

// hasTerminal reports whether the process belongs to a terminal.
func hasTerminal() bool {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err == nil {
		f.Close()
	}
	return err == nil
}
