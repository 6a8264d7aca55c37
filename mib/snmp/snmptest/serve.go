// Package snmptest answers SNMP requests on loopback, for tests of those who
// make them.
package snmptest

import (
	"context"
	"net"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/snmp"
)

// Serve answers for h at a loopback address, which it returns, until the test
// ends.
func Serve(t testing.TB, cfg snmp.Config, h smi.Handler) (address string) {
	t.Helper()
	s, err := snmp.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, conn) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		conn.Close()
	})
	return conn.LocalAddr().String()
}
