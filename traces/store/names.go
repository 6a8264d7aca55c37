package store

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What the names of files end in beside packets: an index of them, and marks of those
// whose format has none.
const (
	indexSuffix = ".idx"
	marksSuffix = ".marks"
)

// formats are those of files, as package format calls them, by what their names end in.
var formats = [...]struct{ name, suffix string }{{"pcapng", ".pcapng"}, {"pcap", ".pcap"}, {"erf", ".erf"}, {"hpcap", ".raw"}}

// Formats returns the formats that files can have.
func Formats() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// File is a file of a store.
type File struct {
	Name   string // without its folder
	Format string // as package format calls it
	Number uint64
	Begins int64 // the time of its first packet, nanoseconds since 1970
	Size   int64 // octets
}

var namePattern = regexp.MustCompile(`^(\d{8}T\d{6}\.\d{9})Z-(\d{8,19})(\.[a-z]+)$`)

// The layout of the time in a name.
const nameLayout = "20060102T150405.000000000"

// newFile returns a file with its name.
func newFile(format string, begins int64, number uint64) File {
	f := File{Format: format, Number: number, Begins: begins}
	for _, k := range formats {
		if k.name == format {
			f.Name = fmt.Sprintf("%sZ-%08d%s", time.Unix(0, begins).UTC().Format(nameLayout), number, k.suffix)
		}
	}
	return f
}

// indexName returns the name of the index of a file, marksName that of its marks.
func indexName(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) + indexSuffix }
func marksName(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) + marksSuffix }

// Files returns the files of a store in the order in which they were written. What
// else is in the folder is passed over.
func Files(dir string) (files []File, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		f, ok := parseName(e.Name())
		if !ok {
			continue
		}
		st, err := e.Info()
		if err != nil || !st.Mode().IsRegular() {
			continue // it is gone
		}
		f.Size = st.Size()
		files = append(files, f)
	}
	sortFiles(files)
	return files, nil
}

// parseName returns the file of this name, and false if it is none.
func parseName(name string) (f File, ok bool) {
	part := namePattern.FindStringSubmatch(name)
	if part == nil {
		return f, false
	}
	k := slices.IndexFunc(formats[:], func(k struct{ name, suffix string }) bool { return k.suffix == part[3] })
	begins, err := time.Parse(nameLayout, part[1])
	if err != nil || k < 0 {
		return f, false
	}
	number, err := strconv.ParseUint(part[2], 10, 64)
	return File{Name: name, Format: formats[k].name, Number: number, Begins: begins.UnixNano()}, err == nil
}
