package tracetest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"testing"
)

// TestProvider holds the sample trace to the packets that it is made of. With
// RTFM_UPDATE set in the environment it is written anew.
func TestProvider(t *testing.T) {
	const path = "../testdata/provider.pcap.gz"
	want := PCAP(PCAPOptions{}, Provider()...)
	if os.Getenv("RTFM_UPDATE") != "" {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write(want)
		z.Close()
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d octets, which differ from the %d that it should have", path, len(got), len(want))
	}
}

// TestExports holds the sample of flow records to those that it is made of. With
// RTFM_UPDATE set in the environment it is written anew.
func TestExports(t *testing.T) {
	const path = "../testdata/netflow.pcap"
	want := PCAP(PCAPOptions{}, Exports()...)
	if os.Getenv("RTFM_UPDATE") != "" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: %d octets, which differ from the %d that it should have", path, len(got), len(want))
	}
}
