package format

import (
	"errors"
	"fmt"
	"io"

	"rtfm/traces"
)

// ErrUnfit means that a packet cannot be written in a format.
var ErrUnfit = errors.New("does not fit the format")

// unfit returns an error of kind ErrUnfit.
func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnfit, fmt.Sprintf(format, args...))
}

// recorder is a trace format being written.
type recorder interface {
	// name returns the format's name.
	name() string
	// record appends p's record to b, and what has to stand before it. An error
	// is of kind ErrUnfit.
	record(b []byte, p *traces.Packet) ([]byte, error)
	// finish appends to b what has to stand at the end of the trace.
	finish(b []byte) []byte
	// lost notes that so many packets were lost at an interface before the next
	// one.
	lost(number uint32, n uint64)
	// notes tells what the format could not keep of what it was given.
	notes() []string
}

// recorders are the formats that can be written, with the suffixes of their
// names.
var recorders = [...]struct {
	name     string
	suffixes []string
	open     func(snap uint32) recorder
}{
	{"pcap", []string{".pcap", ".cap", ".dmp"}, func(snap uint32) recorder { return &pcapRecorder{snap: snap} }},
	{"pcapng", []string{".pcapng", ".ntar"}, func(snap uint32) recorder { return &ngRecorder{snap: snap} }},
	{"erf", []string{".erf", ".dag"}, func(uint32) recorder { return &erfRecorder{} }},
	{"hpcap", []string{".raw"}, func(uint32) recorder { return &hpcapRecorder{size: hpcapFile} }},
}

// Writer writes packets as a trace. It is not safe for concurrent use.
type Writer struct {
	name    string
	w       io.Writer
	format  recorder
	buf     []byte
	packets int64
	// placeless are notes of what the format has no place for.
	placeless []string
}

// NewWriter returns a Writer to w of the format of this name: pcap, pcapng, erf
// or hpcap. At most snap octets of each packet were captured, which most
// formats record; 0 means all. The name stands for w in errors.
//
// Times are written exactly, to the nanosecond. Frame check sequences are not
// written; only ERF counts their octets.
func NewWriter(w io.Writer, name, format string, snap uint32) (*Writer, error) {
	for _, r := range recorders {
		if r.name == format {
			return &Writer{name: name, w: w, format: r.open(snap)}, nil
		}
	}
	return nil, fmt.Errorf("%s: there is no format %q to write", name, format)
}

// writeSize is how many octets are gathered before they are written.
const writeSize = 128 << 10

// Write adds a packet. The error is of kind ErrUnfit when the format cannot
// hold the packet.
func (w *Writer) Write(p *traces.Packet) error {
	var err error
	if w.buf, err = w.format.record(w.buf, p); err != nil {
		return w.failed(err)
	}
	w.packets++
	if len(w.buf) >= writeSize {
		return w.flush()
	}
	return nil
}

// Describe announces all known interfaces that packets will come from. Formats
// without a place for that ignore it.
func (w *Writer) Describe(interfaces []traces.Interface) {
	if f, ok := w.format.(interface {
		describe(b []byte, interfaces []traces.Interface) []byte
	}); ok {
		w.buf = f.describe(w.buf, interfaces)
	}
}

// About says what the trace is, before the first packet. Formats without a place for
// that tell in their notes.
func (w *Writer) About(text string) {
	if f, ok := w.format.(interface{ about(text string) }); ok {
		f.about(text)
		return
	}
	w.placeless = append(w.placeless, fmt.Sprintf("%s has no place for %q, which pcapng has", w.format.name(), text))
}

// Comment says something of the next packet. Formats without a place for that ignore it.
func (w *Writer) Comment(text string) {
	if f, ok := w.format.(interface{ comment(text string) }); ok {
		f.comment(text)
	}
}

// Lost records that n packets were lost at the interface with this number
// before the next packet.
func (w *Writer) Lost(number uint32, n uint64) { w.format.lost(number, n) }

// Notes lists what the format could not represent.
func (w *Writer) Notes() []string { return append(w.format.notes(), w.placeless...) }

// Close writes what is still to be written. It does not close the io.Writer.
func (w *Writer) Close() error {
	w.buf = w.format.finish(w.buf)
	return w.flush()
}

func (w *Writer) flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return w.failed(err)
	}
	return nil
}

func (w *Writer) failed(err error) error {
	return fmt.Errorf("%s: %s: packet %d: %w", w.name, w.format.name(), w.packets+1, err)
}
