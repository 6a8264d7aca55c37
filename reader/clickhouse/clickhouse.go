package clickhouse

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/schema"
)

// Options are the names of those that URLs may have.
var Options = []string{"user", "password-file", "quorum", "create", "keep", "collections", "rows", "timeout"}

// TLSOptions are those of URLs of servers with TLS.
var TLSOptions = append(slices.Clone(Options), "ca")

// mostRows are the most that an insert may have: a server makes one block of them.
const mostRows = 1_000_000

// inserter is an export.Exporter.
type inserter struct {
	hosts          []*host // the first is the one to be asked next
	user, password string
	tables         schema.ClickHouse
	create         bool
	asked          bool // all hosts, to create the tables
	quorum, rows   int
	timeout        time.Duration
	client         *http.Client
}

// host is a server.
type host struct {
	url     string
	version [2]int // major and minor, zero before it is known
	ready   bool   // its version is known, and its tables were made if they are to be
}

// New returns an exporter to a target, whose path is DATABASE/TABLE.
func New(t *export.Target) (export.Exporter, error) {
	database, table, ok := strings.Cut(t.Path, "/")
	collections := cmp.Or(t.Options["collections"], "collections")
	if !ok || !isName(database) || !isName(table) || !isName(collections) {
		return nil, fmt.Errorf("%s: want clickhouse://HOST/DATABASE/TABLE, and names of letters, digits and _", t)
	}
	create, err := t.Choice("create", "no", "", "plain", "replicated")
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if transport.TLSClientConfig, err = tlsConfig(t); err != nil {
		return nil, err
	}
	in := &inserter{
		user: cmp.Or(t.Options["user"], t.User), create: create != "no",
		tables: schema.ClickHouse{Flows: database + "." + table, Collections: database + "." + collections, Replicated: create == "replicated"},
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if in.password, err = t.Secret("password-file"); err != nil {
		return nil, fmt.Errorf("%s: password-file: %w", t, err)
	}
	if in.tables.Days, err = t.Number("keep", 0, 1, 36500); err != nil {
		return nil, err
	}
	if in.quorum, err = t.Number("quorum", 0, 1, 100); err != nil {
		return nil, err
	}
	if in.rows, err = t.Number("rows", 100_000, 1, mostRows); err != nil {
		return nil, err
	}
	if in.timeout, err = t.Duration("timeout", 60*time.Second); err != nil {
		return nil, err
	}
	scheme := map[string]string{"clickhouse": "http", "clickhouses": "https"}[t.Scheme]
	for _, h := range t.Hosts {
		u := scheme + "://" + h + "/"
		if _, err := url.Parse(u); err != nil {
			return nil, err
		}
		in.hosts = append(in.hosts, &host{url: u})
	}
	return in, nil
}

// tlsConfig returns how a server's certificate is looked at.
func tlsConfig(t *export.Target) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if !t.Has("ca") {
		return c, nil
	}
	pem, err := t.Secret("ca")
	if err != nil {
		return nil, fmt.Errorf("%s: ca: %w", t, err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM([]byte(pem)) {
		return nil, fmt.Errorf("%s: %s has no certificate in PEM", t, t.Options["ca"])
	}
	return c, nil
}

// isName reports whether a name needs no quotation in a statement.
func isName(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') &&
		strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// Send implements export.Exporter.
func (in *inserter) Send(ctx context.Context, c *export.Collection) error {
	err := c.Parts(in.rows, writeOrRefuse, func(part []byte) error { return in.insert(ctx, in.tables.Flows, part) })
	if err != nil {
		return err
	}
	row, err := c.Row()
	if err != nil {
		return err
	}
	return in.insertOwn(ctx, row)
}

// Gap implements export.Exporter.
func (in *inserter) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return in.insertOwn(ctx, row)
}

// insertOwn inserts the row of a collection.
func (in *inserter) insertOwn(ctx context.Context, row []byte) error {
	var own bytes.Buffer
	if err := writeOrRefuse(&own, row); err != nil {
		return err
	}
	return in.insert(ctx, in.tables.Collections, own.Bytes())
}

// writeOrRefuse is writeRow, whose errors no repetition heals.
func writeOrRefuse(to *bytes.Buffer, row []byte) error {
	if err := writeRow(to, row); err != nil {
		return export.Refuse(err)
	}
	return nil
}

// insert inserts rows by the first server that takes them.
func (in *inserter) insert(ctx context.Context, table string, rows []byte) error {
	token := sha256.Sum256(rows)
	return in.try(ctx, func(h *host) error {
		settings := url.Values{
			"query":             {"INSERT INTO " + table + " FORMAT JSONEachRow"},
			"wait_end_of_query": {"1"}, // so that errors have a status of their own
			// A column that the table lacks would be lost in silence.
			"input_format_skip_unknown_fields": {"0"},
			// A part is one block, which is there as a whole or not at all.
			"max_insert_block_size":       {strconv.Itoa(mostRows)},
			"min_insert_block_size_bytes": {"0"},
		}
		if in.quorum > 0 {
			settings.Set("insert_quorum", strconv.Itoa(in.quorum))
		}
		if h.since(22, 3) {
			settings.Set("insert_deduplication_token", hex.EncodeToString(token[:]))
			settings.Set("async_insert", "0") // acknowledged is what is in the table
			settings.Set("input_format_parallel_parsing", "0")
		}
		answer, err := in.post(ctx, h, settings, rows)
		if err == nil && len(bytes.TrimSpace(answer)) > 0 {
			err = serverError(http.StatusOK, answer)
		}
		var lacks *noColumn
		if errors.As(err, &lacks) {
			lacks.table = table
		}
		return err
	})
}

// try calls do with one server after the other until that succeeds, or is refused.
func (in *inserter) try(ctx context.Context, do func(*host) error) (err error) {
	if in.create && !in.asked {
		// Each replica needs tables; one that is away gets them when it is next used.
		for _, h := range in.hosts {
			in.prepare(ctx, h) // its error comes again when it is used
		}
		in.asked = ctx.Err() == nil
	}
	for range in.hosts {
		h := in.hosts[0]
		if err = in.prepare(ctx, h); err == nil {
			err = do(h)
		}
		if err == nil || isRefusal(err) || ctx.Err() != nil {
			break
		}
		in.hosts = append(in.hosts[1:], h)
	}
	return err
}

// prepare asks a server for its version, once, and creates tables if they are wanted.
func (in *inserter) prepare(ctx context.Context, h *host) error {
	if h.ready {
		return nil
	}
	version, err := in.versionOf(ctx, h)
	if err != nil {
		return err
	}
	if in.create {
		tables := in.tables
		tables.Old = version[0] < 20 || version[0] == 20 && version[1] < 6
		for _, statement := range tables.Statements() {
			if _, err := in.post(ctx, h, nil, []byte(statement)); err != nil {
				return err
			}
		}
	}
	h.version, h.ready = version, true
	return nil
}

// versionOf asks a server for its version.
func (in *inserter) versionOf(ctx context.Context, h *host) (version [2]int, err error) {
	answer, err := in.post(ctx, h, nil, []byte("SELECT version()"))
	if err != nil {
		return version, err
	}
	if _, err := fmt.Sscanf(string(answer), "%d.%d", &version[0], &version[1]); err != nil {
		return version, export.Refuse(fmt.Errorf("%s tells no version of ClickHouse, but %q", h.url, printable(answer)))
	}
	return version, nil
}

// since reports whether a server is of a version or a later one.
func (h *host) since(major, minor int) bool {
	return h.version[0] > major || h.version[0] == major && h.version[1] >= minor
}

// Close implements export.Exporter.
func (in *inserter) Close() error { in.client.CloseIdleConnections(); return nil }
