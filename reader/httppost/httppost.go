// Package httppost sends collections as JSON lines to a web server, whatever that is: a
// collector of logs, a script.
package httppost

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"rtfm/reader/export"
)

// Options are the names of those that URLs may have.
var Options = []string{"rows", "compression", "header-file", "timeout"}

// poster is an export.Exporter.
type poster struct {
	url     string
	rows    int // most rows in a request
	gzip    bool
	header  http.Header
	client  *http.Client
	timeout time.Duration
}

// New returns an exporter to a target with one host.
func New(t *export.Target) (export.Exporter, error) {
	if len(t.Hosts) > 1 || t.User != "" {
		return nil, fmt.Errorf("%s: want one host and no user; who sends stands in ?header-file=FILE", t)
	}
	p := &poster{client: &http.Client{
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// What is meant for one server goes to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	header, err := t.Secret("header-file")
	if err == nil {
		p.header, err = parseHeader(header)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: header-file: %w", t, err)
	}
	if p.rows, err = t.Number("rows", 10_000, 1, 1_000_000); err != nil {
		return nil, err
	}
	compression, err := t.Choice("compression", "gzip", "none")
	if err != nil {
		return nil, err
	}
	p.gzip = compression == "gzip"
	if p.timeout, err = t.Duration("timeout", 60*time.Second); err != nil {
		return nil, err
	}
	p.url = t.Scheme + "://" + t.Hosts[0] + "/" + t.Path
	if _, err := url.Parse(p.url); err != nil {
		return nil, err
	}
	return p, nil
}

// Send implements export.Exporter: requests of some rows of flows each, and behind them
// one of the collection's own row.
func (p *poster) Send(ctx context.Context, c *export.Collection) error {
	write := func(to *bytes.Buffer, row []byte) error {
		to.Write(row)
		return to.WriteByte('\n')
	}
	err := c.Parts(p.rows, write, func(part []byte) error { return p.post(ctx, part) })
	if err != nil {
		return err
	}
	row, err := c.Row()
	if err != nil {
		return err
	}
	return p.post(ctx, append(row, '\n'))
}

// Gap implements export.Exporter.
func (p *poster) Gap(ctx context.Context, g *export.Gap) error {
	row, err := g.Row()
	if err != nil {
		return export.Refuse(err)
	}
	return p.post(ctx, append(row, '\n'))
}

// post posts some rows.
func (p *poster) post(ctx context.Context, rows []byte) error {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var packed bytes.Buffer
	if p.gzip {
		z := gzip.NewWriter(&packed)
		z.Write(rows) // to memory: it cannot fail
		z.Close()
		rows = packed.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(rows))
	if err != nil {
		return export.Refuse(err)
	}
	req.Header = p.header.Clone()
	req.Header.Set("Content-Type", "application/x-ndjson")
	if p.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // whoever tells of it has the URL
		}
		if errors.Is(err, context.DeadlineExceeded) && parent.Err() == nil {
			return fmt.Errorf("no answer in %v", p.timeout)
		}
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("%s, but the answer is not whole: %w", resp.Status, err)
	}
	return outcome(resp, []byte(export.Hide(string(answer), secrets(p.header)...)))
}

// mostAnswer is how many octets of an answer are read.
const mostAnswer = 1 << 16

// outcome returns what an answer means, nil if the rows were taken.
func outcome(resp *http.Response, answer []byte) error {
	status := resp.StatusCode
	err := errors.New(resp.Status)
	if text := printable(answer); text != "" {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	switch {
	case status/100 == 2:
		return nil
	case status/100 == 3:
		return export.Refuse(fmt.Errorf("%s to %q: redirections are not followed", resp.Status, resp.Header.Get("Location")))
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return err
	}
	return export.Refuse(err)
}

// printable returns the beginning of an answer as a line of text.
func printable(answer []byte) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(answer[:min(len(answer), 300)]), ""))
	return strings.Join(strings.Fields(text), " ")
}

// Close implements export.Exporter.
func (p *poster) Close() error { p.client.CloseIdleConnections(); return nil }

// Check implements export.Exporter: any answer will do, for few servers tell more of a place
// that rows are posted to; but for those that ask who this is.
func (p *poster) Check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, p.url, nil)
	if err != nil {
		return err
	}
	req.Header = p.header.Clone()
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return errors.New(resp.Status)
	}
	return nil
}
