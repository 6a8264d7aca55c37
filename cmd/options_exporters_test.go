package cmd

import (
	"strings"
	"testing"
)

func TestExporterOption(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"192.0.2.1", "[192.0.2.1/32]"},
		{"192.0.2.0/24", "[192.0.2.0/24]"},
		{"::ffff:192.0.2.1", "[192.0.2.1/32]"},
		{"::ffff:192.0.2.0/120", "[192.0.2.0/24]"},
		{"2001:db8::/32", "[2001:db8::/32]"},
		{"192.0.2.1/24", "has bits of an address beyond its width; the network is 192.0.2.0/24"},
		{"::ffff:0.0.0.0/64", "want the network as one of IPv4"},
		{"fe80::1%eth0", "neither an address nor ADDRESS/WIDTH"},
		{"router", "neither an address nor ADDRESS/WIDTH"},
		{"192.0.2.0/33", "neither an address nor ADDRESS/WIDTH"},
	} {
		var e exporters
		var got string
		if err := e.Set(c.value); err != nil {
			got = err.Error()
		} else {
			got = e.String()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.value, got, c.want)
		}
	}
}
