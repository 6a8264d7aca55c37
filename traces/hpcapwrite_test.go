package traces

import (
	"encoding/binary"
	"slices"
	"testing"
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
		if b, err = f.record(b, &Packet{Time: 1, Data: data[:n], Wire: uint32(n), Link: LinkEthernet, Interface: 1}); err != nil {
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
