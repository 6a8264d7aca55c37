package main

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
