package format_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/pcapgo"

	"rtfm/traces/tracetest"
)

// TestPcapgo has gopacket's readers read what is written, packet by packet.
func TestPcapgo(t *testing.T) {
	packets := tracetest.Mix(2000)
	for _, tc := range []struct {
		format string
		open   func(io.Reader) (gopacket.PacketDataSource, error)
	}{
		{"pcap", func(r io.Reader) (gopacket.PacketDataSource, error) { return pcapgo.NewReader(r) }},
		{"pcapng", func(r io.Reader) (gopacket.PacketDataSource, error) {
			return pcapgo.NewNgReader(r, pcapgo.DefaultNgReaderOptions)
		}},
	} {
		t.Run(tc.format, func(t *testing.T) {
			r, err := tc.open(bytes.NewReader(written(t, tc.format, packets...)))
			if err != nil {
				t.Fatal(err)
			}
			for i := range packets {
				p := &packets[i]
				data, ci, err := r.ReadPacketData()
				if err != nil {
					t.Fatalf("packet %d: %v", i+1, err)
				}
				if !bytes.Equal(data, p.Data) || ci.CaptureLength != len(p.Data) || ci.Length != int(p.Wire) || ci.Timestamp.UnixNano() != p.Time {
					t.Fatalf("packet %d: %d of %d octets at %d, want %d of %d at %d", i+1,
						ci.CaptureLength, ci.Length, ci.Timestamp.UnixNano(), len(p.Data), p.Wire, p.Time)
				}
			}
			if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
				t.Errorf("behind the last packet: %v", err)
			}
		})
	}
}
