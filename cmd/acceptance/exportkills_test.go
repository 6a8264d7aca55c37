package acceptance

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/reader/spool"
	"rtfm/traces/tracetest"
)

// awayPlace is one that nobody answers at. What goes there stays in the spool.
const awayPlace = "http://127.0.0.1:1/away"

// killRounds has exports be killed ten times, or in the long form a thousand times, in as
// many rounds as it takes. A round returns how many it has killed, 20 unless metering has
// ended before, and what its sink has done.
func killRounds(t *testing.T, round func(t *testing.T, r *rand.Rand) (killed int, fates [fateWell]int)) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	t.Parallel()
	want, all, rounds := 10, 0, 0
	if tracetest.Long() {
		want = 1000
	}
	var met [fateWell]int
	for ; all < want && !t.Failed(); rounds++ {
		t.Run(fmt.Sprint(rounds), func(t *testing.T) {
			killed, fates := round(t, rand.New(rand.NewPCG(19, uint64(rounds))))
			all += killed
			for i, n := range fates {
				met[i] += n
			}
		})
	}
	t.Logf("%d kills in %d rounds; connections closed, busy, taken and an error, closed, half an answer, late, refused: %d", all, rounds, met)
	if tracetest.Long() {
		for i, n := range met {
			if n == 0 {
				t.Errorf("the sink never had fate %d", i)
			}
		}
	}
}

// killing starts a program that exports to the sink, kills it at random points, and starts
// it again, until that was done kills times or metering has ended. It returns
// the program that runs then.
func (s *sink) killing(r *rand.Rand, kills int, metering <-chan struct{}, start func() *process) (p *process, killed int) {
	s.t.Helper()
	p = start()
	for killed < kills && s.awaits(r.IntN(6), metering) {
		if r.IntN(2) == 0 {
			time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond) // anywhere, also before it has sent a thing
		}
		p.signal(syscall.SIGKILL)
		p.exit(20 * time.Second)
		killed++
		s.mu.Lock()
		s.whole()
		s.mu.Unlock()
		p = start()
	}
	return p, killed
}

// settled ends a program that has nothing more to collect, once the sink, which is well
// again, has all that the spool in a folder has: it is started anew before, for it may have been
// refused.
func (s *sink) settled(p *process, folder string, start func() *process) {
	s.t.Helper()
	p.signal(syscall.SIGKILL)
	p.exit(20 * time.Second)
	s.wellAgain()
	p = start()
	p.wait(time.Minute, func(string) bool {
		_, err := os.Stat(filepath.Join(folder, "current.jsonl"))
		return errors.Is(err, fs.ErrNotExist) && s.waiting(folder) == 0
	})
	p.signal(syscall.SIGKILL) // at any point, and here too
	p.exit(20 * time.Second)
}

// waiting returns how many segments of a spool wait for the sink, -1 if that is not known.
func (s *sink) waiting(folder string) int {
	st, err := spool.Look(folder)
	if err != nil {
		return -1 // it has just changed
	}
	for _, o := range st.Outlets {
		if strings.HasPrefix(o.To, s.URL) {
			return o.Waiting
		}
	}
	return -1
}

// TestExportRunKilled kills a run that exports again and again, at random points, with a
// sink that fails at random; each time it is started anew with the same spool, and meters
// the same. In the end the sink has each flow of each collection once, whose content never
// differed, and nothing else; so has the spool.
func TestExportRunKilled(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	killRounds(t, func(t *testing.T, r *rand.Rand) (killed int, met [fateWell]int) {
		dir := t.TempDir()
		file, folder := filepath.Join(dir, "flows"), filepath.Join(dir, "spool")
		s := newSink(t, r)
		args := []string{"run", "-q", "-T", "600", "-r", "ruleset/examples/services.srl"}
		exporting := append(args, "--export", s.URL+"/flows?timeout=2s", "--export", awayPlace, "--spool", folder, "--export-grace", "5", trace)
		kills := 20
		if tracetest.Long() {
			kills = 50
		}
		for range kills {
			p := startBeside(t, exec.Command("rtfm", exporting...))
			s.awaits(r.IntN(20), p.ended)
			if r.IntN(2) == 0 {
				time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
			}
			p.signal(syscall.SIGKILL)
			p.exit(20 * time.Second)
			s.mu.Lock()
			s.whole()
			s.mu.Unlock()
		}
		s.wellAgain()
		// Five seconds behind the last that the sink has taken it ends, for one place is away.
		if p := startBeside(t, exec.Command("rtfm", exporting...)); p.exit(2*time.Minute) != 5 {
			t.Errorf("exit status %d", p.cmd.ProcessState.ExitCode())
		}
		s.sameAsSpool(folder)
		ends(t, program(t, append(args, "--json", "-F", file, trace)...))
		s.same(file)
		return kills, s.fates
	})
}

// TestExportReaderKilled kills a reader of a meter that meters a trace in step again and
// again, with a sink that fails at random. What the sink has in the end is what the spool
// and the flow data file have; without one, what a run of the trace counts.
func TestExportReaderKilled(t *testing.T) {
	const rules, interval = "ruleset/examples/services.srl", "60"
	trace := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"flows", ""} {
		t.Run("file="+file, func(t *testing.T) {
			killRounds(t, func(t *testing.T, r *rand.Rand) (int, [fateWell]int) {
				dir := t.TempDir()
				s := newSink(t, r)
				port, folder := freePort(t), filepath.Join(dir, "spool")
				metering := meterInStep(t, port, trace, interval)
				runTasks(t, port, []string{"-r", rules})
				args := []string{"reader", "-C", "-m", port, "--owner", "me", "--export", s.URL + "/flows?timeout=2s", "--export", awayPlace,
					"--spool", folder, "--export-grace", "5", "127.0.0.1"}
				if file != "" {
					args = append(args, "--json", "-F", filepath.Join(dir, file))
				}
				start := func() *process {
					cmd := exec.Command("rtfm", args...)
					cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=writing")
					return startBeside(t, cmd)
				}
				p, killed := s.killing(r, 20, metering.ended, start)
				<-metering.ended
				s.settled(p, folder, start)
				s.sameAsSpool(folder)
				if file != "" {
					s.same(filepath.Join(dir, file))
				}
				s.sums(runJSON(t, trace, rules, interval))
				return killed, s.fates
			})
		})
	}
}

// meterInStep starts a meter that meters a trace in step with who reads it.
func meterInStep(t *testing.T, port, trace, interval string) *process {
	meter := exec.Command("rtfm", "meter", "-C", trace, "-T", interval, "-m", port)
	meter.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reading", "RTFM_WRITE_COMMUNITY=writing")
	return startBeside(t, meter)
}

// TestExportManagerKilled kills a manager of a meter that meters a trace in step now and
// then. In the end the place that its configuration names, which fails at random, has what
// the spool and the flow data file have, and no octet of the trace is missing.
func TestExportManagerKilled(t *testing.T) {
	const rules, interval = "ruleset/examples/services.srl", "20"
	trace := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	killRounds(t, func(t *testing.T, r *rand.Rand) (int, [fateWell]int) {
		dir := t.TempDir()
		config := filepath.Join(dir, "meters.yaml")
		s := newSink(t, r)
		port := freePort(t)
		putFile(t, config, fmt.Sprintf(`defaults:
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}
  output: "%s/{name}.flows"
  json: true
  trace: true
  exports:
    - {url: "%s/flows", compression: gzip, rows: 7, timeout: 2s}
    - {url: "%s"}
  spool: {folder: %s/spool, limit: 1GiB}
meters:
  - {name: gw, address: "127.0.0.1:%s", tasks: [{rules: %s}]}
`, dir, s.URL, awayPlace, dir, port, abs))
		metering := meterInStep(t, port, trace, interval)
		start := func() *process {
			cmd := exec.Command("rtfm", "manager", "--config", config, "--grace", "5")
			cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=writing")
			return startBeside(t, cmd)
		}
		p, killed := s.killing(r, 20, metering.ended, start)
		<-metering.ended
		folder := filepath.Join(dir, "spool", "gw")
		s.settled(p, folder, start)
		s.sameAsSpool(folder)
		s.same(filepath.Join(dir, "gw.flows"))
		s.sums(runJSON(t, trace, rules, interval))
		return killed, s.fates
	})
}
