package format

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// formatKind is a known trace format.
type formatKind struct {
	// name is the format's name in messages, and before a colon in the names
	// of traces, where aliases may stand too: those of libtrace.
	name    string
	aliases []string
	// begins reports whether head, the first octets of a stream, has the magic
	// number of the format; nil if it has none.
	begins func(head []byte) bool
	// resembles reports whether head, as much as is looked at, holds several
	// records of the format; nil if that need not be guessed.
	resembles func(head []byte) bool
	// open passes over the header of a stream that is of this format.
	open func(in *input) (format, error)
}

// formats are the known ones. Those without a magic number are tried in this
// order, the ones that are easiest to tell first.
var formats = [...]formatKind{
	{name: "pcap", aliases: []string{"pcapfile"}, begins: isPcap, open: openPcap},
	{name: "pcapng", begins: isPcapng, open: openPcapng},
	{name: "snoop", begins: isSnoop, open: openSnoop},
	{name: "ipfix", resembles: isIPFIX, open: openIPFIX},
	{name: "erf", resembles: isERF, open: openERF},
	{name: "tsh", aliases: []string{"fr+"}, resembles: isTSH, open: openTSH},
	{name: "hpcap", resembles: isHPCAP, open: openHPCAP},
	{name: "legacy-pos", aliases: []string{"legacypos"}, resembles: isLegacyPOS, open: openLegacyPOS},
	{name: "legacy-ethernet", aliases: []string{"legacy-eth", "legacyeth"}, resembles: isLegacyEthernet, open: openLegacyEthernet},
	{name: "legacy-atm", aliases: []string{"legacyatm"}, resembles: isLegacyATM, open: openLegacyATM},
}

// magicSize is how many octets the longest magic number has.
const magicSize = 8

// sniffLength is how many octets at most are looked at to recognise a format
// that has no magic number. A record of any is shorter than half of it.
const sniffLength = 1 << 17

// sure is how many records have to look right for a file to be taken for one
// of a format that has no magic number.
const sure = 4

// follows reports whether a second may be that of the record after the one of
// the second before: clocks of capture cards do not go back, but the order of
// packets is not always exact, and a file is seldom without a packet for a
// day.
func follows(sec, before int64) bool { return sec-before >= -1 && sec-before < 24*60*60 }

// SplitName splits a trace's name, as Open knows it, into the format that it
// begins with, empty if there is none, and the path of the file.
func SplitName(name string) (format, path string) {
	if before, after, ok := strings.Cut(name, ":"); ok && kindOf(before) != nil {
		return kindOf(before).name, after
	}
	return "", name
}

// kindOf returns the format of this name, nil if there is none.
func kindOf(name string) *formatKind {
	for i := range formats {
		if k := &formats[i]; name == k.name || slices.Contains(k.aliases, name) {
			return k
		}
	}
	return nil
}

// openNamed begins to read in as a trace of the named format.
func (in *input) openNamed(name string) (format, error) {
	k := kindOf(name)
	if err := in.fill(1); err == io.EOF {
		return nil, fmt.Errorf("empty: %w", ErrFormat)
	} else if err != nil {
		return nil, err
	}
	if err := in.fill(magicSize); err != nil && err != io.EOF {
		return nil, err
	}
	if head := in.window(); k.begins != nil && !k.begins(head) {
		return nil, fmt.Errorf("begins with % x, not as %s: %w", head[:min(len(head), 8)], name, ErrFormat)
	}
	return k.open(in)
}

// sniff recognises the format of the trace that in holds and begins to read
// it. It reports whether the format was guessed from the look of the records.
func (in *input) sniff() (f format, guessed bool, err error) {
	if err := in.fill(magicSize); err != nil && err != io.EOF {
		return nil, false, err
	}
	if len(in.window()) == 0 {
		return nil, false, fmt.Errorf("empty: %w", ErrFormat)
	}
	for _, k := range formats {
		if k.begins != nil && k.begins(in.window()) {
			f, err = k.open(in)
			return f, false, err
		}
	}
	// What stands before damage of the stream can still be recognised.
	damage := in.fill(sniffLength)
	head := in.window()
	head = head[:min(len(head), sniffLength)]
	for _, k := range formats {
		if k.resembles != nil && k.resembles(head) {
			f, err = k.open(in)
			return f, true, err
		}
	}
	if damage != nil && damage != io.EOF {
		return nil, false, damage
	}
	return nil, false, fmt.Errorf("begins with % x: %w", head[:min(len(head), 8)], ErrFormat)
}

// header returns the first size octets of a trace of the named format, and
// passes over them. They are valid until the next fill.
func (in *input) header(name string, size int) ([]byte, error) {
	if err := in.fill(size); err == io.EOF {
		return nil, fmt.Errorf("%w: %d of %d octets of the %s header", ErrTruncated, len(in.window()), size, name)
	} else if err != nil {
		return nil, err
	}
	head := in.window()[:size]
	in.discard(size)
	return head, nil
}
