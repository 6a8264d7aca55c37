package format_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"rtfm/traces"
	"rtfm/traces/feed"
	"rtfm/traces/format"
)

// ipfixMessages returns the messages of a feed of n packets.
func ipfixMessages(n int) (messages [][]byte) {
	w := feed.Writer{MTU: feed.LeastMTU, Send: func(b []byte, _ int) []byte {
		messages = append(messages, bytes.Clone(b))
		return b
	}}
	w.Templates(0)
	for i := range n {
		w.Packet(&feed.Packet{Flow: uint64(i), Time: int64(i) * 1e9, Octets: 100}, int64(i)*1e9)
	}
	w.Flush()
	return messages
}

// TestIPFIX reads files of one message and of many, whole and cut.
func TestIPFIX(t *testing.T) {
	for _, n := range []int{1, 1000} {
		messages := ipfixMessages(n)
		file := bytes.Join(messages, nil)
		got, err := readAll(t, bytes.NewReader(file))
		if err != io.EOF || len(got) != len(messages) || len(got) < n/60 {
			t.Fatalf("%d packets of %d messages, %v", len(got), len(messages), err)
		}
		for i, m := range messages {
			p := got[i]
			sum := uint32(0)
			for j := 0; j < 20; j += 2 {
				sum += uint32(p.Data[j])<<8 | uint32(p.Data[j+1])
			}
			seconds := int64(m[4])<<24 | int64(m[5])<<16 | int64(m[6])<<8 | int64(m[7])
			if p.Link != traces.LinkIPv4 || int(p.Wire) != len(p.Data) || !bytes.Equal(p.Data[28:], m) || p.Time != seconds*1e9 || sum&0xffff+sum>>16 != 0xffff {
				t.Fatalf("message %d is %+v", i, p)
			}
		}
		got, err = readAll(t, bytes.NewReader(file[:len(file)-1]))
		if n > 1 && (!errors.Is(err, format.ErrTruncated) || len(got) != len(messages)-1) {
			t.Errorf("cut short: %d packets, %v", len(got), err)
		}
	}
	odd := ipfixMessages(1)[0]
	odd[19]++ // the length of its first set
	if _, err := readAll(t, bytes.NewReader(odd)); !errors.Is(err, format.ErrFormat) {
		t.Errorf("sets that are not whole: %v", err)
	}
}

func FuzzIPFIX(f *testing.F) {
	fuzz(f, "ipfix:f", bytes.Join(ipfixMessages(100), nil), ipfixMessages(1)[0])
}
