package clickhouse

import (
	"compress/gzip"
	"encoding/pem"
	"io"
	"log"
	"net"
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

// server is a ClickHouse that keeps what it is sent, and answers as it is told to.
type server struct {
	*httptest.Server
	version string
	answer  func(w http.ResponseWriter) // to rows, nil for what is right
	queries []string
	inserts []string // query, token, rows
}

func newServer(t *testing.T, version string) *server {
	s := &server{version: version}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		if err != nil || r.Header.Get("X-ClickHouse-User") != "rtfm" || r.Header.Get("X-ClickHouse-Key") != "xyzzy" || strings.Contains(r.URL.String(), "xyzzy") {
			t.Errorf("%v: %v %v", err, r.URL, r.Header)
		}
		q := r.URL.Query()
		switch {
		case q.Get("query") == "":
			s.queries = append(s.queries, string(text))
			if string(text) == "SELECT version()" {
				io.WriteString(w, s.version+"\n")
			}
		case s.answer != nil:
			s.answer(w)
		default:
			s.inserts = append(s.inserts, q.Get("query")+" "+q.Get("insert_deduplication_token")+" "+q.Get("insert_quorum")+"\n"+string(text))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// newInserter returns an exporter to servers.
func newInserter(t *testing.T, options string, servers ...*server) export.Exporter {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("xyzzy\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var hosts []string
	for _, s := range servers {
		hosts = append(hosts, strings.TrimPrefix(s.URL, "http://"))
	}
	e, err := parse("clickhouse://" + strings.Join(hosts, ",") + "/net/flows?user=rtfm&password-file=" + file + options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func parse(url string) (export.Exporter, error) {
	target, s, err := export.Parse(url, []export.Scheme{
		{Name: "clickhouse", Hosts: true, Port: "8123", Options: Options, New: New},
		{Name: "clickhouses", Hosts: true, Port: "8443", Options: TLSOptions, New: New},
	})
	if err != nil {
		return nil, err
	}
	return s.New(target)
}

// TestSend: flows go in parts and the collection's row behind them; what is sent again is
// the same, and so is its token, by whatever server.
func TestSend(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 5))[0]
	s := newServer(t, "26.7.2.1")
	e := newInserter(t, "&rows=2&quorum=2&create", s)
	for range 2 {
		if err := e.Send(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.inserts) != 8 || !slices.Equal(s.inserts[:4], s.inserts[4:]) {
		t.Fatalf("%d inserts\n%q", len(s.inserts), s.inserts)
	}
	seen := map[string]bool{}
	for i, insert := range s.inserts[:4] {
		head, rows, _ := strings.Cut(insert, "\n")
		words := strings.Fields(head)
		want, n := "net.flows", []int{2, 2, 1, 1}[i]
		if i == 3 {
			want = "net.collections"
		}
		if len(words) != 7 || words[2] != want || len(words[5]) != 64 || words[6] != "2" || seen[words[5]] || strings.Count(rows, "\n") != n {
			t.Errorf("part %d: %q", i, insert)
		}
		seen[words[5]] = true
	}
	if len(s.queries) != 4 || !strings.HasPrefix(s.queries[1], "CREATE TABLE IF NOT EXISTS net.flows (") || !strings.Contains(s.queries[1], "IPv6") {
		t.Errorf("queries %.200q", s.queries)
	}
	old := newServer(t, "18.16.1")
	if err := newInserter(t, "&create", old).Send(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(old.queries[1], "IPv6") || !strings.HasPrefix(old.inserts[0], "INSERT INTO net.flows FORMAT JSONEachRow  \n") {
		t.Errorf("queries %.200q, %.200q", old.queries, old.inserts)
	}
}

// TestAnswers: errors that pass are told from those that need a person, also behind a 200.
func TestAnswers(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	for _, test := range []struct {
		status  int
		text    string
		refused bool
		want    string
	}{
		{500, "Code: 252. DB::Exception: Too many parts (300)", false, "Code: 252"},
		{500, "Code: 202, e.displayText() = DB::Exception: Too many simultaneous queries", false, "Code: 202"},
		{500, "Code: 242. DB::Exception: Table is in readonly mode", false, "Code: 242"},
		{500, "Code: 164, e.displayText() = DB::Exception: Replica is not active right now", false, "Code: 164"},
		{500, "Code: 164, e.displayText() = DB::Exception: Cannot insert into table in readonly mode", true, "Code: 164"},
		{500, "Code: 244, e.displayText() = DB::Exception: Unexpected logical error while adding block 6", false, "Code: 244"},
		{200, "Code: 252. DB::Exception: Too many parts (300)", false, "Code: 252"},
		{200, "Code: 241. DB::Exception: Memory limit", false, "Code: 241"},
		{200, "Code: 60. DB::Exception: Table net.flows does not exist", true, "Code: 60"},
		{404, "Code: 60. DB::Exception: Table net.flows does not exist", true, "Code: 60"},
		{403, "Code: 516. DB::Exception: rtfm: Authentication failed", true, "Authentication failed"},
		{400, "Code: 117. DB::Exception: Unknown field found while parsing JSONEachRow format: DeltaToOctets: (at row 1)", true, "table net.flows has no column DeltaToOctets; rtfm flows schema clickhouse tells all"},
		{500, "Code: 117, e.displayText() = DB::Exception: Unknown field found while parsing JSONEachRow format: Boot, e.what()", true, "table net.flows has no column Boot;"},
		{502, "", false, "502 Bad Gateway"},
		{429, "later", false, "later"},
		{200, "what?", false, "what?"},
		{404, "", true, "404 Not Found"},
		{301, "", true, "301 Moved"},
	} {
		s := newServer(t, "26.7.2.1")
		s.answer = func(w http.ResponseWriter) { w.WriteHeader(test.status); io.WriteString(w, test.text) }
		err := newInserter(t, "", s).Send(t.Context(), c)
		if err == nil || isRefusal(err) != test.refused || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d %s: refused %t: %v", test.status, test.text, isRefusal(err), err)
		}
	}
}

// TestReplicas: tables are made at all hosts, once, at one that was away when it is used.
func TestReplicas(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	a, b := newServer(t, "26.7.2.1"), newServer(t, "18.16.1")
	e := newInserter(t, "&create=replicated", a, b)
	for range 2 {
		if err := e.Send(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*server{a, b} {
		if len(s.queries) != 4 || !strings.Contains(s.queries[1], "('/clickhouse/tables/{shard}/net.flows', '{replica}')") {
			t.Errorf("queries %.200q", s.queries)
		}
	}
	if len(a.inserts) != 4 || len(b.inserts) != 0 {
		t.Errorf("%d and %d inserts", len(a.inserts), len(b.inserts))
	}
}

// TestCertificates: only a server whose certificate is good gets anything.
func TestCertificates(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	requests := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; r.URL.RawQuery == "" {
			io.WriteString(w, "26.7.2.1\n")
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, test := range []struct{ url, want string }{
		{"clickhouses://127.0.0.1:" + port + "/net/flows", "certificate signed by unknown authority"},
		{"clickhouses://localhost:" + port + "/net/flows?ca=" + ca, "not localhost"},
		{"clickhouse://127.0.0.1:" + port + "/net/flows", "Client sent an HTTP request to an HTTPS server"},
		{"clickhouses://127.0.0.1:" + port + "/net/flows?ca=" + ca, ""},
	} {
		e, err := parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		err = e.Send(t.Context(), c)
		e.Close()
		if test.want == "" && (err != nil || requests != 3) {
			t.Errorf("%s: %d requests: %v", test.url, requests, err)
		} else if test.want != "" && (err == nil || requests > 0 || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %d requests: %v, not %s", test.url, requests, err, test.want)
		}
	}
	for option, want := range map[string]string{"ca=" + os.DevNull: "has no certificate in PEM", "ca=/nonexistent/ca": "no such file"} {
		if _, err := parse("clickhouses://a/net/flows?" + option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %s", option, err, want)
		}
	}
	if _, err := parse("clickhouse://a/net/flows?ca=" + ca); err == nil {
		t.Error("a CA without TLS is taken")
	}
}

// TestHosts: what one server does not take goes to the next, unless it is refused.
func TestHosts(t *testing.T) {
	c := exporttest.Collections(t, exporttest.File(1, 3))[0]
	a, b, away := newServer(t, "26.7.2.1"), newServer(t, "26.7.2.1"), newServer(t, "26.7.2.1")
	away.Close()
	a.answer = func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "100") // and nothing comes
		w.WriteHeader(200)
	}
	e := newInserter(t, "", away, a, b)
	if err := e.Send(t.Context(), c); err != nil || len(b.inserts) != 2 {
		t.Errorf("%d inserts: %v", len(b.inserts), err)
	}
	b.answer = func(w http.ResponseWriter) { w.WriteHeader(404); io.WriteString(w, "Code: 60.") }
	a.answer = nil
	if err := e.Send(t.Context(), c); !isRefusal(err) || len(a.inserts) > 0 {
		t.Errorf("%d inserts: %v", len(a.inserts), err)
	}
	if _, err := parse("clickhouse://a/flows"); err == nil {
		t.Error("no database")
	}
	if _, err := parse("clickhouse://a/x;y/flows"); err == nil {
		t.Error("a statement as a name")
	}
}

// TestGap: what was dropped is a row of the table of collections, the same each time.
func TestGap(t *testing.T) {
	s := newServer(t, "26.7.2.1")
	e := newInserter(t, "", s)
	g := exporttest.Gap(t, 3, 5)
	for range 2 {
		if err := e.Gap(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.inserts) != 2 || s.inserts[0] != s.inserts[1] || !strings.HasPrefix(s.inserts[0], "INSERT INTO net.collections FORMAT JSONEachRow ") ||
		!strings.HasSuffix(s.inserts[0], `"Dropped":3,"DroppedFlows":15}`+"\n") {
		t.Errorf("%q", s.inserts)
	}
}
