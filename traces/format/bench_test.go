package format_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// smallest returns n packets of 64 octets (60 without frame check sequence).
func smallest(n int) []traces.Packet {
	f := tracetest.Eth("02:00:00:00:00:0a", "02:00:00:00:00:0b").IPv4("10.0.0.1", "10.0.0.2").TCP(1234, 80, tracetest.ACK).Payload(6)
	frames := make([]tracetest.Frame, n)
	for i := range frames {
		frames[i] = f
	}
	return tracetest.Packets(frames...)
}

// write puts a trace into a file that the test removes, and returns its name.
func write(t testing.TB, trace []byte) string {
	name := filepath.Join(t.TempDir(), "trace")
	if err := os.WriteFile(name, trace, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// benchmark reads a trace of n packets from a file, over and over.
func benchmark(b *testing.B, trace []byte, n int) {
	name := write(b, trace)
	batch := traces.NewBatch(256)
	b.SetBytes(int64(len(trace)))
	b.ReportAllocs()
	for b.Loop() {
		src, err := format.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		seen := 0
		for err = src.ReadBatch(batch); err == nil; err = src.ReadBatch(batch) {
			seen += len(batch.Packets)
		}
		if err != io.EOF || seen != n {
			b.Fatalf("%d packets, want %d; error %v", seen, n, err)
		}
		src.Close()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpackets/s")
}

// The traces hold a million of the smallest packets. An op is a whole trace,
// so its few allocations are those of opening it.

func BenchmarkPcap(b *testing.B) {
	benchmark(b, tracetest.PCAP(tracetest.PCAPOptions{}, smallest(1e6)...), 1e6)
}

func BenchmarkPcapng(b *testing.B) {
	benchmark(b, tracetest.PCAPNG(false, smallest(1e6)...), 1e6)
}

func BenchmarkERF(b *testing.B) {
	benchmark(b, tracetest.ERF(smallest(1e6)...), 1e6)
}
