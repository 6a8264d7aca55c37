package metrics

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// TestAppend writes what could be taken for something else.
func TestAppend(t *testing.T) {
	var s Set
	s.Counter("a_total", "A.", 1<<64-1, Label{"x", "q\"b\\n\nü\xff"}, Label{"y", ""})
	s.Gauge("b", "B.", 0.25)
	s.Counter("a_total", "A.", 2)
	s.Gauge("c", "C.", 1e6)
	const want = `# HELP a_total A.
# TYPE a_total counter
a_total{x="q\"b\\n\nü` + "\uFFFD" + `",y=""} 18446744073709551615
a_total 2
# HELP b B.
# TYPE b gauge
b 0.25
# HELP c C.
# TYPE c gauge
c 1000000
`
	if got := string(s.Append(nil)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// hosts returns a collection of n flows from as many addresses, of 3 PDUs there and 2
// back each.
func hosts(t *testing.T, c *Collected, n int) *record.Summary {
	t.Helper()
	full := func(n int) attr.Value { return attr.Ones(n) }
	shapes := new(match.Shapes)
	shape := shapes.Intern(2, 4, 0, []match.Saved{{Attr: attr.SourcePeerAddress, Mask: full(4)}})
	f := &match.Flow{}
	f.Shape = shape
	f.Key.SetPeerType(1)
	if err := c.Begin(&record.Collection{RuleSets: []record.RuleSet{{Number: 2, Name: "hosts"}}}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		copy(f.Key.Peer(0)[:], []byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if err := c.Flow(f, &record.Counters{ToPDUs: 3, FromPDUs: 2, ToOctets: 300, FromOctets: 200}); err != nil {
			t.Fatal(err)
		}
	}
	sum := &record.Summary{Flows: uint64(n), Packets: uint64(5 * n), Lost: 7, More: []record.Number{{Name: "lost-eth0", Value: 7}}}
	if err := c.End(sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// text returns what is told of c.
func text(c *Collected) string {
	var s Set
	c.Add(&s, time.Now())
	return string(s.Append(nil))
}

// has fails if the text lacks one of these lines.
func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, "\n"+l+"\n") {
			t.Errorf("no line %s in\n%.3000s", l, text)
		}
	}
}

// TestMillion has no more series than the limit for a million addresses, and nothing is
// missing in the sum.
func TestMillion(t *testing.T) {
	const limit, n = 10, 1_000_000
	c := NewCollected("gw", "hosts", limit)
	hosts(t, c, n)
	c.Written(0)
	got := text(c)
	if series := strings.Count(got, "\nrtfm_flow_packets_total{"); series != 2*(limit+1) {
		t.Errorf("%d series", series)
	}
	has(t, got, fmt.Sprintf(`rtfm_flow_packets_total{meter="gw",source_peer_address="others",direction="to"} %d`, 3*(n-limit)),
		`rtfm_flow_octets_total{meter="gw",source_peer_address="10.0.0.9",direction="from"} 200`, `rtfm_flow_series{meter="gw"} 10`)
	var others float64
	if _, err := fmt.Sscanf(got[strings.Index(got, "rtfm_flow_others{"):], `rtfm_flow_others{meter="gw"} %g`, &others); err != nil || others < 0.99*n || others > 1.01*n {
		t.Errorf("others: %v, %v", others, err)
	}
}

// TestFailed counts collections that were not written not at all.
func TestFailed(t *testing.T) {
	c := NewCollected("gw", "2", 4)
	hosts(t, c, 5)
	before := text(c)
	has(t, before, `rtfm_packets_total{meter="gw"} 0`, `rtfm_collections_total{meter="gw"} 0`, `rtfm_meter_reachable{meter="gw"} 0`)
	if strings.Contains(before, "rtfm_flow_packets") {
		t.Error(before)
	}
	hosts(t, c, 6)
	c.Written(100)
	has(t, text(c), `rtfm_packets_total{meter="gw"} 30`, `rtfm_flow_packets_total{meter="gw",source_peer_address="10.0.0.0",direction="to"} 3`,
		`rtfm_flow_packets_total{meter="gw",source_peer_address="others",direction="to"} 6`, `rtfm_meter_reachable{meter="gw"} 1`,
		`rtfm_interface_lost_packets_total{meter="gw",interface="eth0"} 7`, `rtfm_flow_table_size{meter="gw"} 100`)
	hosts(t, c, 1)
	c.Written(100)
	c.Reached(false)
	has(t, text(c), `rtfm_flow_packets_total{meter="gw",source_peer_address="10.0.0.0",direction="to"} 6`,
		`rtfm_flow_packets_total{meter="gw",source_peer_address="others",direction="to"} 6`,
		`rtfm_lost_packets_total{meter="gw"} 14`, `rtfm_meter_reachable{meter="gw"} 0`)
}

// TestSnake names labels as Prometheus does.
func TestSnake(t *testing.T) {
	for name, want := range map[string]string{"SourcePeerAddress": "source_peer_address", "DSCodePoint": "ds_code_point", "FlowKind": "flow_kind", "ECNCodeBits": "ecn_code_bits"} {
		if got := LabelName(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestServe answers one question only.
func TestServe(t *testing.T) {
	page := NewPage(func(_ context.Context, s *Set) { s.Gauge("a", "A.", 1) })
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{"GET", "/metrics", 200, "# HELP a A.\n# TYPE a gauge\na 1\n"},
		{"POST", "/metrics", 405, "only GET\n"},
		{"GET", "/", 404, "there is only /metrics\n"},
		{"GET", "/metrics/../x", 404, "there is only /metrics\n"},
	} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.want {
			t.Errorf("%s %s: %d %q", c.method, c.path, w.Code, w.Body)
		}
	}
}

// TestConnections closes the oldest of many connections, so that who comes is answered.
func TestConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- NewPage(func(_ context.Context, s *Set) { s.Gauge("a", "A.", 1) }).Serve(ctx, l)
	}()
	var idle []net.Conn
	for range 2 * mostConnections {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	r, err := http.Get("http://" + l.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if r.Body.Close(); r.StatusCode != 200 {
		t.Error(r.Status)
	}
	idle[0].SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadAll(idle[0]); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the oldest connection: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
