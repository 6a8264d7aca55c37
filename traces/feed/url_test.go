package feed

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct{ text, want, fault string }{
		{"udp://192.0.2.1:4000", "udp://192.0.2.1:4000", ""},
		{"udp://192.0.2.1", "udp://192.0.2.1:4739", ""},
		{"tcp://[2001:db8::1]", "tcp://[2001:db8::1]:4739", ""},
		{"tcp://[2001:db8::1]:1/", "tcp://[2001:db8::1]:1", ""},
		{"tcp://collector", "tcp://collector:4739", ""},
		{"udp://:4739", "udp://:4739", ""},
		{"unix:/run/x.sock", "unix:/run/x.sock", ""},
		{"unix:///run/x.sock", "unix:/run/x.sock", ""},
		{"file:x.ipfix", "file:x.ipfix", ""},
		{"file:-", "file:-", ""},
		{"x.ipfix", "", "file:PATH"},
		{"192.0.2.1:4739", "", "udp://HOST:PORT"},
		{"http://x", "", "no kind"},
		{"udp:host:1", "", "want udp://host:1"},
		{"udp://2001:db8::1", "", "[2001:db8::1]:4739"},
		{"udp://host:port", "", "port from 1 to 65535"},
		{"udp://host:0", "", "port from 1 to 65535"},
		{"udp://host/path:1", "", "HOST:PORT"},
		{"file:", "", "file:PATH"},
		{"file://host/x", "", "has a host"},
	} {
		u, err := ParseURL(c.text)
		switch {
		case c.fault == "" && (err != nil || u.String() != c.want):
			t.Errorf("%s: %v, %v, want %s", c.text, u, err, c.want)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%s: %v, want an error that tells %q", c.text, err, c.fault)
		}
	}
}
