package cmd

import (
	"bytes"
	"os"
)

// openLines opens a file to which lines are appended. The beginning of a line that has
// no end, since the program was killed, is cut off.
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
