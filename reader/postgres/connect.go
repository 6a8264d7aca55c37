package postgres

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5/pgconn"

	"rtfm/reader/export"
)

const (
	defaultSocket = "/var/run/postgresql"
	connectTime   = 30 * time.Second
	mostAnswer    = 1 << 20 // octets of a message
)

// configure returns how a target is reached. Nothing of that comes from the environment but
// the name of the user, and the place of .pgpass.
func configure(t *export.Target, database string) (*pgconn.Config, error) {
	password, err := t.Secret("password-file")
	if err != nil {
		return nil, fmt.Errorf("%s: password-file: %w", t, err)
	}
	hosts, ports, err := places(t)
	if err != nil {
		return nil, err
	}
	settings := []string{
		setting("host", hosts[0]), setting("port", strconv.Itoa(int(ports[0]))), setting("dbname", database), "password=''",
		"sslmode=disable", "sslcertmode=disable", "channel_binding=prefer", "require_auth=''", "target_session_attrs=any",
	}
	if user := cmp.Or(t.Options["user"], t.User); user != "" {
		settings = append(settings, setting("user", user))
	}
	c, err := pgconn.ParseConfig(strings.Join(settings, " "))
	if err != nil {
		return nil, err
	}
	if password != "" {
		c.Password = password
	}
	c.RuntimeParams = map[string]string{"application_name": "rtfm", "client_encoding": "UTF8"}
	c.ConnectTimeout, c.MaxProtocolMessageBodyLen = connectTime, mostAnswer
	c.Fallbacks = nil
	secure, err := security(t, hosts)
	if err != nil {
		return nil, err
	}
	for i, host := range hosts {
		at := &pgconn.FallbackConfig{Host: host, Port: ports[i]}
		if secure != nil {
			at.TLSConfig = secure.Clone()
			at.TLSConfig.ServerName = host
		}
		if i == 0 {
			c.Host, c.Port, c.TLSConfig = at.Host, at.Port, at.TLSConfig
			continue
		}
		c.Fallbacks = append(c.Fallbacks, at)
	}
	if len(hosts) > 1 {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return c, nil
}

// setting returns a setting as a connection string has it.
func setting(name, value string) string {
	return name + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// places returns the hosts, or the folder of the socket, with their ports.
func places(t *export.Target) (hosts []string, ports []uint16, err error) {
	if len(t.Hosts) == 0 {
		socket := cmp.Or(t.Options["socket"], defaultSocket)
		folder, port, ok := strings.Cut(socket, "/.s.PGSQL.")
		if !ok {
			port = "5432"
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || !filepath.IsAbs(folder) {
			return nil, nil, fmt.Errorf("%s: socket=%s: want the path of a folder, or of a socket in it such as %s/.s.PGSQL.5433", t, socket, defaultSocket)
		}
		return []string{folder}, []uint16{uint16(n)}, nil
	}
	if t.Has("socket") {
		return nil, nil, fmt.Errorf("%s: socket is for postgres:DATABASE/TABLE, without a host", t)
	}
	for _, h := range t.Hosts {
		host, port, err := net.SplitHostPort(h)
		n, wrong := strconv.ParseUint(port, 10, 16)
		if err != nil || wrong != nil || n == 0 || host == "" || strings.HasPrefix(host, "/") {
			return nil, nil, fmt.Errorf("%s: %s is no host with a port", t, h)
		}
		hosts, ports = append(hosts, host), append(ports, uint16(n))
	}
	return hosts, ports, nil
}

// security returns how connections are encrypted, nil if they are not: those that leave
// this machine are, unless told otherwise.
func security(t *export.Target, hosts []string) (*tls.Config, error) {
	usual := []string{"off", "verify"}
	for _, h := range hosts {
		if !isHere(h) {
			usual = []string{"verify", "off"}
		}
	}
	choice, err := t.Choice("tls", usual...)
	if err != nil {
		return nil, err
	}
	if choice == "off" || len(t.Hosts) == 0 {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := t.Options["ca"]; file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: ca: %w", t, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: ca: %s has no certificate in PEM", t, file)
		}
	}
	return c, nil
}

// isHere reports whether a host is this machine.
func isHere(host string) bool {
	if host == "localhost" || strings.HasPrefix(host, "/") {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.IsLoopback()
}

// meaning returns an error of the database, or on the way to it, as one that passes, or as
// a Refusal (PostgreSQL manual, appendix A: classes and codes of errors).
func (d *database) meaning(err error) error {
	var refusal *export.Refusal
	var server *pgconn.PgError
	var way *pgconn.ConnectError
	switch {
	case errors.As(err, &refusal):
		return err
	case errors.As(err, &server):
	case errors.As(err, &way):
		return d.tell(way.Unwrap().Error())
	default:
		return d.tell(err.Error())
	}
	text := server.Message
	if server.Detail != "" {
		text += ": " + server.Detail
	}
	if at, _, _ := strings.Cut(server.Where, "\n"); at != "" {
		text += " (" + at + ")"
	}
	if server.Code == "42P10" {
		text = "the table has no primary key that tells what is there; rtfm flows schema postgres tells which"
	}
	if passes(server.Code) {
		return d.tell(text)
	}
	return export.Refuse(d.tell(text))
}

// tell returns an error of what was told, less the password.
func (d *database) tell(text string) error {
	return errors.New(export.Hide(printable(text), d.config.Password))
}

// passes reports whether an error passes without a person: connections, two at a time, no
// room, a server that stops or starts or is a standby, its disk, its own faults.
func passes(code string) bool {
	if len(code) != 5 {
		return true
	}
	switch code[:2] {
	case "08", "40", "53", "55", "57", "58", "XX":
		return true
	}
	return code == "25006"
}

// isTaken reports whether an error says that a partition cannot be, for others have its
// rows.
func isTaken(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "23514" || server.Code == "42P17" || server.Code == "42P07")
}

// printable returns the beginning of a text as a line.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(text[:min(len(text), 400)]), " ")
}
