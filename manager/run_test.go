package manager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/reader/flowfile"
	"rtfm/ruleset"
)

// runningManager is a manager under test.
type runningManager struct {
	t       testing.TB
	log     logBuffer
	changes chan *Config
	cancel  context.CancelFunc
	done    chan error
}

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startManager runs a manager of these meters.
func startManager(t testing.TB, o Options, meters ...*Meter) *runningManager {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &runningManager{t: t, changes: make(chan *Config), cancel: cancel, done: make(chan error, 1)}
	o.Log, o.Version = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug})), "test"
	c := configOf(t, meters...)
	go func() { r.done <- Run(ctx, c, r.changes, o) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Log("the manager's log:\n" + r.log.String())
		}
	})
	return r
}

func configOf(t testing.TB, meters ...*Meter) *Config {
	t.Helper()
	all := &Config{}
	for _, m := range meters {
		c, err := ForMeter(*m)
		if err != nil {
			t.Fatal(err)
		}
		all.Meters = append(all.Meters, c.Meters...)
	}
	return all
}

// wait waits until the log has this text n times.
func (r *runningManager) wait(text string, n int) {
	r.t.Helper()
	for until := time.Now().Add(20 * time.Second); strings.Count(r.log.String(), text) < n; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-r.done:
			r.t.Fatalf("the manager has ended: %v", err)
		default:
		}
		if time.Now().After(until) {
			r.t.Fatalf("the log does not have %q %d times", text, n)
		}
	}
}

// collections returns how many collections a flow data file has.
func collections(name string) int {
	text, _ := os.ReadFile(name)
	return bytes.Count(text, []byte("#EndData"))
}

// waitForCollections waits until a flow data file has n collections. One that is
// being made may have begun before; what was counted by now is in the second one
// from now.
func waitForCollections(t testing.TB, name string, n int) {
	t.Helper()
	for until := time.Now().Add(90 * time.Second); collections(name) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s has %d collections, want %d", name, collections(name), n)
		}
	}
}

// stop ends the manager.
func (r *runningManager) stop() {
	r.t.Helper()
	r.cancel()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("the manager has ended: %v", err)
		}
	case <-time.After(20 * time.Second):
		r.t.Fatal("the manager does not end")
	}
}

// counted is what a flow data file says.
type counted struct {
	packets     map[int]int // by ruleset: the sum of what each flow counted
	collections []flowfile.Times
	lives       map[int64]life // by when the meter was started, in seconds since 1970
	flows       int            // records
}

// life is what was collected of a meter between two of its starts.
type life struct {
	collections int
	to          uint64 // Uptime when the latest began
}

// count reads a flow data file of the tests' rulesets. The counters of a flow
// must never go back.
func count(t testing.TB, name string) counted {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := counted{packets: make(map[int]int), lives: make(map[int64]life)}
	last := make(map[string]int)
	for r := flowfile.NewReader(f); ; {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return c
		}
		if err != nil {
			t.Fatal(err)
		}
		switch rec.Kind {
		case flowfile.KindIncomplete:
			t.Errorf("%s:%d: an incomplete collection", name, rec.Line)
		case flowfile.KindTime:
			c.collections = append(c.collections, rec.Collection)
			start := rec.Header.Start.Unix()
			c.lives[start] = life{c.lives[start].collections + 1, rec.Collection.To}
		case flowfile.KindFlow:
			value := func(column string) int {
				i := slices.IndexFunc(rec.Columns, func(c flowfile.Column) bool { return c.Name == column })
				if i < 0 {
					t.Fatalf("%s:%d: no column %s", name, rec.Line, column)
				}
				n, err := strconv.Atoi(rec.Values[i])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			// The header tells when the meter was started.
			flow := fmt.Sprint(rec.Header.Start, value("flowruleset"), value("flowindex"), value("firsttime"))
			now := value("topdus") + value("frompdus")
			if now < last[flow] {
				t.Errorf("%s:%d: flow %s went back from %d to %d packets", name, rec.Line, flow, last[flow], now)
			}
			c.flows++
			c.packets[value("flowruleset")] += now - last[flow]
			last[flow] = now
		}
	}
}

// TestRun manages a meter from its start to its end, with a manager that is
// killed and one that is told to go.
func TestRun(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	m.Interval, m.Keepalive = time.Second, time.Second
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	sent := 0
	for i := range 5 {
		l.send(fmt.Sprint("10.0.0.", i), 100)
		sent += 100
		time.Sleep(300 * time.Millisecond)
	}
	waitForCollections(t, m.Output, 2)
	r.stop()
	if got := count(t, m.Output); got.packets[2] != sent || len(got.collections) < 3 {
		t.Errorf("counted %v in %d collections, %d packets were sent", got.packets, len(got.collections), sent)
	}
	// The meter goes on without its manager.
	l.send("10.0.0.1", 50)
	before := collections(m.Output)
	r = startManager(t, Options{Remove: true}, m)
	waitForCollections(t, m.Output, before+1)
	l.send("10.0.0.1", 7)
	r.stop()
	if strings.Contains(r.log.String(), "downloaded") {
		t.Errorf("the ruleset was not found again:\n%s", r.log.String())
	}
	if got := count(t, m.Output); got.packets[2] != sent+57 {
		t.Errorf("counted %v, %d packets were sent", got.packets, sent+57)
	}
	if got := tables(t, l.dial()); strings.Contains(got, "test") {
		t.Errorf("the manager has left in the meter\n%s", got)
	}
}

// TestRestart restarts a meter, which must get its ruleset again and lose only
// what it had counted and nobody had collected.
func TestRestart(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	m.Interval, m.Keepalive = time.Second, time.Second
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl"), Standby: loadRules(t, "coarse.rules"), HighWaterMark: 50}}
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	l.send("10.0.0.1", 10)
	waitForCollections(t, m.Output, collections(m.Output)+2)
	l.stop()
	l = startMeter(t, l.address, 1000)
	r.wait("task started", 2)
	l.send("10.0.0.1", 5)
	r.stop()
	// The standby ruleset has SET 2.
	if got := count(t, m.Output); got.packets[3] != 15 {
		t.Errorf("counted %v, 10 packets were sent to the first meter and 5 to the second", got.packets)
	}
	if strings.Count(r.log.String(), "downloaded") != 4 {
		t.Errorf("the log is\n%s", r.log.String())
	}
}

// TestForeign restarts a meter that does not have our extension: only that the
// agent's uptime goes back tells of it.
func TestForeign(t *testing.T) {
	t.Parallel()
	l := startForeign(t, "", 1000)
	m := testMeter(l)
	m.Interval, m.Keepalive = time.Second, time.Second
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	sent := 0
	for i := range 30 {
		l.send(fmt.Sprint("10.0.0.", i%7), 10)
		sent += 10
		time.Sleep(100 * time.Millisecond)
	}
	waitForCollections(t, m.Output, collections(m.Output)+2)
	l.stop()
	l = startForeign(t, l.address, 1000)
	r.wait("the meter was restarted", 1)
	r.wait("task started", 2)
	l.send("10.0.0.1", 5)
	r.stop()
	if got := count(t, m.Output); got.packets[2] != sent+5 || len(got.collections) < 4 {
		t.Errorf("counted %v in %d collections, %d packets were sent", got.packets, len(got.collections), sent+5)
	}
}

// TestSilence makes one of two meters deaf for a while: it is collected when
// it returns, and the other one all the time.
func TestSilence(t *testing.T) {
	t.Parallel()
	a, b := startMeter(t, "", 1000), startMeter(t, "", 1000)
	var meters []*Meter
	for i, l := range []*loopMeter{a, b} {
		m := testMeter(l)
		m.Name = string(rune('a' + i))
		m.Interval, m.Keepalive = time.Second, time.Second
		m.SNMP.Timeout, m.SNMP.Retries = 500*time.Millisecond, 2
		m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
		meters = append(meters, m)
	}
	r := startManager(t, Options{Grace: time.Hour}, meters...)
	r.wait("task started", 2)
	a.silent.setDeaf(true)
	a.send("10.0.0.1", 33)
	b.send("10.0.0.1", 44)
	r.wait("cannot be managed", 1)
	waitForCollections(t, meters[1].Output, collections(meters[1].Output)+2)
	a.silent.setDeaf(false)
	r.wait("can be managed again", 1)
	if got := count(t, meters[0].Output); got.packets[2] != 33 {
		t.Errorf("counted %v of 33 packets when the meter came back", got.packets)
	}
	// A dead meter does not keep the manager from ending soon.
	a.silent.setDeaf(true)
	r.wait("cannot be managed", 2)
	r.cancel()
	select {
	case err := <-r.done:
		if err == nil {
			t.Error("a meter that is dead was collected")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the manager waits for a dead meter")
	}
	if got := count(t, meters[1].Output); got.packets[2] != 44 {
		t.Errorf("counted %v of 44 packets", got.packets)
	}
}

// TestLastAttempt ends a manager while it waits to try a meter again that has
// returned meanwhile: it must be collected.
func TestLastAttempt(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	m.Interval, m.Keepalive = time.Hour, time.Second
	m.SNMP.Timeout, m.SNMP.Retries = time.Second, 0
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	r := startManager(t, Options{Grace: 20 * time.Second}, m)
	r.wait("task started", 1)
	l.silent.setDeaf(true)
	l.send("10.0.0.1", 33)
	r.wait("cannot be managed", 1) // and is tried again a second later
	l.silent.setDeaf(false)
	r.stop()
	if got := count(t, m.Output); got.packets[2] != 33 {
		t.Errorf("counted %v of 33 packets", got.packets)
	}
}

// TestReload changes the configuration: a ruleset is replaced, a meter goes and
// one comes, and no packet is missed or counted twice.
func TestReload(t *testing.T) {
	a, b := startMeter(t, "", 1000), startMeter(t, "", 1000)
	ma, mb := testMeter(a), testMeter(b)
	ma.Name, mb.Name = "a", "b"
	for _, m := range []*Meter{ma, mb} {
		m.Interval, m.Keepalive = time.Hour, time.Hour
		m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	}
	r := startManager(t, Options{}, ma)
	r.wait("task started", 1)
	a.send("10.0.0.1", 10)
	changed := *ma
	changed.Tasks = []Task{{RuleSet: loadRules(t, "coarse.rules")}}
	r.changes <- configOf(t, &changed, mb)
	r.wait("ruleset removed", 1)
	r.wait("task started", 2)
	a.send("10.0.0.1", 20)
	b.send("10.0.0.1", 30)
	if got := count(t, ma.Output); got.packets[2] != 10 {
		t.Errorf("counted %v when the ruleset was replaced", got.packets)
	}
	// The second one keeps running; the first goes.
	r.changes <- configOf(t, mb)
	r.wait("no more in the configuration", 1)
	for until := time.Now().Add(10 * time.Second); strings.Contains(tables(t, a.dial()), "test"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("the meter still has\n%s", tables(t, a.dial()))
		}
	}
	// The second one gets another owner: all is made anew, and the old removed.
	owned := *mb
	owned.Owner = "someone"
	r.changes <- configOf(t, &owned)
	r.wait("task started", 3)
	b.send("10.0.0.1", 7)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := tables(t, b.dial())
		if !strings.Contains(got, "test") && strings.Count(got, "someone") == 4 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("after a change of the owner the meter has\n%s", got)
		}
	}
	r.stop()
	if got := count(t, ma.Output); got.packets[2] != 10 || got.packets[3] != 20 {
		t.Errorf("counted %v, want 10 by ruleset 2 and 20 by 3", got.packets)
	}
	// The other ruleset asks for statistics.
	if text, err := os.ReadFile(ma.Output); err != nil || !strings.Contains(string(text), "-r coarse") || !strings.Contains(string(text), "#Stats: packets=") {
		t.Errorf("the flow data file is\n%s", text)
	}
	if got := count(t, mb.Output); got.packets[2] != 37 {
		t.Errorf("counted %v, want 37 by ruleset 2", got.packets)
	}
}

// TestReloadAnything changes whatever can be changed, again and again, while
// packets come: each is counted once, by whichever ruleset runs.
func TestReloadAnything(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	m.Interval, m.Keepalive = time.Second, time.Second
	rules := []*ruleset.RuleSet{loadRules(t, "all.srl"), loadRules(t, "coarse.rules")}
	m.Tasks = []Task{{RuleSet: rules[0]}}
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	sent := 0
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
				l.send(fmt.Sprint("10.0.0.", i%9), 1+i%5)
				sent += 1 + i%5
			}
		}
	})
	seed := rand.New(rand.NewPCG(4, 4))
	pick := func(n int) int { return seed.IntN(n) }
	for range 30 {
		changed := *m
		changed.Interval = time.Duration(1+pick(3)) * time.Second
		changed.Keepalive = time.Duration(1+pick(2)) * time.Second
		changed.ReaderTimeout = time.Duration(1+pick(2)) * time.Hour
		changed.SNMP.Retries = 3 + pick(2) // another keeper takes over
		flood, timeout := 80+pick(10), 1+pick(3)
		changed.FloodMark, changed.InactivityTimeout = &flood, &timeout
		changed.Tasks = []Task{{RuleSet: rules[pick(2)]}}
		switch other := rules[pick(2)]; pick(3) {
		case 0:
			changed.Tasks[0].Standby, changed.Tasks[0].HighWaterMark = other, 60
		case 1:
			always, err := ParseWhen("mon-sun")
			if err != nil {
				t.Fatal(err)
			}
			changed.Tasks[0].Turns = []Turn{{[]When{always}, other}}
		}
		r.changes <- configOf(t, &changed)
		time.Sleep(time.Duration(pick(400)) * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	r.stop()
	got := count(t, m.Output)
	sum := 0
	for _, n := range got.packets {
		sum += n
	}
	t.Logf("%d packets sent, counted %v in %d collections", sent, got.packets, len(got.collections))
	if sum != sent || len(got.packets) < 2 {
		t.Errorf("%d packets were sent, counted %v", sent, got.packets)
	}
}

// TestOthersReader replaces a ruleset whose flows another reader has not
// collected yet: it must stay in the meter until that one has.
func TestOthersReader(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 1000)
	m := testMeter(l)
	timeout := 1
	m.Interval, m.Keepalive, m.InactivityTimeout = time.Second, time.Second, &timeout
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	r := startManager(t, Options{Remove: true}, m)
	r.wait("task started", 1)
	c := l.dial()
	other := &mib.Reader{Row: mib.Row{Owner: "other", Active: true}, RuleSet: 2}
	if err := c.CreateReader(t.Context(), 50, other); err != nil {
		t.Fatal(err)
	}
	l.send("10.0.0.1", 10)
	changed := *m
	changed.Tasks = []Task{{RuleSet: loadRules(t, "coarse.rules")}}
	r.changes <- configOf(t, &changed)
	r.wait("stays in the meter", 1)
	time.Sleep(2 * time.Second) // the flows are idle now, and the manager has come again
	if sets, err := c.RuleSets(t.Context()); err != nil || sets.At(2) == nil || sets.At(2).Flows != 1 {
		t.Fatalf("the ruleset is %+v, %v", sets.At(2), err)
	}
	for range 2 {
		now, err := c.BeginCollection(t.Context(), 50, other)
		if err != nil {
			t.Fatal(err)
		}
		other = now
	}
	r.wait("ruleset removed", 1)
	// Nor does a manager that leaves take flows from others.
	if err := c.CreateReader(t.Context(), 51, &mib.Reader{Row: mib.Row{Owner: "other", Active: true}, RuleSet: 3}); err != nil {
		t.Fatal(err)
	}
	l.send("10.0.0.1", 20)
	r.stop()
	if sets, err := c.RuleSets(t.Context()); err != nil || sets.At(3) == nil || sets.At(3).Flows != 1 {
		t.Errorf("the manager has left ruleset %+v, %v", sets.At(3), err)
	}
	if got := tables(t, c); strings.Contains(got, "task") || strings.Contains(got, "reader 1 ") || !strings.Contains(r.log.String(), "index=3 reader=other") {
		t.Errorf("the manager has left\n%s", got)
	}
	if got := count(t, m.Output); got.packets[2] != 10 || got.packets[3] != 20 {
		t.Errorf("counted %v, want 10 by ruleset 2 and 20 by 3", got.packets)
	}
}

// TestFlood fills a meter's flow table: collections must come at the shorter
// interval until it has emptied.
func TestFlood(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 100)
	m := testMeter(l)
	timeout := 4 // so long do the flows of the flood stay
	m.Interval, m.FloodInterval, m.Keepalive, m.InactivityTimeout = time.Hour, time.Second, time.Second, &timeout
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl"), Standby: loadRules(t, "coarse.rules"), HighWaterMark: 50}}
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	waitForCollections(t, m.Output, 1) // of those to come, two must be made before flows go
	for i := range 70 {
		l.send(fmt.Sprint("10.0.0.", i), 1)
	}
	r.wait("runs a standby ruleset", 1)
	r.wait("runs its current ruleset again", 1)
	r.wait("runs as it should again", 1)
	l.send("10.0.1.1", 5)
	r.stop()
	got := count(t, m.Output)
	if n := got.packets[2] + got.packets[3]; n != 75 || got.packets[3] == 0 || len(got.collections) < 4 {
		t.Errorf("counted %v in %d collections, 75 packets were sent", got.packets, len(got.collections))
	}
}

// TestBuiltInIsCollected has a meter count with its built-in ruleset before a
// manager comes and in flood mode, which ends long before flows are idle. All
// packets must be in the flow data.
func TestBuiltInIsCollected(t *testing.T) {
	t.Parallel()
	l := startMeter(t, "", 100)
	m := testMeter(l)
	mark := 60
	m.Interval, m.FloodInterval, m.Keepalive, m.FloodMark = time.Hour, time.Second, time.Second, &mark
	m.Tasks = []Task{{RuleSet: loadRules(t, "all.srl")}}
	l.send("10.0.0.1", 10)
	r := startManager(t, Options{}, m)
	r.wait("task started", 1)
	waitForCollections(t, m.Output, 1)
	for i := range 70 {
		l.send(fmt.Sprint("10.0.0.", i), 1)
	}
	l.send("10.0.1.2", 20)
	r.wait("is flooded", 1)
	r.wait("the flood has receded", 1)
	l.send("10.0.1.1", 5)
	r.stop()
	got := count(t, m.Output)
	if got.packets[1]+got.packets[2] != 105 || got.packets[2] != 60+5 {
		t.Errorf("counted %v, 105 packets were sent", got.packets)
	}
}
