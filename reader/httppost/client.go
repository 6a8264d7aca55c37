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

// Client posts to one URL.
type Client struct {
	Rows        int // most in a request
	url         string
	contentType string
	gzip        bool
	header      http.Header
	client      *http.Client
	timeout     time.Duration
}

// NewClient returns a client of a target with one host, that has the options of Options.
func NewClient(t *export.Target, to, contentType string, rows int) (*Client, error) {
	if len(t.Hosts) > 1 || t.User != "" {
		return nil, fmt.Errorf("%s: want one host and no user; who sends stands in ?header-file=FILE", t)
	}
	c := &Client{url: to, contentType: contentType, client: &http.Client{
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// What is meant for one server goes to no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	header, err := t.Secret("header-file")
	if err == nil {
		c.header, err = parseHeader(header)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: header-file: %w", t, err)
	}
	if c.Rows, err = t.Number("rows", rows, 1, 1_000_000); err != nil {
		return nil, err
	}
	compression, err := t.Choice("compression", "gzip", "none")
	if err != nil {
		return nil, err
	}
	c.gzip = compression == "gzip"
	if c.timeout, err = t.Duration("timeout", 60*time.Second); err != nil {
		return nil, err
	}
	if _, err := url.Parse(to); err != nil {
		return nil, err
	}
	return c, nil
}

// mostAnswer is how many octets of an answer are read.
const mostAnswer = 1 << 16

// Post posts a body and returns the answer, whatever it is, less what of the header nobody
// is to see.
func (c *Client) Post(ctx context.Context, body []byte) (*http.Response, []byte, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var packed bytes.Buffer
	if c.gzip {
		z := gzip.NewWriter(&packed)
		z.Write(body) // to memory: it cannot fail
		z.Close()
		body = packed.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, export.Refuse(err)
	}
	req.Header = c.header.Clone()
	req.Header.Set("Content-Type", c.contentType)
	if c.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	resp, err := c.client.Do(req)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // whoever tells of it has the URL
		}
		if errors.Is(err, context.DeadlineExceeded) && parent.Err() == nil {
			err = fmt.Errorf("no answer in %v", c.timeout)
		}
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return nil, nil, fmt.Errorf("%s, but the answer is not whole: %w", resp.Status, err)
	}
	return resp, []byte(export.Hide(string(answer), secrets(c.header)...)), nil
}

// Failure returns an answer as an error.
func Failure(resp *http.Response, answer []byte) error {
	if resp.StatusCode/100 == 3 {
		return fmt.Errorf("%s to %q: redirections are not followed", resp.Status, resp.Header.Get("Location"))
	}
	if text := printable(answer); text != "" {
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	return errors.New(resp.Status)
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

// Close lets go of the server.
func (c *Client) Close() error { c.client.CloseIdleConnections(); return nil }

// Check asks the server: any answer will do, for few servers tell more of a place that rows
// are posted to; but for those that ask who this is.
func (c *Client) Check(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.url, nil)
	if err != nil {
		return err
	}
	req.Header = c.header.Clone()
	resp, err := c.client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		return errors.New(resp.Status)
	}
	return nil
}
