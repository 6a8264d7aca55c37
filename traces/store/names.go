package store

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What the names of files end in: packets, and an index of them.
const (
	packetsSuffix = ".pcapng"
	indexSuffix   = ".idx"
)

// File is a file of a store.
type File struct {
	Name   string // without its folder
	Number uint64
	Begins int64 // the time of its first packet, nanoseconds since 1970
	Size   int64 // octets
}

var namePattern = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{9})Z-(\d{8,19})\.pcapng$`)

// The layout of the time in a name.
const nameLayout = "20060102T150405.000000000"

// fileName returns the name of a file.
func fileName(begins int64, number uint64) string {
	return fmt.Sprintf("%sZ-%08d%s", time.Unix(0, begins).UTC().Format(nameLayout), number, packetsSuffix)
}

// indexName returns the name of the index of a file.
func indexName(name string) string { return strings.TrimSuffix(name, packetsSuffix) + indexSuffix }

// Files returns the files of a store in the order in which they were written. What
// else is in the folder is passed over.
func Files(dir string) (files []File, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		part := namePattern.FindStringSubmatch(e.Name())
		if part == nil {
			continue
		}
		begins, err := time.Parse(nameLayout, part[1])
		if err != nil {
			continue
		}
		number, err := strconv.ParseUint(part[2], 10, 64)
		if err != nil {
			continue
		}
		st, err := e.Info()
		if err != nil || !st.Mode().IsRegular() {
			continue // it is gone
		}
		files = append(files, File{e.Name(), number, begins.UnixNano(), st.Size()})
	}
	sortFiles(files)
	return files, nil
}
