package httppost

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/export"
	"rtfm/reader/export/exporttest"
)

// newPoster returns an exporter to a URL.
func newPoster(t *testing.T, url string) *poster {
	t.Helper()
	e, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e.(*poster)
}

func parse(url string) (export.Exporter, error) {
	target, s, err := export.Parse(url, []export.Scheme{
		{Name: "http", Hosts: true, Options: Options, New: New}, {Name: "https", Hosts: true, Options: Options, New: New},
	})
	if err != nil {
		return nil, err
	}
	return s.New(target)
}

func refused(err error) bool {
	var r *export.Refusal
	return errors.As(err, &r)
}

// TestSend: flows come in order and in parts, the collection's row behind them, and the
// same again when a collection is sent again.
func TestSend(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		text, err := io.ReadAll(body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/in/flows" || r.Header.Get("Content-Type") != "application/x-ndjson" ||
			r.Header.Get("Authorization") != "Bearer xyzzy" || len(r.Header["X-Two"]) != 2 {
			t.Errorf("%v %v: %v", err, r.URL, r.Header)
		}
		got = append(got, string(text))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "header")
	if err := os.WriteFile(file, []byte("Authorization: Bearer xyzzy\n\nX-Two: 1\r\nx-two:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	collections := exporttest.Collections(t, exporttest.File(2, 5))
	for _, compression := range []string{"gzip", "none"} {
		p := newPoster(t, server.URL+"/in/flows?rows=2&header-file="+file+"&compression="+compression)
		got = nil
		for _, c := range collections {
			for range 2 {
				if err := p.Send(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
		}
		if len(got) != 16 || !slices.Equal(got[:4], got[4:8]) || !slices.Equal(got[8:12], got[12:]) {
			t.Fatalf("%d requests\n%q", len(got), got)
		}
		lines := strings.Split(strings.TrimSuffix(strings.Join(got[8:12], ""), "\n"), "\n")
		for i, want := range []string{`"FlowIndex":3,`, `"FlowIndex":4,`, `"FlowIndex":5,`, `"FlowIndex":6,`, `"FlowIndex":7,`, `"Flows":5,`} {
			if len(lines) != 6 || !strings.Contains(lines[i], want) || !strings.HasPrefix(lines[i], `{"Schema":1,"Meter":"m","Boot":"b",`) {
				t.Errorf("%d lines; %d is %s, not of %s", len(lines), i, lines[min(i, len(lines)-1)], want)
			}
		}
		if strings.Count(got[0], "\n") != 2 || strings.Count(got[2], "\n") != 1 {
			t.Errorf("parts %q", got[:4])
		}
	}
}

// TestAnswers: what was not taken is sent again or refused, and nothing is sent behind it.
func TestAnswers(t *testing.T) {
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status); io.WriteString(w, text) }
	}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, text)
			c.Close()
		}
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirection was followed") }))
	defer elsewhere.Close()
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		refused bool
		want    string
	}{
		"200": {answer(200, "fine"), false, ""},
		"204": {answer(204, ""), false, ""},
		"400": {answer(400, "no\x1b[31m field\n  Meter"), true, "400 Bad Request: no [31m field Meter"},
		"401": {answer(401, ""), true, "401 Unauthorized"},
		"404": {answer(404, strings.Repeat("x", 1000)), true, "404 Not Found: " + strings.Repeat("x", 300)},
		"413": {answer(413, ""), true, "413 Request Entity Too Large"},
		"408": {answer(408, ""), false, "408 Request Timeout"},
		"429": {answer(429, "later"), false, "429 Too Many Requests: later"},
		"500": {answer(500, ""), false, "500 Internal Server Error"},
		"503": {answer(503, "busy"), false, "503 Service Unavailable: busy"},
		"307": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, true, `307 Temporary Redirect to "` + elsewhere.URL + `": redirections are not followed`},
		"302":       {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, true, `302 Found to "` + elsewhere.URL + `": redirections are not followed`},
		"cut":       {raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntaken, bu"), false, "200 OK, but the answer is not whole: unexpected EOF"},
		"cut chunk": {raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\ntaken, bu"), false, "200 OK, but the answer is not whole: unexpected EOF"},
		"no HTTP":   {raw("SSH-2.0-OpenSSH\r\n"), false, "malformed HTTP"},
		"nothing":   {raw(""), false, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				requests++
				test.answer(w, r)
			}))
			defer server.Close()
			err := newPoster(t, server.URL+"/flows").Send(t.Context(), c)
			if test.want == "" {
				if err != nil || requests != 2 {
					t.Errorf("%d requests: %v", requests, err)
				}
				return
			}
			if err == nil || refused(err) != test.refused || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("refused %t: %q", refused(err), err)
			}
			if requests != 1 {
				t.Errorf("%d requests", requests)
			}
		})
	}
}

// TestSlow: a server that does not answer, or not to the end, is given up, and tried again
// later.
func TestSlow(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	for _, begin := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntaken, bu"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, begin)
			io.Copy(io.Discard, c) // until the other side ends it
			c.Close()
		}))
		p := newPoster(t, server.URL+"/flows?timeout=50ms")
		if err := p.Send(t.Context(), c); err == nil || refused(err) || begin == "" && err.Error() != "no answer in 50ms" {
			t.Errorf("after %q: %v", begin, err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Send(ended, c); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		server.Close()
	}
}

// TestCertificates: only a server whose certificate is good gets anything.
func TestCertificates(t *testing.T) {
	requests := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	server.Config.ErrorLog = nil
	server.StartTLS()
	defer server.Close()
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, test := range []struct {
		url   string
		roots *x509.CertPool
		want  string
	}{
		{server.URL, nil, "certificate signed by unknown authority"},
		{strings.Replace(server.URL, "127.0.0.1", "localhost", 1), roots, "not localhost"},
		{strings.Replace(server.URL, "https", "http", 1), nil, "Client sent an HTTP request to an HTTPS server"},
		{server.URL, roots, ""},
	} {
		p := newPoster(t, test.url+"/flows")
		transport := p.client.Transport.(*http.Transport)
		transport.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		transport.TLSClientConfig.RootCAs = test.roots
		if test.roots == nil {
			transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		}
		err := p.Send(t.Context(), c)
		if test.want == "" && (err != nil || requests != 2) {
			t.Errorf("%s: %d requests: %v", test.url, requests, err)
		} else if test.want != "" && (err == nil || requests > 0 || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %d requests: %v, not %s", test.url, requests, err, test.want)
		}
	}
}

// TestURLs: what is wrong with a URL, or its file of header lines, is told, and no secret.
func TestURLs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "header")
	for url, want := range map[string]string{
		"http://a,b/flows":                      "http://a,b/flows: want one host and no user; who sends stands in ?header-file=FILE",
		"http://me@a/flows":                     "http://me@a/flows: want one host and no user; who sends stands in ?header-file=FILE",
		"http://a/?rows=0":                      "http://a/?rows=0: rows=0: want a number from 1 to 1000000",
		"http://a/?compression=zip":             "http://a/?compression=zip: compression=zip: want one of gzip, none",
		"http://a/?header-file=/nonexistent/no": "http://a/?header-file=/nonexistent/no: header-file: open /nonexistent/no: no such file or directory",
		"http://a b/":                           `parse "http://a b/": invalid character " " in host name`,
	} {
		if _, err := parse(url); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", url, err, want)
		}
	}
	for text, want := range map[string]string{
		"secret":                     "line 1: want Name: value",
		"X: 1\nmy secret: x":         "line 2: want Name: value",
		"X: 1\n\nX-Y: secret\x01":    "line 3: X-Y has a value with control characters",
		"content-type: text/secret":  "line 1: content-type is for the request to say",
		"Host: secret.example":       "line 1: Host is for the request to say",
		": secret":                   "line 1: want Name: value",
		"A: 1\nTransfer-Encoding: x": "line 2: Transfer-Encoding is for the request to say",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := parse("http://a/?header-file=" + file)
		if err == nil || !strings.HasSuffix(err.Error(), ": header-file: "+want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

// FuzzHeader: what is taken can be written, and read again is the same.
func FuzzHeader(f *testing.F) {
	f.Add("A: b\nC:d")
	f.Add("x:\x7f\n:")
	f.Fuzz(func(t *testing.T, text string) {
		header, err := parseHeader(text)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := header.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := parseHeader(b.String())
		if err != nil || len(again) != len(header) {
			t.Errorf("%q is %v, and again %v: %v", text, header, again, err)
		}
	})
}

// TestGap: what was dropped is a row.
func TestGap(t *testing.T) {
	var got string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = string(text)
		w.WriteHeader(status)
	}))
	defer server.Close()
	p := newPoster(t, server.URL+"/?compression=none")
	g := exporttest.Gap(t, 3, 5)
	if err := p.Gap(t.Context(), g); err != nil || !strings.Contains(got, `"Flows":0,`) || !strings.HasSuffix(got, `"Dropped":3,"DroppedFlows":15}`+"\n") {
		t.Errorf("%v: %s", err, got)
	}
	status = http.StatusServiceUnavailable
	if err := p.Gap(t.Context(), g); err == nil || refused(err) {
		t.Error(err)
	}
}
