package cmd

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"rtfm/traces"
)

// memoryUse is how much memory the program has, in octets: its own, and pages of files that
// are mapped.
type memoryUse struct{ own, files uint64 }

// readMemory reads what Linux tells in /proc/self/status (proc(5)); nothing on other
// systems.
func readMemory(status string) (m memoryUse) {
	for line := range strings.Lines(status) {
		name, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if len(fields) != 2 || fields[1] != "kB" {
			continue
		}
		kB, err := strconv.ParseUint(fields[0], 10, 54)
		if err != nil {
			continue
		}
		switch name {
		case "RssAnon", "RssShmem", "HugetlbPages":
			m.own += kB << 10
		case "RssFile":
			m.files = kB << 10
		}
	}
	return m
}

// memoryWatch notes how much memory there is while a source is read: files are no
// longer mapped when they have ended.
type memoryWatch struct {
	traces.Source
	at   time.Time // when it was looked at last
	most memoryUse
}

// ReadBatch implements traces.Source.
func (w *memoryWatch) ReadBatch(b *traces.Batch) error {
	err := w.Source.ReadBatch(b)
	if now := time.Now(); err != nil || now.Sub(w.at) >= progressEvery {
		w.at = now
		w.look()
	}
	return err
}

func (w *memoryWatch) look() {
	status, _ := os.ReadFile("/proc/self/status")
	m := readMemory(string(status))
	w.most = memoryUse{max(w.most.own, m.own), max(w.most.files, m.files)}
}

// print tells what the memory was.
func (w *memoryWatch) print(to io.Writer) {
	w.look()
	if m := w.most; m.own > 0 {
		fmt.Fprintf(to, "memory: at most %sB of the program's own, and %sB of mapped files (traces and the program), which the system takes back for others\n",
			prefixed(float64(m.own), " "), prefixed(float64(m.files), " "))
	}
}
