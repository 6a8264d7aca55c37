// Package httppost sends collections as JSON lines to a web server, whatever that is: a
// collector of logs, a script.
package httppost

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

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
	p := &poster{client: new(http.Client), header: make(http.Header)}
	var err error
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
	return p, nil
}

// Send implements export.Exporter: requests of some rows of flows each, and behind them
// one of the collection's own row.
func (p *poster) Send(ctx context.Context, c *export.Collection) error {
	var body bytes.Buffer
	n, part := 0, 0
	send := func() error {
		if n == 0 {
			return nil
		}
		err := p.post(ctx, body.Bytes())
		body.Reset()
		n, part = 0, part+1
		return err
	}
	err := c.Rows(func(row []byte) error {
		body.Write(row)
		body.WriteByte('\n')
		if n++; n < p.rows {
			return nil
		}
		return send()
	})
	if err == nil {
		err = send()
	}
	if err != nil {
		return err
	}
	row, err := c.Row()
	if err != nil {
		return err
	}
	return p.post(ctx, append(row, '\n'))
}

// post posts some rows.
func (p *poster) post(ctx context.Context, rows []byte) error {
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
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("the answer is not whole: %w", err)
	}
	switch {
	case resp.StatusCode/100 == 2:
		return nil
	case resp.StatusCode/100 == 4 && resp.StatusCode != http.StatusRequestTimeout && resp.StatusCode != http.StatusTooManyRequests:
		return export.Refuse(fmt.Errorf("%s: %.200s", resp.Status, bytes.TrimSpace(answer)))
	}
	return fmt.Errorf("%s: %.200s", resp.Status, bytes.TrimSpace(answer))
}

// Gap implements export.Exporter: whoever gets the rows sees it by the intervals.
func (p *poster) Gap(context.Context, int) error { return nil }

// Close implements export.Exporter.
func (p *poster) Close() error { p.client.CloseIdleConnections(); return nil }
