package netflow

import (
	"context"
	"testing"
)

// TestNetwork looks by which versions of IP an address is open.
func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:2055": "udp4", "192.0.2.1:2055": "udp4", "[::]:2055": "udp", ":2055": "udp", "[::1]:2055": "udp", "router:2055": "udp",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	src, err := Listen(context.Background(), "0.0.0.0:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got := src.(*listener).conn.LocalAddr().String(); got[:8] != "0.0.0.0:" {
		t.Errorf("0.0.0.0 is received at as %s", got)
	}
}
