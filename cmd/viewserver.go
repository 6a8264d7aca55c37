package cmd

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"rtfm/reader/page"
)

// address returns where to listen. What a name stands for counts, not the name.
func (o *viewOptions) address() (*net.TCPAddr, error) {
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: want ADDRESS:PORT", o.listen)
	}
	to, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--listen %s: %w", o.listen, err)
	case to.Zone != "":
		return nil, fmt.Errorf("--listen %s: browsers ask for no address with a zone; give another address of this machine", o.listen)
	case !to.IP.IsLoopback() && o.cert == "" && !o.insecure:
		return nil, fmt.Errorf("--listen %s: others than this machine could reach it: give --tls-cert and --tls-key, or --insecure if the way is safe", o.listen)
	}
	if net.ParseIP(host) == nil && host != "" {
		o.hosts = append(o.hosts, host)
	}
	for _, name := range o.hosts {
		if strings.ContainsAny(name, ":/[]* ") {
			return nil, fmt.Errorf("--name %s: want the name of a host, as in gw1.example", name)
		}
	}
	return to, nil
}

// config returns what the page is, less what it shows.
func (o *viewOptions) config() (page.Config, error) {
	c := page.Config{Token: page.NewToken(), Hosts: o.hosts}
	if o.cert == "" {
		return c, nil
	}
	pair, err := tls.LoadX509KeyPair(o.cert, o.key)
	if err != nil {
		return c, fmt.Errorf("--tls-cert %s, --tls-key %s: %w", o.cert, o.key, err)
	}
	c.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	return c, nil
}

// url returns the address that browsers ask for: by the first name, if there is one.
func (o *viewOptions) url(at *net.TCPAddr) string {
	scheme, host := "http", at.IP.String()
	if o.cert != "" {
		scheme = "https"
	}
	switch {
	case len(o.hosts) > 0:
		host = o.hosts[0]
	case at.IP.IsUnspecified():
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(at.Port)) + "/"
}

// faults passes on what is wrong with this program, not what others send it.
type faults struct{ to io.Writer }

// Write implements io.Writer.
func (f faults) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("http: panic")) {
		return f.to.Write(b)
	}
	return len(b), nil
}
