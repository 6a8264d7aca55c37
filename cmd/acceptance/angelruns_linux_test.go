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
	cpu     []float64     // of each half second, percent of a processor
	idle    float64       // memory before the first packet, MB
	memory  []float64     // memory at each half second, MB
}

// meterBlast has rtfm meter what is sent at an interface.
func meterBlast(t *testing.T, b tracetest.Blast, n int) (r angelRun) {
	t.Helper()
	p := startBeside(t, exec.Command(tracetest.Require(t, "taskset"), "-c", "1", "rtfm", "run", "-i", "eb", "-r", everyFlow,
		"-T", "1", "--inactivity-timeout", "5", "-f", "4000000", "-F", "/dev/null"))
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
	return r
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
	}
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
