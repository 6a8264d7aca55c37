package netflow_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"rtfm/traces"
	"rtfm/traces/netflow"
)

// TestSocketDrops sends more than the socket's buffer has room for before anything
// is read: the kernel tells how much it has dropped, and that is told.
func TestSocketDrops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var told []string
	src, err := netflow.Listen(ctx, "127.0.0.1:0", netflow.Config{Notify: func(s string) { told = append(told, s) }})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b traces.Batch
	if err := src.ReadBatch(&b); err != nil { // names the address
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", strings.TrimPrefix(b.File, "netflow://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const sent = 600
	large := append(export(0, 1), make([]byte, 60_000)...)
	for range sent { // 36 MB
		if _, err := conn.Write(large); err != nil {
			t.Fatal(err)
		}
	}
	received := 0
	for len(b.Records) > 0 || received == 0 {
		if err := src.ReadBatch(&b); err != nil {
			t.Fatal(err)
		}
		received += len(b.Records)
	}
	// The next datagram tells what was dropped before it.
	if _, err := conn.Write(export(0, 1)); err != nil {
		t.Fatal(err)
	}
	for b.Records = b.Records[:0]; len(b.Records) == 0; {
		if err := src.ReadBatch(&b); err != nil {
			t.Fatal(err)
		}
	}
	dropped := uint64(0)
	for _, at := range src.Stats().PerInterface {
		if at.Name == "socket" {
			dropped = at.Lost
		}
	}
	if received == 0 || received == sent || uint64(received)+dropped != sent {
		t.Errorf("of %d datagrams %d were received and %d are told to be dropped", sent, received, dropped)
	}
	if len(told) == 0 || !strings.Contains(strings.Join(told, "\n"), "no room in the socket's buffer of ") {
		t.Errorf("told %q", told)
	}
}
