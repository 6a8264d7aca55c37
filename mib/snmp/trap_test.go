package snmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// received waits for a trap and returns what show makes of it.
func received(t *testing.T, conn net.PacketConn) string {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, MaxMessage)
	n, _, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	var m message
	d, err := m.decodeVersion(smi.NewDecoder(b[:n]))
	if err == nil {
		d, err = m.decodeCommunity(d)
	}
	if err == nil {
		err = m.decodePDU(d)
	}
	if err != nil || m.version != version2c || m.pdu != snmpV2Trap || string(m.community) != "trapped" {
		t.Fatalf("%v: version %d, PDU %#x, community %q", err, m.version, m.pdu, m.community)
	}
	s := fmt.Sprint(m.requestID)
	for i := range m.vars {
		s += ", " + m.vars[i].String()
	}
	return s
}

// trap is what received returns of the n-th trap of TestTraps.
func trap(n int) string {
	return fmt.Sprintf("%d, 1.3.6.1.2.1.1.3.0 = TimeTicks 123, 1.3.6.1.6.3.1.1.4.1.0 = OBJECT IDENTIFIER %s.0.8, %[2]s.1.0 = Integer32 %[1]d", n, base)
}

// TestTraps sends traps to a receiver, which goes away and comes back, and more than
// can wait.
func TestTraps(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { conn.Close() }()
	failed := make(chan error, 1000)
	s, err := NewTrapSink(TrapConfig{
		Address: conn.LocalAddr().String(), Community: "trapped",
		Uptime: testConfig.System.Uptime, Failed: func(err error) { failed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	notify := func() { sent++; s.Notify(smitest.OID(base+".0.8"), smitest.Int(base+".1.0", int32(sent))) }
	// Nobody sends yet: this does not wait, and those that are too many are lost.
	for range maxTraps + 3 {
		notify()
	}
	if s.Lost() != 3 {
		t.Errorf("%d lost, want 3", s.Lost())
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	for i := range maxTraps {
		if got := received(t, conn); got != trap(i+1) {
			t.Fatalf("have %s\nwant %s", got, trap(i+1))
		}
	}
	// The first that comes back gets all that is sent then.
	address := conn.LocalAddr().String()
	conn.Close()
	for refused := error(nil); !errors.Is(refused, syscall.ECONNREFUSED); {
		notify()
		select {
		case refused = <-failed:
		case <-time.After(10 * time.Millisecond):
		}
	}
	if conn, err = net.ListenPacket("udp", address); err != nil {
		t.Fatal(err)
	}
	notify()
	for got := ""; got != trap(sent); {
		got = received(t, conn)
	}
	// What waits when the end comes is sent.
	notify()
	stop()
	if got := received(t, conn); got != trap(sent) {
		t.Errorf("at the end: %s, want %s", got, trap(sent))
	}
	<-done
	if _, err := NewTrapSink(TrapConfig{Address: "nowhere"}); err == nil {
		t.Error("an address without a port is taken")
	}
}
