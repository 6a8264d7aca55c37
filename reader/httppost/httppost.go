// Package httppost sends collections as JSON lines to a web server, whatever that is: a
// collector of logs, a script.
package httppost

import (
	"bytes"
	"context"
	"net/http"

	"rtfm/reader/export"
)

// Options are the names of those that URLs may have.
var Options = []string{"rows", "compression", "header-file", "timeout"}

// poster is an export.Exporter.
type poster struct{ *Client }

// New returns an exporter to a target with one host.
func New(t *export.Target) (export.Exporter, error) {
	c, err := NewClient(t, t.Scheme+"://"+t.Hosts[0]+"/"+t.Path, "application/x-ndjson", 10_000)
	if err != nil {
		return nil, err
	}
	return &poster{c}, nil
}

// Send implements export.Exporter: requests of some rows of flows each, and behind them
// one of the collection's own row.
func (p *poster) Send(ctx context.Context, c *export.Collection) error {
	write := func(to *bytes.Buffer, row []byte) error {
		to.Write(row)
		return to.WriteByte('\n')
	}
	err := c.Parts(p.Rows, write, func(part []byte) error { return p.post(ctx, part) })
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
	resp, answer, err := p.Post(ctx, rows)
	if err != nil {
		return err
	}
	return outcome(resp, answer)
}

// outcome returns what an answer means, nil if the rows were taken.
func outcome(resp *http.Response, answer []byte) error {
	switch status := resp.StatusCode; {
	case status/100 == 2:
		return nil
	case status/100 == 5, status == http.StatusRequestTimeout, status == http.StatusTooManyRequests:
		return Failure(resp, answer)
	}
	return export.Refuse(Failure(resp, answer))
}
