package cmd

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
)

// TestWarnOfOthers looks at which addresses the meter warns of when it answers
// there.
func TestWarnOfOthers(t *testing.T) {
	for ip, want := range map[string]bool{"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": true, "::": true, "192.0.2.1": true} {
		var b bytes.Buffer
		warnOfOthers(slog.New(slog.NewTextHandler(&b, nil)), &net.UDPAddr{IP: net.ParseIP(ip), Port: 1161})
		if got := strings.Contains(b.String(), "level=WARN"); got != want {
			t.Errorf("%s: %q", ip, b.String())
		}
	}
}

// TestListenSNMP looks by which versions of IP addresses are open.
func TestListenSNMP(t *testing.T) {
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6:", err)
	}
	probe.Close()
	for address, want := range map[string]string{
		"127.0.0.1:0": "4", "0.0.0.0:0": "4", "[::ffff:0.0.0.0]:0": "4", "[::1]:0": "6", "[::]:0": "46", ":0": "46",
	} {
		conn, err := listenSNMP(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		open := ""
		for _, there := range [][2]string{{"4", "127.0.0.1"}, {"6", "::1"}} {
			if other, err := net.ListenPacket("udp"+there[0], net.JoinHostPort(there[1], port)); err == nil {
				other.Close()
			} else { // the port is taken
				open += there[0]
			}
		}
		if open != want {
			t.Errorf("%s is open to IPv%s, want %s", address, open, want)
		}
		conn.Close()
	}
}
