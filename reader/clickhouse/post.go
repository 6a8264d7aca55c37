package clickhouse

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"rtfm/reader/export"
)

// mostAnswer is how many octets of an answer are read.
const mostAnswer = 1 << 20

// post sends a statement, or rows, and returns the answer, which is empty if all went well
// and nothing was asked for.
func (in *inserter) post(ctx context.Context, h *host, settings url.Values, body []byte) ([]byte, error) {
	parent := ctx
	ctx, cancel := context.WithTimeout(ctx, in.timeout)
	defer cancel()
	packed := settings != nil // rows
	if packed {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(body) // to memory: it cannot fail
		z.Close()
		body = b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"?"+settings.Encode(), bytes.NewReader(body))
	if err != nil {
		return nil, export.Refuse(err)
	}
	if packed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if in.user != "" {
		req.Header.Set("X-ClickHouse-User", in.user)
	}
	if in.password != "" {
		req.Header.Set("X-ClickHouse-Key", in.password)
	}
	resp, err := in.client.Do(req)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err
		}
		if errors.Is(err, context.DeadlineExceeded) && parent.Err() == nil {
			return nil, fmt.Errorf("%s: no answer in %v", req.URL.Host, in.timeout)
		}
		return nil, fmt.Errorf("%s: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	answer = []byte(export.Hide(string(answer), in.password))
	if err != nil {
		return nil, fmt.Errorf("%s: %s, but the answer is not whole: %w", req.URL.Host, resp.Status, err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-ClickHouse-Exception-Code") != "" {
		return nil, serverError(resp.StatusCode, answer)
	}
	return answer, nil
}

// passing are the server's errors that pass without a person: too much to do, a network
// or replicas that are not there, a server that stops.
var passing = map[int]bool{
	159: true, 202: true, 203: true, 209: true, 210: true, 225: true, 236: true, 241: true, 242: true, 243: true,
	244: true, 254: true, 252: true, 285: true, 286: true, 319: true, 394: true, 425: true, 439: true, 999: true,
}

var (
	errorCode    = regexp.MustCompile(`Code: (\d+)`)
	unknownField = regexp.MustCompile(`(?i)unknown field.*?: (\w+)`)
)

// serverError returns what an answer that is not what was asked for means.
func serverError(status int, answer []byte) error {
	text := printable(answer)
	err := errors.New(text)
	if text == "" {
		err = fmt.Errorf("%d %s", status, http.StatusText(status))
	}
	code := 0
	if m := errorCode.FindSubmatch(answer); m != nil {
		code, _ = strconv.Atoi(string(m[1])) // 0 if it is too long
	}
	switch {
	case code == 117:
		if m := unknownField.FindStringSubmatch(text); m != nil {
			err = &noColumn{column: m[1]}
		}
	case passing[code], code == 164 && strings.Contains(text, "Replica is not active"), code == 0 && (status/100 == 5 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusOK):
		return err
	}
	return export.Refuse(err)
}

func isRefusal(err error) bool {
	var r *export.Refusal
	return errors.As(err, &r)
}

// printable returns the beginning of an answer as a line of text.
func printable(answer []byte) string {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(answer[:min(len(answer), 400)]), ""))
	return strings.Join(strings.Fields(text), " ")
}
