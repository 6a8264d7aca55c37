package feed

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// DefaultPort is the port of IPFIX (RFC 7011 section 10.1).
const DefaultPort = "4739"

// URL is where a feed goes, or comes from.
type URL struct {
	// Network is udp, tcp, unix or file.
	Network string
	// Address is HOST:PORT, with udp and tcp, or a path. The HOST may be empty.
	Address string
}

const urlForms = "udp://HOST:PORT, tcp://HOST:PORT, unix:PATH or file:PATH"

// ParseURL reads one of udp://HOST:PORT, tcp://HOST:PORT, unix:PATH and file:PATH. The
// PORT may be left out.
func ParseURL(text string) (URL, error) {
	scheme, rest, ok := strings.Cut(text, ":")
	u := URL{Network: scheme, Address: rest}
	if !ok {
		return URL{}, fmt.Errorf("%q does not say how: want %s", text, urlForms)
	}
	switch scheme {
	case "unix", "file":
		if strings.HasPrefix(rest, "///") { // no host, and the path
			u.Address = rest[2:]
		}
		switch {
		case rest == "":
			return URL{}, fmt.Errorf("%q has no path: want %s:PATH", text, scheme)
		case strings.HasPrefix(rest, "//") && u.Address == rest:
			return URL{}, fmt.Errorf("%q has a host: want %s:PATH, as %s:%s", text, scheme, scheme, strings.TrimLeft(rest, "/"))
		}
		return u, nil
	case "udp", "tcp":
		address, ok := strings.CutPrefix(rest, "//")
		if !ok {
			return URL{}, fmt.Errorf("%q lacks the slashes: want %s://%s", text, scheme, rest)
		}
		var err error
		u.Address, err = withPort(strings.TrimSuffix(address, "/"))
		if err != nil {
			return URL{}, fmt.Errorf("%q: %w", text, err)
		}
		return u, nil
	}
	return URL{}, fmt.Errorf("%q is of no kind that feeds have: want %s", text, urlForms)
}

// withPort returns HOST:PORT of an address that may lack the port.
func withPort(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	switch {
	case err == nil:
	case strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]"):
		host, port = address[1:len(address)-1], DefaultPort
	case strings.Count(address, ":") > 1:
		return "", fmt.Errorf("an IPv6 address stands in brackets: want [%s]:%s", address, DefaultPort)
	default:
		host, port = address, DefaultPort
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("want a port from 1 to 65535, not %q", port)
	}
	if strings.ContainsAny(host, "/? ") {
		return "", fmt.Errorf("want HOST:PORT, not %q", address)
	}
	return net.JoinHostPort(host, port), nil
}

// String returns the URL as ParseURL reads it.
func (u URL) String() string {
	if u.IsFile() || u.Network == "unix" {
		return u.Network + ":" + u.Address
	}
	return u.Network + "://" + u.Address
}

// IsFile reports whether the feed is in a file.
func (u URL) IsFile() bool { return u.Network == "file" }
