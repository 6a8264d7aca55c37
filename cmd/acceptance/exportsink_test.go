package acceptance

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// sink is a web server that takes rows, and keeps each under its key. It may fail at
// random: it takes no connection, closes it before or behind a request or in the middle of
// an answer, answers with an error before or behind what it has taken, refuses, or answers
// too late.
type sink struct {
	*httptest.Server
	t     *testing.T
	taken chan struct{} // has room for a few requests

	mu          sync.Mutex
	r           *rand.Rand // nil for a server that never fails
	refuses     bool
	busy        bool              // takes nothing, for a while
	fates       [fateWell]int     // how often each was met
	flows       map[string]string // rows
	collections map[string]row    // by interval
	gaps        []row
}

// What becomes of a request, or of a connection.
const (
	fateClosed = iota // the connection, before a request was read
	fateBusy
	fateTakenError
	fateTakenClosed
	fateTakenHalf
	fateTakenLate
	fateRefused
	fateWell
)

// row is what a test wants of one.
type row struct {
	Meter, Boot, RuleSet                      string
	FlowIndex, FirstTimeNs, IntervalEndNs     int64
	DeltaToOctets, DeltaFromOctets            *uint64
	DeltaToPDUs, DeltaFromPDUs, ToPDUs, Flows uint64

	Packets, Octets, Postponed, Dropped, DroppedFlows uint64 // of collections
	RuleSets                                          string
}

func (r *row) interval() string { return fmt.Sprint(r.Meter, r.Boot, r.IntervalEndNs) }

func (r *row) key() string {
	return fmt.Sprint(r.interval(), r.RuleSet, r.FlowIndex, " ", r.FirstTimeNs)
}

// newSink starts a sink.
func newSink(t *testing.T, r *rand.Rand) *sink {
	if r != nil { // the server asks its own
		r = rand.New(rand.NewPCG(r.Uint64(), 1))
	}
	s := &sink{t: t, r: r, taken: make(chan struct{}, 1000), flows: map[string]string{}, collections: map[string]row{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Listener = &unsure{s.Listener, s}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// unsure is a listener of a sink, which closes some connections at once.
type unsure struct {
	net.Listener
	s *sink
}

// Accept implements net.Listener.
func (u *unsure) Accept() (net.Conn, error) {
	conn, err := u.Listener.Accept()
	for err == nil && u.s.fate(fateClosed, 25) == fateClosed {
		conn.Close()
		conn, err = u.Listener.Accept()
	}
	return conn, err
}

// fate draws one of those from first on, each of which comes to one of so many.
func (s *sink) fate(first, of int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.r == nil {
		return fateWell
	}
	n := min(first+s.r.IntN(of), fateWell)
	if n < fateWell {
		s.fates[n]++
	}
	return n
}

// wellAgain has the sink fail no more.
func (s *sink) wellAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.r = nil
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	select {
	case s.taken <- struct{}{}:
	default:
	}
	fate := s.fate(fateBusy, 150)
	s.mu.Lock()
	if s.refuses {
		fate = fateRefused
	} else if s.busy {
		fate = fateBusy
	}
	s.mu.Unlock()
	switch fate {
	case fateRefused:
		http.Error(w, "the schema is wrong", http.StatusBadRequest)
		return
	case fateBusy:
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	if err := s.take(req.Body); err != nil {
		// Who sent it was killed, or has sent nonsense.
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	switch fate {
	case fateTakenError:
		http.Error(w, "taken, and then something went wrong", http.StatusInternalServerError)
	case fateTakenClosed:
		panic(http.ErrAbortHandler) // which closes the connection
	case fateTakenHalf:
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half"))
	case fateTakenLate:
		<-req.Context().Done() // nobody waits any more
	}
}

// take keeps rows, of half a request too.
func (s *sink) take(body io.Reader) error {
	z, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		if r.FlowIndex == 0 {
			if r.Dropped > 0 {
				s.gaps = append(s.gaps, r)
				continue
			}
			s.collections[r.interval()] = r
			continue
		}
		if was, ok := s.flows[r.key()]; ok && was != lines.Text() {
			s.t.Errorf("two rows of one key:\n%s\n%s", was, lines.Text())
		}
		s.flows[r.key()] = lines.Text()
	}
	return lines.Err()
}

// rowsOf returns the flows in files of JSON lines by their keys, and the intervals of
// their collections.
func rowsOf(t *testing.T, files ...string) (flows map[string]string, intervals map[string]bool) {
	t.Helper()
	flows, intervals = map[string]string{}, map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, `{"record":"flow",`); ok {
				var r row
				if err := json.Unmarshal([]byte("{"+rest), &r); err != nil {
					t.Fatal(err)
				}
				flows[r.key()] = "{" + strings.TrimRight(rest, "\n")
				intervals[r.interval()] = true
			}
		}
	}
	return flows, intervals
}

// same compares what a sink has with the flows in flow data files of JSON lines.
func (s *sink) same(files ...string) {
	s.t.Helper()
	want, intervals := rowsOf(s.t, files...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, text := range want {
		if got := s.flows[key]; got != text {
			s.t.Fatalf("the sink has\n%s\nnot\n%s", got, text)
		}
	}
	if len(want) == 0 || len(s.flows) != len(want) {
		s.t.Errorf("the sink has %d flows, the files %d", len(s.flows), len(want))
	}
	s.whole()
	for interval := range intervals {
		if _, ok := s.collections[interval]; !ok {
			s.t.Errorf("%s: flows without their collection", interval)
		}
	}
}

// sameAsSpool compares what a sink has with what a spool has, from which nothing was
// removed since another place has got nothing.
func (s *sink) sameAsSpool(folder string) {
	s.t.Helper()
	segments, err := filepath.Glob(filepath.Join(folder, strings.Repeat("[0-9]", 16)+".jsonl"))
	if err != nil || len(segments) == 0 {
		s.t.Fatalf("%s: %d segments, %v", folder, len(segments), err)
	}
	s.same(segments...)
}

// whole makes sure that each collection whose own row is there has all its flows.
func (s *sink) whole() {
	s.t.Helper()
	flows := map[string]uint64{}
	for _, text := range s.flows {
		var r row
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			s.t.Fatal(err)
		}
		flows[r.interval()]++
	}
	for interval, c := range s.collections {
		if flows[interval] != c.Flows {
			s.t.Errorf("%s: %d flows, the collection tells of %d", interval, flows[interval], c.Flows)
		}
	}
}

// sums compares what all flows together have counted with those of JSON lines.
func (s *sink) sums(want string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var a, b [3]uint64
	add := func(to *[3]uint64, text string) {
		var r row
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			s.t.Fatal(err)
		}
		if r.DeltaToOctets == nil || r.DeltaFromOctets == nil {
			s.t.Fatalf("a flow without differences: %s", text)
		}
		to[0]++
		to[1] += *r.DeltaToOctets + *r.DeltaFromOctets
		to[2] += r.DeltaToPDUs + r.DeltaFromPDUs
	}
	for text := range maps.Values(s.flows) {
		add(&a, text)
	}
	for line := range strings.Lines(want) {
		if rest, ok := strings.CutPrefix(line, `{"record":"flow",`); ok {
			add(&b, "{"+rest)
		}
	}
	s.whole()
	if a != b {
		s.t.Errorf("the sink has %d flow records, %d octets, %d PDUs, want %d", a[0], a[1], a[2], b)
	}
}

// awaits waits for so many requests, for a while, or until a program has ended: then it
// returns false.
func (s *sink) awaits(requests int, ended <-chan struct{}) bool {
	over := time.After(300 * time.Millisecond) // it may have been refused
	for range requests {
		select {
		case <-s.taken:
		case <-ended:
			return false
		case <-over:
			return true
		}
	}
	select {
	case <-ended:
		return false
	default:
		return true
	}
}
