package client

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
)

// Version is a version of SNMP.
type Version uint8

// The versions that a Client speaks.
const (
	V2c Version = iota // community names
	V3                 // user-based security (RFC 3414)
)

// Config says how to reach a meter.
type Config struct {
	// Address is a host and, after a colon, the UDP port of its SNMP agent;
	// 161 if it has none.
	Address string
	Version Version
	// Community is for SNMPv2c only.
	Community string
	// User and what follows are for SNMPv3 only. Without a passphrase there is
	// no authentication, or no privacy. Auth is SHA-224, SHA-256, SHA-384 or
	// SHA-512, Priv is AES-128, AES-192 or AES-256; empty they are SHA-256 and
	// AES-128.
	User, ContextName    string
	Auth, AuthPassphrase string
	Priv, PrivPassphrase string
	// Timeout is how long to wait for an answer before a request is sent
	// again; 0 means 2 s.
	Timeout time.Duration
	// Retries is how often a request is sent again; 0 means 3 times, less
	// than 0 never.
	Retries int
}

// What a zero Config stands for.
const (
	defaultPort    = 161 // RFC 3417 section 3.2
	defaultTimeout = 2 * time.Second
	defaultRetries = 3
)

// shortestPassphrase is the fewest octets that a passphrase may have (RFC 3414
// section 11.2).
const shortestPassphrase = 8

var authProtocols = map[string]gosnmp.SnmpV3AuthProtocol{
	"": gosnmp.SHA256, "SHA-224": gosnmp.SHA224, "SHA-256": gosnmp.SHA256, "SHA-384": gosnmp.SHA384, "SHA-512": gosnmp.SHA512,
}

var privProtocols = map[string]gosnmp.SnmpV3PrivProtocol{
	"": gosnmp.AES, "AES-128": gosnmp.AES, "AES-192": gosnmp.AES192, "AES-256": gosnmp.AES256,
}

// Weak tells why a protocol of SNMPv3 is refused, in words to stand after those
// that may be chosen: nothing unless it is one of RFC 3414 that is broken.
func Weak(protocol string) string {
	switch strings.ToUpper(protocol) {
	case "MD5", "SHA", "SHA1", "SHA-1":
		return "; MD5 and SHA-1 are too weak, and net-snmp has the others since 5.8"
	case "DES", "3DES":
		return "; DES is too weak, and all that have SHA-2 have AES"
	}
	return ""
}

// Check tells what is wrong with c, without a word of its secrets.
func (c *Config) Check() error {
	_, err := c.session()
	return err
}

// session makes what gosnmp needs.
func (c *Config) session() (*gosnmp.GoSNMP, error) {
	host, port, err := c.split()
	if err != nil {
		return nil, err
	}
	s := &gosnmp.GoSNMP{
		Target: host, Port: port, Timeout: c.Timeout, Retries: c.Retries,
		MaxOids: maxVariables,
	}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	switch {
	case s.Retries == 0:
		s.Retries = defaultRetries
	case s.Retries < 0:
		s.Retries = 0
	}
	switch c.Version {
	case V2c:
		if c.Community == "" {
			return nil, errors.New("no community is given")
		}
		s.Version, s.Community = gosnmp.Version2c, c.Community
	case V3:
		return s, c.user(s)
	default:
		return nil, fmt.Errorf("there is no SNMP version with the number %d here", c.Version)
	}
	return s, nil
}

// CheckTransport reports whether an address begins with a transport, as those of
// net-snmp's programs may: a Client speaks UDP only.
func CheckTransport(address string) error {
	transport, rest, ok := strings.Cut(address, ":")
	if _, err := strconv.ParseUint(rest, 10, 16); !ok || err == nil {
		return nil // no more than a port
	}
	switch strings.ToLower(transport) {
	case "udp", "udp6", "udpv6", "udpipv6", "tcp", "tcp6", "tcpv6", "tcpipv6", "tls", "tlstcp", "dtls", "dtlsudp", "ssh", "unix":
		return fmt.Errorf("address %q: SNMP is spoken over UDP only, and to host or host:port, without %q", address, transport+":")
	}
	return nil
}

// split returns host and port of the address.
func (c *Config) split() (string, uint16, error) {
	if err := CheckTransport(c.Address); err != nil {
		return "", 0, err
	}
	host, text, err := net.SplitHostPort(c.Address)
	if err != nil {
		// An address without port, an IPv6 one in brackets or not.
		host, text = c.Address, strconv.Itoa(defaultPort)
		if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
			host = host[1 : n-1]
		}
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || host == "" {
		return "", 0, fmt.Errorf("address %q: want a host, or a host and a port from 1 to 65535 behind a colon", c.Address)
	}
	return host, uint16(port), nil
}

// user puts the security parameters of SNMPv3 in s.
func (c *Config) user(s *gosnmp.GoSNMP) error {
	auth, ok := authProtocols[c.Auth]
	if !ok {
		return fmt.Errorf("authentication protocol %q: want SHA-224, SHA-256, SHA-384 or SHA-512%s", c.Auth, Weak(c.Auth))
	}
	priv, ok := privProtocols[c.Priv]
	if !ok {
		return fmt.Errorf("privacy protocol %q: want AES-128, AES-192 or AES-256%s", c.Priv, Weak(c.Priv))
	}
	switch {
	case c.User == "":
		return errors.New("no SNMPv3 user is given")
	case c.PrivPassphrase != "" && c.AuthPassphrase == "":
		return errors.New("SNMPv3 has no privacy without authentication: there is a privacy passphrase, but none for authentication")
	case c.AuthPassphrase != "" && len(c.AuthPassphrase) < shortestPassphrase,
		c.PrivPassphrase != "" && len(c.PrivPassphrase) < shortestPassphrase:
		return fmt.Errorf("an SNMPv3 passphrase has at least %d characters", shortestPassphrase)
	}
	p := &gosnmp.UsmSecurityParameters{UserName: c.User, AuthenticationProtocol: gosnmp.NoAuth, PrivacyProtocol: gosnmp.NoPriv}
	s.Version, s.SecurityModel, s.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, p
	s.MsgFlags, s.ContextName = gosnmp.NoAuthNoPriv, c.ContextName
	if c.AuthPassphrase != "" {
		p.AuthenticationProtocol, p.AuthenticationPassphrase = auth, c.AuthPassphrase
		s.MsgFlags = gosnmp.AuthNoPriv
	}
	if c.PrivPassphrase != "" {
		p.PrivacyProtocol, p.PrivacyPassphrase = priv, c.PrivPassphrase
		s.MsgFlags = gosnmp.AuthPriv
	}
	return nil
}
