package cmd

import (
	"bytes"
	"fmt"
	"os"
)

// openLines opens a file to which lines of JSON are appended. The beginning of a line that
// has no end, since the program was killed, is cut off. A file of something else is left
// as it is.
func openLines(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return f, err
	}
	end, room := st.Size(), make([]byte, 1<<16)
	if n, _ := f.ReadAt(room[:1], 0); n > 0 && room[0] != '{' {
		f.Close()
		return nil, fmt.Errorf("%s: these are no lines of JSON, and nothing was done to it", name)
	}
	for end > 0 {
		n := min(end, int64(len(room)))
		if _, err := f.ReadAt(room[:n], end-n); err != nil {
			f.Close()
			return nil, err
		}
		if at := bytes.LastIndexByte(room[:n], '\n'); at >= 0 {
			end += int64(at) + 1 - n
			break
		}
		end -= n
	}
	return f, f.Truncate(end)
}
