package format

import (
	"encoding/binary"
	"slices"
	"testing"

	"rtfm/traces"
)

// TestHPCAPFiles writes several files' worth of packets of many lengths, the
// files smaller than real ones: each ends with padding at its last octet, and
// the last one with a block.
func TestHPCAPFiles(t *testing.T) {
	const size = 1 << 20
	f := &hpcapRecorder{size: size}
	data := make([]byte, 65535)
	var b []byte
	var err error
	for i := 0; len(b) < 5*size/2; i++ {
		n := 60000 + i*7919%5536
		if i%3 == 0 {
			n = i % 15
		}
		if b, err = f.record(b, &traces.Packet{Time: 1, Data: data[:n], Wire: uint32(n), Link: traces.LinkEthernet, Interface: 1}); err != nil {
			t.Fatal(err)
		}
	}
	b = f.finish(b)
	var ends []int
	for at := 0; at < len(b); {
		padding := binary.LittleEndian.Uint64(b[at:]) == 0
		at += hpcapHeader + int(binary.LittleEndian.Uint16(b[at+8:]))
		if padding {
			ends = append(ends, at)
		}
	}
	last := len(b)
	if want := []int{size, 2 * size, last}; !slices.Equal(ends, want) || last%hpcapBlock != 0 {
		t.Errorf("padding ends at %d, want %d", ends, want)
	}
}

// TestHPCAPLastRecord writes packets of all short lengths where all small
// numbers of octets are left of a file: the packet and the padding's header fit,
// or padding alone takes all.
func TestHPCAPLastRecord(t *testing.T) {
	const size = 1 << 16
	for left := hpcapHeader; left < 100; left++ {
		for n := range 90 {
			f := &hpcapRecorder{size: size, used: int64(size - left)}
			b, err := f.record(nil, &traces.Packet{Time: 1, Data: make([]byte, n), Wire: uint32(n), Link: traces.LinkEthernet})
			if err != nil {
				t.Fatal(err)
			}
			whole := hpcapHeader + n
			if fits := whole+hpcapHeader <= left; fits && len(b) != whole || !fits && len(b) != left+whole {
				t.Errorf("%d octets left, packet of %d: %d octets written", left, n, len(b))
			}
		}
	}
}
