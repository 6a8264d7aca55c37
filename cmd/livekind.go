package cmd

import (
	"io"
	"os"

	"rtfm/reader/flowfile"
)

// isCSV reports whether a file begins as the flow data of --csv does.
func isCSV(path string) bool {
	f, err := os.Open(path)
	return string(beginOf(f, err, len(csvHead))) == csvHead
}

const csvHead = "Schema,Meter,"

// isFlowData reports whether a file that was opened begins as flow data does.
func isFlowData[R io.ReadCloser](f R, err error) bool {
	begin := beginOf(f, err, flowfile.Begins)
	return len(begin) > 0 && flowfile.IsOurs(begin)
}

// beginOf returns the first octets of a file that was opened, and closes it.
func beginOf[R io.ReadCloser](f R, err error, most int) []byte {
	if err != nil {
		return nil
	}
	defer f.Close()
	begin := make([]byte, most)
	n, _ := io.ReadFull(f, begin)
	return begin[:n]
}
