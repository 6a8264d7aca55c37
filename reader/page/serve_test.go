package page

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rtfm/reader/live"
)

// server is one that serves a page.
type server struct {
	url, address string
	client       *http.Client
}

// start has a page be served as it is to users, until the function that it returns is
// called.
func start(t *testing.T, p *Page) (s *server, end func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l, log.New(io.Discard, "", 0)) }()
	end = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(end)
	return &server{"http://" + l.Addr().String(), l.Addr().String(), &http.Client{Transport: new(http.Transport)}}, end
}

// dial opens a connection and writes a text.
func dial(t *testing.T, s *server, text string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// page returns a Page of a history.
func page(h *live.History) *Page {
	return New(Config{Sources: []Source{{"gw1", h}}, Token: token, Hosts: []string{"meter.example"}})
}

// TestRaw writes requests that no client for HTTP makes.
func TestRaw(t *testing.T) {
	s, _ := start(t, page(live.NewHistory()))
	const host = "\r\nHost: 127.0.0.1\r\n"
	for _, c := range []struct {
		text   string
		status int
	}{
		{"GET / HTTP/1.1" + host, 200},
		{"GET / HTTP/1.0\r\nHost: localhost:1\r\n", 200},
		{"GET / HTTP/1.0\r\n", 421},
		{"GET / HTTP/1.1\r\n", 400},
		{"GET / HTTP/1.1" + host + "Host: 127.0.0.1\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: \r\n", 421},
		{"GET / HTTP/1.1\r\nHost: [::1]:8469\r\n", 200},
		{"GET / HTTP/1.1\r\nHost: [::1]\r\n", 200},
		{"GET / HTTP/1.1\r\nHost: [::1%25lo]\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: [fe80::1%eth0]:8469\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: [localhost\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: localhost.\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n", 421},
		{"GET / HTTP/1.1\r\nHost: 127.0.0.1@evil.example\r\n", 400},
		// Where the request's target has a host, that one counts (RFC 9112 section 3.2.2).
		{"GET http://evil.example/ HTTP/1.1" + host, 421},
		{"GET http://127.0.0.1/ HTTP/1.1\r\nHost: evil.example\r\n", 200},
		{"CONNECT evil.example:80 HTTP/1.1" + host, 421},
		{"CONNECT 127.0.0.1:80 HTTP/1.1" + host, 405},
		{"OPTIONS * HTTP/1.1" + host, 405},
		{"PRI * HTTP/2.0\r\n", 400},
		{"GET /../page.go HTTP/1.1" + host, 307},
		{"GET /%2e%2e/page.go HTTP/1.1" + host, 404},
		{"GET //evil.example/.. HTTP/1.1" + host, 307},
		{"GET /\\evil.example HTTP/1.1" + host, 404},
		{"GET /page.go HTTP/1.1" + host, 404},
		{"GET /page.js/ HTTP/1.1" + host, 404},
		{"GET /assets/page.js HTTP/1.1" + host, 404},
		{"GET /page.js%00 HTTP/1.1" + host, 404},
		{"GET /nowhere/sources HTTP/1.1" + host, 401},
		{"GET /%2f/sources HTTP/1.1" + host, 404},
		{"GET /nowhere/events/0 HTTP/1.1" + host, 401},
		{"GET / HTTP/1.1" + host + "X: " + strings.Repeat("x", 64<<10) + "\r\n", 431},
		{"GET / HTTP/1.1" + host + strings.Repeat("X: x\r\n", 16<<10), 431},
		{"GET / HTTP/1.1" + host + "Transfer-Encoding: chunked\r\n", 400},
		{"GET / HTTP/1.1" + host + "Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n", 403},
		{"GET / HTTP/1.1" + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", 200},
	} {
		conn := dial(t, s, "")
		go io.WriteString(conn, c.text+"Connection: close\r\n\r\n") // it may be answered before all is read
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		short := c.text[:min(len(c.text), 60)]
		if err != nil {
			t.Errorf("%q: %v", short, err)
			continue
		}
		if answer.StatusCode != c.status {
			t.Errorf("%q: %s, want %d", short, answer.Status, c.status)
		}
		if to := answer.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, ":") || strings.Contains(to, "\\") {
			t.Errorf("%q: sent on to %s", short, to)
		}
		conn.Close()
	}
}

// TestSlowRequests cuts who takes long to ask, and nobody who views.
func TestSlowRequests(t *testing.T) {
	t.Parallel()
	h := live.NewHistory()
	p := page(h)
	p.inTime, p.penalty = 200*time.Millisecond, 0
	s, _ := start(t, p)
	v := view(t, s)
	for _, text := range []string{
		"", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
		"POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 32\r\n\r\n0",
		"POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n",
	} {
		if _, err := io.ReadAll(dial(t, s, text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	h.Put(interval(1))
	if id := v.next(t, "id"); !strings.HasSuffix(id, "-1") {
		t.Errorf("id %s", id)
	}
}

// large returns an interval that takes about so many octets, whatever packs it.
func large(octets int) *live.Interval {
	b := make([]byte, octets/2)
	rand.Read(b)
	i := interval(1)
	i.Meter = hex.EncodeToString(b)
	return i
}

// stall begins to view, and reads no more than it must.
func stall(t *testing.T, s *server) {
	t.Helper()
	place, cookie := login(t, s)
	cookie, _, _ = strings.Cut(cookie, ";")
	c := dial(t, s, "")
	c.SetReadBuffer(4 << 10)
	fmt.Fprintf(c, "GET %s/events/0 HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: %s\r\n\r\n", place, cookie)
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// TestStalledViewer cuts a viewer that does not read: nobody else waits for it.
func TestStalledViewer(t *testing.T) {
	t.Run("tables", func(t *testing.T) { testStalledViewer(t, live.NewHistory()) })
	t.Run("packed", func(t *testing.T) { testStalledViewer(t, live.NewPackedHistory()) })
}

func testStalledViewer(t *testing.T, h *live.History) {
	t.Parallel()
	p := page(h)
	p.patience = 2 * time.Second
	s, _ := start(t, p)
	v := view(t, s)
	stall(t, s)
	const n = 20
	for i := range n {
		h.Put(large(200 << 10))
		if id := v.next(t, "id"); !strings.HasSuffix(id, fmt.Sprint("-", i+1)) {
			t.Fatalf("id %s", id)
		}
	}
	for p.Streams() > 1 {
		time.Sleep(time.Millisecond)
	}
	if p.Cut() != 1 {
		t.Errorf("%d were cut", p.Cut())
	}
	h.Put(interval(1))
	if id := v.next(t, "id"); !strings.HasSuffix(id, fmt.Sprint("-", n+1)) {
		t.Errorf("id %s", id)
	}
}

// TestManyConnections: who opens a thousand takes them from themselves, not from those
// who view or ask.
func TestManyConnections(t *testing.T) {
	h := live.NewHistory()
	p := page(h)
	p.inTime = time.Hour // none is closed because it asks for nothing
	s, _ := start(t, p)
	v := view(t, s)
	const n = 1000
	var all []*net.TCPConn
	for range n {
		all = append(all, dial(t, s, ""))
	}
	answer, _ := ask(t, s, "GET", "/", "")
	if answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	for _, c := range all[:n-MostConnections] {
		if _, err := c.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
			t.Fatal(err)
		}
	}
	h.Put(interval(1))
	if id := v.next(t, "id"); !strings.HasSuffix(id, "-1") {
		t.Errorf("id %s", id)
	}
}

// TestWrongTokens has who guesses wait, and nobody else.
func TestWrongTokens(t *testing.T) {
	p := page(live.NewHistory())
	p.penalty = time.Hour
	s, _ := start(t, p)
	var all []*net.TCPConn
	for i := range 50 {
		all = append(all, dial(t, s, fmt.Sprintf("POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 32\r\n\r\n%032d", i)))
	}
	login(t, s)
	for _, c := range all {
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		if n, _ := c.Read(make([]byte, 1)); n > 0 {
			t.Fatal("it is answered at once")
		}
	}
}

// TestEnd ends at once, whoever views.
func TestEnd(t *testing.T) {
	h := live.NewHistory()
	p := page(h)
	p.patience = time.Hour
	s, end := start(t, p)
	v := view(t, s)
	stall(t, s)
	for range 20 {
		h.Put(large(200 << 10))
	}
	end()
	for v.lines.Scan() {
	}
	for p.Streams() > 0 {
		time.Sleep(time.Millisecond)
	}
	if p.Cut() != 0 {
		t.Errorf("%d were cut", p.Cut())
	}
}

// TestPorts has browsers, which do not tell ports apart, send the cookie to no other
// server of the host.
func TestPorts(t *testing.T) {
	var cookies []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { cookies = append(cookies, r.Header.Get("Cookie")) }))
	defer other.Close()
	s, _ := start(t, page(live.NewHistory()))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	get := func(address string) int {
		answer, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	answer, err := browser.Post(s.url+"/session", "text/plain", strings.NewReader(token))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	place, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if status := get(s.url + "/" + string(place) + "/sources"); status != http.StatusOK {
		t.Errorf("status %d with the cookie", status)
	}
	for _, path := range []string{"/", "/sources", "/session", "/nowhere/sources"} {
		get(other.URL + path)
	}
	if got := strings.Join(cookies, ""); got != "" || len(cookies) != 4 {
		t.Errorf("another server of this host gets %q", cookies)
	}
}

// certificate makes one for 127.0.0.1.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// TestTLS serves HTTP/2, where viewers share connections: a slow one is cut as well.
func TestTLS(t *testing.T) {
	t.Parallel()
	h := live.NewHistory()
	p := page(h)
	p.patience = 5 * time.Second
	var pool *x509.CertPool
	p.cfg.TLS, pool = certificate(t)
	s, _ := start(t, p)
	s.url = strings.Replace(s.url, "http:", "https:", 1)
	s.client.Transport = &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
	answer, _ := ask(t, s, "GET", "/", "", "Origin", s.url)
	if answer.ProtoMajor != 2 || answer.StatusCode != http.StatusOK || answer.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%s %s", answer.Proto, answer.Status)
	}
	if answer, _ := ask(t, s, "GET", "/", "", "Origin", strings.Replace(s.url, "https:", "http:", 1)); answer.StatusCode != http.StatusForbidden {
		t.Errorf("the origin without TLS: %s", answer.Status)
	}
	if _, c := login(t, s); !strings.Contains(c, "; Secure") {
		t.Errorf("the cookie is %q", c)
	}
	if _, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	v, slow := view(t, s), view(t, s, "Accept-Encoding", "identity")
	if slow.answer.ProtoMajor != 2 {
		t.Errorf("a viewer by %s", slow.answer.Proto)
	}
	const n = 30 // 6 MiB, more than a client takes without reading
	for i := range n {
		h.Put(large(200 << 10))
		if id := v.next(t, "id"); !strings.HasSuffix(id, fmt.Sprint("-", i+1)) {
			t.Fatalf("id %s", id)
		}
	}
	for p.Streams() > 1 {
		time.Sleep(time.Millisecond)
	}
	if p.Cut() != 1 {
		t.Errorf("%d were cut", p.Cut())
	}
	h.Put(interval(1))
	v.next(t, "id")
}

// TestPacked sends the same to who takes gzip and who does not.
func TestPacked(t *testing.T) {
	h := live.NewPackedHistory()
	p := page(h)
	s, _ := start(t, p)
	h.Tell(live.Status{State: live.Away, Text: strings.Repeat("no answer ", 20000)}) // longer than a block
	h.Put(large(100 << 10))
	h.Put(interval(2))
	plain := view(t, s, "Accept-Encoding", "identity")
	for _, v := range []*viewer{view(t, s), view(t, s, "Accept-Encoding", "br;q=1, gzip;q=0")} {
		var got, want bytes.Buffer
		for range 8 {
			if v.lines.Scan() && plain.lines.Scan() {
				got.Write(v.lines.Bytes())
				want.Write(plain.lines.Bytes())
			}
		}
		if got.Len() < 100<<10 || got.String() != want.String() {
			t.Errorf("%d octets, want %d", got.Len(), want.Len())
		}
		plain = view(t, s, "Accept-Encoding", "identity")
	}
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, GZIP ;q=0.1": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzipped": false, "br,gzip": true, "*": false,
	} {
		if acceptsGzip(header) != want {
			t.Errorf("%q: %v", header, !want)
		}
	}
}

// FuzzRequest asks for any host, with any id, encoding and source.
func FuzzRequest(f *testing.F) {
	p := page(live.NewHistory())
	f.Add("127.0.0.1:8469", p.run+"-7", "gzip, br", "0")
	f.Add("[::1%eth0]", "-", "gzip;q=0", "18446744073709551616")
	f.Add("localhost:", p.run+"-18446744073709551615", ";,;", "%2e%2e")
	f.Fuzz(func(t *testing.T, host, id, encoding, source string) {
		if p.isOurs(host) && strings.Trim(host, "0123456789abcdefABCDEF.:[]") != "" {
			name, port, _ := strings.Cut(host, ":")
			name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
			if !strings.EqualFold(name, "localhost") && !strings.EqualFold(name, "meter.example") || strings.Contains(port, ":") {
				t.Errorf("%q is ours", host)
			}
		}
		if n := p.resume(id); n > 0 && !strings.HasPrefix(id, p.run+"-") {
			t.Errorf("%q is %d", id, n)
		}
		if acceptsGzip(encoding) && !strings.Contains(strings.ToLower(encoding), "gzip") {
			t.Errorf("%q has gzip", encoding)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
		r.Header.Set("Last-Event-ID", id)
		r.SetPathValue("source", source)
		w := httptest.NewRecorder()
		p.events(w, r)
		if source != strings.TrimLeft(source, "0")+"0" && w.Code != http.StatusNotFound && strings.Trim(source, "0") != "" {
			t.Errorf("source %q: %d", source, w.Code)
		}
	})
}
