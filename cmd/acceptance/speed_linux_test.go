package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"rtfm/traces/tracetest"
)

// TestTraceSpeed measures how fast rtfm and other programs count what is in
// traces, and prints a table for each contest: programs take turns, and the
// figures are medians. That all count right is tested, how fast is not.
//
//	RTFM_SPEED         folder for the traces, up to 2 GB each, which are made when they are missing
//	RTFM_SPEED_ROUNDS  how many times each program runs, 5 if it is not set
//	RTFM_SPEED_LIMITS  folder of limit-go, the source of a program that counts flows by a fixed key and
//	                   does no more than it must
//
// Without the first it is skipped. Programs that are not there do not take part.
func TestTraceSpeed(t *testing.T) {
	dir := os.Getenv("RTFM_SPEED")
	if dir == "" {
		t.Skip("RTFM_SPEED is not set")
	}
	rounds := 5
	if s := os.Getenv("RTFM_SPEED_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil || rounds < 1 {
			t.Fatalf("RTFM_SPEED_ROUNDS=%s: want a number", s)
		}
	}
	bin := t.TempDir()
	build(t, ".", filepath.Join(bin, "rtfm"))
	if limits := os.Getenv("RTFM_SPEED_LIMITS"); limits != "" {
		build(t, filepath.Join(limits, "limit-go"), filepath.Join(bin, "limit-go"))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH")+":/usr/sbin")
	for _, c := range contests(t) {
		t.Run(c.name, func(t *testing.T) {
			trace, totals := prepareTrace(t, dir, c.trace, c.workload)
			c.run(t, trace, totals, rounds)
		})
	}
}

func build(t *testing.T, dir, to string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-o", to, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", dir, err, out)
	}
}

// prepareTrace returns the path of a trace in dir and what is in it. A name with
// .gz or .zst behind it is that of the trace, compressed.
func prepareTrace(t *testing.T, dir, name string, w *tracetest.Workload) (path string, totals tracetest.Totals) {
	t.Helper()
	plain := filepath.Join(dir, strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst"))
	text, err := os.ReadFile(plain + ".totals")
	if err != nil {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(plain)
		if err != nil {
			t.Fatal(err)
		}
		if totals, err = w.Write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if text, err = json.Marshal(totals); err != nil {
			t.Fatal(err)
		}
		// Written last, so that it tells that the trace is whole.
		if err := os.WriteFile(plain+".totals", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(text, &totals); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		switch filepath.Ext(name) {
		case ".gz":
			tracetest.Run(t, "gzip -k "+plain)
		case ".zst":
			tracetest.Run(t, "zstd -q "+plain)
		}
	}
	return path, totals
}

// contest is programs that do the same with a trace.
type contest struct {
	name     string
	trace    string
	workload *tracetest.Workload
	programs []contestant // the first one there is what others are compared with
}

// contestant is a program, or one way to run it.
type contestant struct {
	name    string
	command string // its words, with TRACE for the trace and DIR for a folder of its own
	environ string // a variable, if any
	// counted returns what the program says that it has counted, 0 for what it
	// does not say. If it is nil, what it prints is thrown away.
	counted func(t *testing.T, printed, dir string) tracetest.Totals
	ours    bool // must count right
}

// taken is what a run took.
type taken struct {
	seconds, cpu         float64
	anonymous, fromFiles int // most memory at a time, KiB
}

// run has the programs run in turn and prints a table.
func (c *contest) run(t *testing.T, trace string, want tracetest.Totals, rounds int) {
	programs := slices.DeleteFunc(slices.Clone(c.programs), func(p contestant) bool {
		_, err := exec.LookPath(strings.Fields(p.command)[0])
		return err != nil
	})
	all := make([][]taken, len(programs))
	wrong := make([]string, len(programs))
	for round := range rounds + 1 {
		for i, p := range programs {
			took, fault := p.run(t, trace, want)
			if fault != "" {
				wrong[i] = fault
				if p.ours {
					t.Errorf("%s: %s", p.name, fault)
				}
			}
			if round > 0 { // the first warms up
				all[i] = append(all[i], took)
			}
		}
	}
	fmt.Printf("\n%s: %d packets, %d flows, medians of %d\n", c.name, want.Packets, want.Flows, rounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "program\tMpps\tof %s\ts\tCPU s\tMB\tand of files\tcounts\n", programs[0].name)
	var first float64
	for i, p := range programs {
		m := taken{
			median(all[i], func(r taken) float64 { return r.seconds }),
			median(all[i], func(r taken) float64 { return r.cpu }),
			median(all[i], func(r taken) int { return r.anonymous }),
			median(all[i], func(r taken) int { return r.fromFiles }),
		}
		if i == 0 {
			first = m.seconds
		}
		counts := "right"
		switch {
		case p.counted == nil:
			counts = "-"
		case wrong[i] != "":
			counts = wrong[i]
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.3f\t%.3f\t%d\t%d\t%s\n", p.name, float64(want.Packets)/1e6/m.seconds,
			first/m.seconds, m.seconds, m.cpu, m.anonymous*1024/1e6, m.fromFiles*1024/1e6, counts)
	}
	w.Flush()
}

// median returns the median of a figure of runs.
func median[T int | float64](runs []taken, of func(taken) T) T {
	var values []T
	for _, r := range runs {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// run runs the program once, and tells what is wrong with what it has counted.
func (p *contestant) run(t *testing.T, trace string, want tracetest.Totals) (r taken, fault string) {
	t.Helper()
	dir := t.TempDir()
	words := strings.Fields(strings.NewReplacer("TRACE", trace, "DIR", dir).Replace(p.command))
	cmd := exec.Command(words[0], words[1:]...)
	if p.environ != "" {
		cmd.Env = append(os.Environ(), p.environ)
	}
	var printed bytes.Buffer
	if cmd.Stderr = &printed; p.counted != nil {
		cmd.Stdout = &printed
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		r.watch(cmd.Process.Pid, ended)
	}()
	err := cmd.Wait()
	r.seconds = time.Since(began).Seconds()
	close(ended)
	<-looked
	if err != nil {
		t.Fatalf("%q: %v\n%s", words, err, printed.String())
	}
	r.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if p.counted != nil {
		fault = differences(p.counted(t, printed.String(), dir), want)
	}
	os.RemoveAll(dir)
	return r, fault
}

// watch finds out how much memory a process has until it has ended.
func (r *taken) watch(pid int, ended <-chan struct{}) {
	memory := regexp.MustCompile(`RssAnon:\s+(\d+) kB\nRssFile:\s+(\d+) kB`)
	for {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // the process may have ended
		if m := memory.FindSubmatch(text); m != nil {
			anonymous, _ := strconv.Atoi(string(m[1]))
			fromFiles, _ := strconv.Atoi(string(m[2]))
			r.anonymous, r.fromFiles = max(r.anonymous, anonymous), max(r.fromFiles, fromFiles)
		}
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// differences tells which of the totals that are not 0 are not as wanted.
func differences(got, want tracetest.Totals) string {
	var faults []string
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if n := g.Field(i).Int(); n != 0 && n != w.Field(i).Int() {
			faults = append(faults, fmt.Sprintf("%s %d, not %d", g.Type().Field(i).Name, n, w.Field(i).Int()))
		}
	}
	return strings.Join(faults, ", ")
}
