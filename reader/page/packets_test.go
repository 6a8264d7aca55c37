package page

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rtfm/reader/live"
)

// TestPackets asks for packets of flows: whoever may see the page gets them, one after
// the other, where there is a store.
func TestPackets(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	p := New(Config{
		Sources: []Source{{"gw1", live.NewHistory()}}, Token: token, Packets: func(_ context.Context, w io.Writer, row []byte) (string, error) {
			switch string(row) {
			case "slow":
				close(begun)
				<-end
			case "":
				io.WriteString(w, "half")
				return "", errors.New("no flow")
			}
			io.WriteString(w, "packets of "+string(row))
			return "3 packets; complete", nil
		},
	})
	s, _ := start(t, p)
	place, cookie := login(t, s)
	cookie, _, _ = strings.Cut(cookie, ";")
	path := place + "/packets?row="
	row := url.QueryEscape(`{"Host":"10.0.0.1"}`)
	for _, c := range []struct {
		name, path string
		status     int
		text       string
		headers    []string
	}{
		{"packets", path + row, 200, `packets of {"Host":"10.0.0.1"}`, []string{"Cookie", cookie}},
		{"that there is a store", place + "/offers", 200, `{"packets":true}`, []string{"Cookie", cookie}},
		{"no flow", path, 400, "no flow", []string{"Cookie", cookie}},
		{"without the cookie", path + row, 401, "", nil},
		{"from another origin", path + row, 403, "", []string{"Cookie", cookie, "Origin", "http://evil.example"}},
		{"by another name", path + row, 421, "", []string{"Cookie", cookie, "Host", "evil.example"}},
		{"another site's link", path + row, 403, "", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		{"another path", "/0123/packets?row=" + row, 401, "", []string{"Cookie", cookie}},
	} {
		answer, text := ask(t, s, "GET", c.path, "", c.headers...)
		if answer.StatusCode != c.status || !strings.HasPrefix(text, c.text) {
			t.Errorf("%s: %d, want %d: %.200s", c.name, answer.StatusCode, c.status, text)
		}
		if h := answer.Header; strings.HasPrefix(text, "packets of") != (h.Get("Content-Disposition") != "" && h.Get(verdictHeader) == "3 packets; complete") {
			t.Errorf("%s: %v", c.name, h)
		}
	}
	done := make(chan string)
	go func() {
		_, text := ask(t, s, "GET", path+"slow", "", "Cookie", cookie)
		done <- text
	}()
	<-begun
	if answer, text := ask(t, s, "GET", path+row, "", "Cookie", cookie); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("meanwhile: %d: %s", answer.StatusCode, text)
	}
	close(end)
	if text := <-done; text != "packets of slow" {
		t.Errorf("slow packets are %q", text)
	}
}

// TestNoPackets offers none where there is no store.
func TestNoPackets(t *testing.T) {
	_, s := serve(t, live.NewHistory())
	place, cookie := login(t, s)
	cookie, _, _ = strings.Cut(cookie, ";")
	if _, text := ask(t, s, "GET", place+"/offers", "", "Cookie", cookie); !strings.Contains(text, `{"packets":false}`) {
		t.Errorf("it offers %s", text)
	}
	if answer, _ := ask(t, s, "GET", place+"/packets?row={}", "", "Cookie", cookie); answer.StatusCode != http.StatusNotFound {
		t.Errorf("%d, want 404", answer.StatusCode)
	}
}
