package acceptance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// sink is a web server that takes rows, and keeps each under its key. It may fail at
// random: before it has taken a request, after it, in the middle of an answer.
type sink struct {
	*httptest.Server
	t     *testing.T
	taken chan struct{} // has room for a few requests

	mu          sync.Mutex
	r           *rand.Rand // nil for a server that never fails
	refuses     bool
	flows       map[string]string // rows
	collections map[string]row    // by interval
}

// row is what a test wants of one.
type row struct {
	Meter, Boot, RuleSet                      string
	FlowIndex, FirstTimeNs, IntervalEndNs     int64
	DeltaToOctets, DeltaFromOctets            *uint64
	DeltaToPDUs, DeltaFromPDUs, ToPDUs, Flows uint64
}

func (r *row) interval() string { return fmt.Sprint(r.Meter, r.Boot, r.IntervalEndNs) }

func (r *row) key() string {
	return fmt.Sprint(r.interval(), r.RuleSet, r.FlowIndex, " ", r.FirstTimeNs)
}

// newSink starts a sink at an address, "127.0.0.1:0" for any.
func newSink(t *testing.T, r *rand.Rand) *sink {
	if r != nil { // the server asks its own
		r = rand.New(rand.NewPCG(r.Uint64(), 1))
	}
	s := &sink{t: t, r: r, taken: make(chan struct{}, 1000), flows: map[string]string{}, collections: map[string]row{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.taken <- struct{}{}:
	default:
	}
	fate := 9
	if s.r != nil {
		fate = s.r.IntN(100)
	}
	switch {
	case s.refuses:
		http.Error(w, "the schema is wrong", http.StatusBadRequest)
		return
	case fate == 0:
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	if err := s.take(req.Body); err != nil {
		// Who sent it was killed, or has sent nonsense.
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	switch fate {
	case 1:
		http.Error(w, "taken, and then something went wrong", http.StatusInternalServerError)
	case 2:
		panic(http.ErrAbortHandler) // which closes the connection
	case 3:
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half"))
	}
}

// take keeps rows, of half a request too.
func (s *sink) take(body io.Reader) error {
	z, err := gzip.NewReader(body)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		if r.FlowIndex == 0 {
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

// same compares what a sink has with the flows in a flow data file of JSON lines.
func (s *sink) same(file string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	want, ends := 0, map[string]bool{}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, `{"record":"flow",`)
		if !ok {
			continue
		}
		want++
		var r row
		if err := json.Unmarshal([]byte("{"+rest), &r); err != nil {
			s.t.Fatal(err)
		}
		ends[r.interval()] = true
		if got := s.flows[r.key()]; got != "{"+strings.TrimRight(rest, "\n") {
			s.t.Fatalf("the sink has\n%s\nnot\n%s", got, line)
		}
	}
	if want == 0 || len(s.flows) != want {
		s.t.Errorf("the sink has %d flows, the file %d", len(s.flows), want)
	}
	s.whole()
	for interval := range ends {
		if _, ok := s.collections[interval]; !ok {
			s.t.Errorf("%s: flows without their collection", interval)
		}
	}
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

// killing starts a program that exports to the sink, kills it when the sink has had some
// requests, fewer than so many, and starts it again, until that was done kills times or
// metering has ended. From then on the sink fails no more. It returns the program that
// runs, and how many were killed.
func (s *sink) killing(kills, requests int, metering *process, start func() *process) (p *process, killed int) {
	s.t.Helper()
	r := rand.New(rand.NewPCG(uint64(kills), uint64(requests)))
	p = start()
	for killed < kills && s.awaits(1+r.IntN(requests), metering) {
		p.signal(syscall.SIGKILL)
		p.exit(20 * time.Second)
		killed++
		p = start()
	}
	s.mu.Lock()
	s.r = nil
	s.mu.Unlock()
	return p, killed
}

// awaits waits for so many requests; false if metering ends before.
func (s *sink) awaits(requests int, metering *process) bool {
	for range requests {
		select {
		case <-s.taken:
		case <-metering.ended:
			return false
		case <-time.After(time.Minute):
			s.t.Fatal("nothing comes")
		}
	}
	return true
}

// spoolKills is how often programs that export are killed.
func spoolKills() int {
	if tracetest.Long() {
		return 1000
	}
	return 20
}

// TestExportRunKilled kills a run that exports again and again, when the sink, which fails
// at random, has had some requests; each time it is started anew with the same spool. In
// the end the sink has each flow of each collection once, whose content never differed.
func TestExportRunKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	dir := t.TempDir()
	trace, file, folder := filepath.Join(dir, "long.pcap"), filepath.Join(dir, "flows"), filepath.Join(dir, "spool")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(19, 1))
	s := newSink(t, r)
	args := []string{"run", "-q", "-T", "600", "-r", "ruleset/examples/services.srl"}
	exporting := append(args, "--export", s.URL+"/flows", "--spool", folder, trace)
	for range spoolKills() {
		p := startBeside(t, exec.Command("rtfm", exporting...))
		for n := 1 + r.IntN(20); n > 0; n-- {
			select {
			case <-s.taken:
			case <-p.ended:
				n = 0
			case <-time.After(time.Minute):
				t.Fatal("nothing comes")
			}
		}
		p.signal(syscall.SIGKILL)
		p.exit(20 * time.Second)
		s.mu.Lock()
		s.whole()
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.r = nil
	s.mu.Unlock()
	ends(t, program(t, exporting...))
	if _, err := os.Stat(folder); err == nil {
		t.Error("the spool is still there")
	}
	ends(t, program(t, append(args, "--json", "-F", file, trace)...))
	s.same(file)
}

// TestFlowsSpool looks at a spool whose places are away, refuse what they get, and are
// well at last.
func TestFlowsSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "flows"), filepath.Join(dir, "spool")
	const trace = "traces/testdata/sample.pcap"
	s := newSink(t, nil)
	s.refuses = true
	rtfm := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if status := runMain(args, nil, &out, &out); status != want {
			t.Errorf("rtfm %q: exit status %d, want %d\n%s", args, status, want, &out)
		}
		return out.String()
	}
	tells := func(got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%q is not in\n%s", w, got)
			}
		}
	}
	const away = "http://127.0.0.1:1/x"
	tells(rtfm(5, "run", "-q", "--json", "-T", "60", "-F", file, "--export", s.URL+"/x", "--export", away, "--spool", folder, "--export-grace", "2", trace),
		"stopped: 400 Bad Request: the schema is wrong", "5 collections are still in "+folder, "rtfm flows spool --send "+folder)
	var told struct {
		Collections int
		Outlets     []struct {
			Name, To, Stopped string
			Waiting           int
		}
	}
	if err := json.Unmarshal([]byte(rtfm(5, "flows", "spool", "--json", folder)), &told); err != nil || told.Collections != 5 || len(told.Outlets) != 2 {
		t.Fatalf("%+v, %v", told, err)
	}
	refused, silent := told.Outlets[0], told.Outlets[1]
	if refused.To == away {
		refused, silent = silent, refused
	}
	tells(rtfm(5, "flows", "spool", folder), "5 collections in ", refused.Name, "stopped  400 Bad Request: the schema is wrong", silent.Name)
	tells(rtfm(1, "flows", "spool", "--skip", silent.Name, folder), "it has refused nothing")
	tells(rtfm(1, "flows", "spool", "--skip", "x", folder), "there is no outlet x")
	tells(rtfm(1, "flows", "spool", filepath.Join(dir, "none")), "no such file")
	// It is started again without the place that is away: what waits for that is kept.
	s.refuses = false
	tells(rtfm(5, "run", "-q", "-T", "60", "--export", s.URL+"/x", "--spool", folder, "--export-grace", "5", trace), "collections are still in "+folder)
	s.same(file)
	tells(rtfm(5, "flows", "spool", folder), "5 collections in ", "waiting  nothing")
	rtfm(0, "flows", "spool", "--forget", silent.Name, folder)
}

// TestExportReaderKilled kills a reader of a meter that meters a trace in step again and
// again, with a sink that fails at random. What the sink has in the end is what the flow
// data file has; without one, what a run of the trace counts.
func TestExportReaderKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	const rules, interval = "ruleset/examples/services.srl", "60"
	dir := t.TempDir()
	trace := filepath.Join(dir, "long.pcap")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(dir, "flows"), ""} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(19, 2))
			s := newSink(t, r)
			port, folder := freePort(t), filepath.Join(t.TempDir(), "spool")
			meter := exec.Command("rtfm", "meter", "-C", trace, "-T", interval, "-m", port)
			meter.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reading", "RTFM_WRITE_COMMUNITY=writing")
			metering := startBeside(t, meter)
			runTasks(t, port, []string{"-r", rules})
			args := []string{"reader", "-C", "-m", port, "--owner", "me", "--export", s.URL + "/flows", "--spool", folder, "--export-grace", "20", "127.0.0.1"}
			if file != "" {
				args = append(args, "--json", "-F", file)
			}
			start := func() *process {
				cmd := exec.Command("rtfm", args...)
				cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=writing")
				return startBeside(t, cmd)
			}
			p, killed := s.killing(spoolKills(), 6, metering, start)
			<-metering.ended
			p.signal(syscall.SIGTERM) // it may have been started when the meter had ended
			if status := p.exit(time.Minute); status != 0 || killed < 5 {
				t.Errorf("after %d kills the exit status is %d", killed, status)
			}
			t.Logf("%d kills", killed)
			if file != "" {
				s.same(file)
			}
			s.sums(runJSON(t, trace, rules, interval))
		})
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
	for _, text := range s.flows {
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
