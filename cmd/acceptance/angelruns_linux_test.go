package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces/tracetest"
)

// angelRun is what came of a run.
type angelRun struct {
	sent    int // packets
	arrived int // at the interface
	lost    int // of these, by the kernel since the meter was late
	metered int
	flows   int
	took    time.Duration // to send them
	busy    time.Duration // the meter's processor time meanwhile
	kernel  float64       // which part of that the kernel took, for sending what it tells among other things
	cpu     []float64     // of each half second, percent of a processor
	idle    float64       // memory before the first packet, MB
	memory  []float64     // memory at each half second, MB
	// What has come of a feed, if there is one: PACKETs, flows with NEW and END that all
	// of their PACKETs have come of, and whether nothing is missing.
	packets, ended int
	whole          bool
}

// meterBlast has rtfm meter what is sent at an interface, and tell of it, unless to is
// nil.
func meterBlast(t *testing.T, b tracetest.Blast, n int, to *feedNetwork) (r angelRun) {
	t.Helper()
	args := []string{"rtfm", "run", "-i", "eb", "-r", everyFlow, "-T", "1", "--inactivity-timeout", "5", "-f", "4000000", "-F", "/dev/null"}
	var receiver *process
	if to != nil {
		receiver = to.receive()
		args = append(args, "--feed", to.url, "--feed-idle", "5")
	}
	p := startBeside(t, exec.Command(tracetest.Require(t, "taskset"), append([]string{"-c", "1", "chrt", "-f", "1"}, args...)...))
	p.waitToCapture(1)
	before := received(t, "eb")
	r.idle = p.residentMemory()
	samples := p.sample(500 * time.Millisecond)
	began := time.Now()
	b.Send(t, "ea", "eb", n)
	r.took = time.Since(began)
	samples(&r)
	p.endLive()
	r.sent, r.arrived = n, received(t, "eb")-before
	r.metered = numberIn(t, `(?m)^(\d+) packets?, `, p.printed())
	r.lost = numberIn(t, `(?m), (\d+) lost$`, p.printed())
	r.flows = numberIn(t, `(?m)^(\d+) flows?, from `, p.printed())
	if r.metered+r.lost != r.arrived {
		t.Errorf("%+v: %d packets have arrived, %d are metered and %d lost", b, r.arrived, r.metered, r.lost)
	}
	if want := min(n, b.Hosts*b.Ports); r.metered == n && r.flows != want {
		t.Errorf("%+v: %d flows, want %d", b, r.flows, want)
	}
	if to == nil {
		return r
	}
	for to.waiting() > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	receiver.signal(syscall.SIGINT)
	receiver.exit(60 * time.Second)
	text := receiver.printed()
	r.packets, r.ended = numberIn(t, `(?m)^(\d+) packets?, .* told by 1 meter`, text), numberIn(t, `; (\d+) flows? ha`, text)
	if r.whole = strings.Contains(text, "nothing is missing"); !r.whole {
		t.Logf("%+v: the receiver's summary:\n%s", b, text)
	} else if r.packets != r.metered || r.ended != r.flows {
		t.Errorf("%+v: nothing is missing of %d packets and %d flows, but %d and %d are metered", b, r.packets, r.ended, r.metered, r.flows)
	}
	return r
}

// feedNetwork is a namespace of its own for the receiver of a feed.
type feedNetwork struct {
	t         *testing.T
	name, url string
}

// newFeedNetwork joins the namespace of the test with another one.
func newFeedNetwork(t *testing.T) *feedNetwork {
	t.Helper()
	f := &feedNetwork{t, fmt.Sprintf("angel%d", os.Getpid()), "udp://10.99.0.2:22101"}
	tracetest.Run(t, "ip netns add "+f.name)
	t.Cleanup(func() { tracetest.Run(t, "ip netns del "+f.name) })
	tracetest.Run(t, "ip link add fa type veth peer name fb netns "+f.name)
	tracetest.Run(t, "ip -n "+f.name+" addr add 10.99.0.2/30 dev fb")
	tracetest.Run(t, "ip -n "+f.name+" link set fb up")
	tracetest.Run(t, "ip addr add 10.99.0.1/30 dev fa")
	tracetest.Up(t, "fa")
	return f
}

// receive starts a receiver.
func (f *feedNetwork) receive() *process {
	f.t.Helper()
	p := startBeside(f.t, exec.Command("ip", "netns", "exec", f.name, "chrt", "-f", "1", "rtfm", "feed", "-l", f.url, "--max-flows", "4000000"))
	for deadline := time.Now().Add(20 * time.Second); f.waiting() < 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("the receiver does not listen: %s", p.printed())
		}
	}
	return p
}

// waiting returns how many octets the receiver has to receive yet, -1 if it does not
// listen.
func (f *feedNetwork) waiting() int {
	f.t.Helper()
	sockets := tracetest.Run(f.t, "ip netns exec "+f.name+" ss -Hlun")
	if !strings.Contains(sockets, ":22101") {
		return -1
	}
	return numberIn(f.t, `(?m)^UNCONN +(\d+) `, sockets)
}

// useProcessor has this process, and those that it starts, use this processor only.
func useProcessor(t *testing.T, processor int) {
	t.Helper()
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range threads {
		id, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			t.Fatal(err)
		}
		var set, before unix.CPUSet
		set.Set(processor)
		if err := unix.SchedGetaffinity(id, &before); err != nil {
			continue // it has ended
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.SchedSetaffinity(id, &before) }) // unless it has ended
	}
}

// sample looks at the process each interval, until what it returns is called.
func (p *process) sample(interval time.Duration) (end func(*angelRun)) {
	stop, ended := make(chan struct{}), make(chan struct{})
	began := p.processorTime()
	userBefore, kernelBefore := p.ticks()
	var cpu, memory []float64
	go func() {
		defer close(ended)
		each := time.NewTicker(interval)
		defer each.Stop()
		last, at := began, time.Now()
		for {
			select {
			case <-stop:
				return
			case <-each.C:
			}
			now := time.Now()
			took := p.processorTime()
			cpu = append(cpu, 100*(took-last).Seconds()/now.Sub(at).Seconds())
			memory = append(memory, p.residentMemory())
			last, at = took, now
		}
	}()
	return func(r *angelRun) {
		close(stop)
		<-ended
		r.cpu, r.memory, r.busy = cpu, memory, p.processorTime()-began
		user, kernel := p.ticks()
		user, kernel = user-userBefore, kernel-kernelBefore
		r.kernel = float64(kernel) / float64(max(user+kernel, 1))
	}
}

// ticks returns the processor time of the process in the kernel's ticks.
func (p *process) ticks() (user, kernel int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	if fields := strings.Fields(rest); len(fields) > 12 {
		user, _ = strconv.Atoi(fields[11])
		kernel, _ = strconv.Atoi(fields[12])
	}
	return user, kernel
}

// processorTime returns that of all threads that the process has.
func (p *process) processorTime() (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, path := range threads {
		text, _ := os.ReadFile(path) // it may have ended
		if fields := bytes.Fields(text); len(fields) > 0 {
			ns, _ := strconv.Atoi(string(fields[0]))
			sum += time.Duration(ns)
		}
	}
	return sum
}

// residentMemory returns how much memory of the process there is, in MB.
func (p *process) residentMemory() float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	m := regexp.MustCompile(`(?m)^Rss:\s+(\d+) kB$`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return float64(kb) * 1024 / 1e6
}

// quartiles returns the least value, the quartiles and the most one, all 0 of none.
func quartiles(values []float64) (q [5]float64) {
	slices.Sort(values)
	for i := range q {
		if len(values) > 0 {
			q[i] = values[i*(len(values)-1)/4]
		}
	}
	return q
}
