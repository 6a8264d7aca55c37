package page

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rtfm/reader/live"
)

const token = "0123456789abcdef0123456789abcdef"

// serve serves a page of a history.
func serve(t *testing.T, h *live.History) (*Page, *server) {
	t.Helper()
	p := New(Config{Sources: []Source{{"gw1", h}}, Token: token, Hosts: []string{"meter.example"}})
	p.penalty = 0
	s, _ := start(t, p)
	return p, s
}

// ask asks for a path with these headers, in pairs, and returns the answer and its text.
func ask(t *testing.T, s *server, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	answer, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// login returns the path and the cookie of a viewer, as the server tells it.
func login(t *testing.T, s *server) (place, cookie string) {
	t.Helper()
	answer, text := ask(t, s, "POST", "/session", token)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", answer.StatusCode, text)
	}
	return "/" + text, answer.Header.Get("Set-Cookie")
}

// TestRefused asks as those would who may not see the page.
func TestRefused(t *testing.T) {
	_, s := serve(t, live.NewHistory())
	place, cookie := login(t, s)
	cookie, _, _ = strings.Cut(cookie, ";")
	sources, events := place+"/sources", place+"/events/"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		headers                  []string
	}{
		{"the page", "GET", "/", "", 200, nil},
		{"its script", "GET", "/page.js", "", 200, nil},
		{"a name that was given", "GET", "/", "", 200, []string{"Host", "meter.example:8469"}},
		{"localhost", "GET", "/", "", 200, []string{"Host", "localhost:8469"}},
		{"an IPv6 address", "GET", "/", "", 200, []string{"Host", "[::1]:8469"}},
		{"a name that was bound to this address", "GET", "/", "", 421, []string{"Host", "evil.example"}},
		{"the same with the cookie", "GET", sources, "", 421, []string{"Host", "evil.example", "Cookie", cookie}},
		{"another origin", "GET", sources, "", 403, []string{"Origin", "http://evil.example", "Cookie", cookie}},
		{"the origin of another port", "GET", sources, "", 403, []string{"Origin", "http://127.0.0.1:1", "Cookie", cookie}},
		{"a page of another site", "GET", sources, "", 403, []string{"Sec-Fetch-Site", "cross-site", "Cookie", cookie}},
		{"a script from another site", "GET", "/page.js", "", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"a link from another site", "GET", "/", "", 200, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		{"the path of another", "GET", "/0123/sources", "", 401, []string{"Cookie", cookie}},
		{"a name that begins as one that was given", "GET", "/", "", 421, []string{"Host", "meter.example.evil"}},
		{"two ports", "GET", "/", "", 421, []string{"Host", "127.0.0.1:1:2"}},
		{"no origin's page", "POST", "/session", token, 403, []string{"Origin", "null"}},
		{"the right token from another origin", "POST", "/session", token, 403, []string{"Origin", "http://evil.example"}},
		{"a frame's page", "GET", sources, "", 403, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Cookie", cookie}},
		{"a form of another site", "POST", "/", "", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		{"without the cookie", "GET", sources, "", 401, nil},
		{"with a cookie that was made up", "GET", sources, "", 401, []string{"Cookie", cookie[:len(cookie)-1] + "x"}},
		{"with the cookie", "GET", sources, "", 200, []string{"Cookie", cookie}},
		{"events without the cookie", "GET", events + "0", "", 401, nil},
		{"events of what there is not", "GET", events + "1", "", 404, []string{"Cookie", cookie}},
		{"events of a number that is none", "GET", events + "-1", "", 404, []string{"Cookie", cookie}},
		{"another token", "POST", "/session", strings.Repeat("0", 32), 403, nil},
		{"no token", "POST", "/session", "", 403, nil},
		{"a long token", "POST", "/session", strings.Repeat("0", 1<<20), 403, nil},
		{"writing", "POST", sources, "", 405, []string{"Cookie", cookie}},
		{"only the head of events", "HEAD", events + "0", "", 405, []string{"Cookie", cookie}},
		{"options", "OPTIONS", "/", "", 405, []string{"Origin", s.url}},
		{"a trace", "TRACE", "/", "", 405, nil},
		{"a body where there is none", "GET", events + "0", "x", 400, []string{"Cookie", cookie}},
		{"what there is not", "GET", "/../page.go", "", 404, nil},
	} {
		answer, text := ask(t, s, c.method, c.path, c.body, c.headers...)
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d: %s", c.name, answer.StatusCode, c.status, text)
		}
		h := answer.Header
		if h.Get("Content-Security-Policy") != policy || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", c.name, h)
		}
	}
	if _, c := login(t, s); !strings.Contains(c, "; HttpOnly; SameSite=Strict") || !strings.Contains(c, "; Path="+place+"/;") || strings.Contains(c, token) ||
		strings.Contains(c, "Domain") {
		t.Errorf("the cookie is %q", c)
	}
}

// TestAssets has nothing in the page that comes from elsewhere, or that its policy
// forbids.
func TestAssets(t *testing.T) {
	files, err := assets.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := assets.ReadFile("assets/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, no := range []string{"https://", "innerHTML", "insertAdjacentHTML", "eval(", "style=", "onclick=", "document.write", "@import"} {
			if strings.Contains(string(text), no) {
				t.Errorf("%s has %s", f.Name(), no)
			}
		}
		if rest := strings.ReplaceAll(string(text), "http://www.w3.org/2000/svg", ""); strings.Contains(rest, "http://") {
			t.Errorf("%s has the address of another server", f.Name())
		}
	}
}

// viewer is what is sent to one.
type viewer struct {
	answer *http.Response
	lines  *bufio.Scanner
}

// view begins to view.
func view(t *testing.T, s *server, headers ...string) *viewer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	place, cookie := login(t, s)
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+place+"/events/0", nil)
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, _ = strings.Cut(cookie, ";")
	r.Header.Set("Cookie", cookie)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &viewer{answer, lines}
}

// next returns the next line that begins with a word.
func (v *viewer) next(t *testing.T, word string) string {
	t.Helper()
	for v.lines.Scan() {
		if rest, ok := strings.CutPrefix(v.lines.Text(), word+": "); ok {
			return rest
		}
	}
	t.Fatalf("no %s: %v", word, v.lines.Err())
	return ""
}

// interval returns one without flows.
func interval(to int64) *live.Interval {
	i := new(live.Interval)
	i.Meter, i.To = "gw1</script>", to
	return i
}

// TestEvents sends what there is, what comes, and after a break what was missed.
func TestEvents(t *testing.T) {
	h := live.NewHistory()
	_, s := serve(t, h)
	h.Put(interval(1))
	v := view(t, s)
	if kind := v.answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("it is %q", kind)
	}
	run, id, _ := strings.Cut(v.next(t, "id"), "-")
	if id != "1" {
		t.Errorf("id %s", id)
	}
	if data := v.next(t, "data"); !strings.Contains(data, `"to":"1"`) || strings.Contains(data, "</script>") {
		t.Errorf("%s", data)
	}
	h.Put(interval(2))
	if id := v.next(t, "id"); id != run+"-2" {
		t.Errorf("id %s", id)
	}
	h.Tell(live.Status{State: live.Away, Text: "no answer"})
	if event := v.next(t, "event"); event != "interval" {
		t.Errorf("event %s", event)
	}
	if data := v.next(t, "event"); data != "status" {
		t.Errorf("event %s", data)
	}
	if data := v.next(t, "data"); !strings.Contains(data, "no answer") {
		t.Errorf("%s", data)
	}
	h.Put(interval(3))
	for last, want := range map[string]string{
		run + "-2": "3", run + "-1": "2", run + "-": "1", run + "-99": "1", run + "--1": "1", "2": "1", "other-2": "1", "": "1",
	} {
		again := view(t, s, "Last-Event-ID", last)
		if id := again.next(t, "id"); id != run+"-"+want {
			t.Errorf("after a break behind %q: id %s", last, id)
		}
		again.answer.Body.Close()
	}
	if other := New(Config{}); other.resume(run+"-2") != 0 {
		t.Error("another run's id counts")
	}
}

// TestMostStreams has no more viewers than there may be, and lets others in when one
// has gone.
func TestMostStreams(t *testing.T) {
	p, s := serve(t, live.NewHistory())
	var viewers []*viewer
	for range MostStreams {
		viewers = append(viewers, view(t, s))
	}
	if v := view(t, s); v.answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one more: %d", v.answer.StatusCode)
	}
	viewers[0].answer.Body.Close()
	for p.Streams() >= MostStreams {
		time.Sleep(time.Millisecond)
	}
	if v := view(t, s); v.answer.StatusCode != http.StatusOK {
		t.Errorf("in the place of one who has gone: %d", v.answer.StatusCode)
	}
}
