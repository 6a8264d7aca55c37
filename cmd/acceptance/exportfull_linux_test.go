package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/reader/spool"
	"rtfm/traces/tracetest"
)

// TestExportFull has a place take nothing until the spool of a manager is full, or its
// disk is. What that comes to is told in the log, by metrics and by `rtfm flows spool`.
// Then the place is well again. If collections wait, nothing is missing; if they are
// dropped, their rows tell of each flow and octet that is.
func TestExportFull(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs")
	}
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "long.pcap")
	if err := os.WriteFile(trace, longTrace(5_000), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, spool, logged string }{
		{"wait", "limit: 100KiB", "the spool is full"},
		{"disk", "limit: 1GiB", "no space left on device"},
		{"drop", "limit: 100KiB, full: drop", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFullSpool(t, trace, c.spool, c.name == "disk")
			if c.logged != "" {
				f.manager.wait(time.Minute, func(printed string) bool { return strings.Contains(printed, c.logged) })
			} else {
				<-f.metering.ended
			}
			f.told(t, c.name == "drop")
			f.sink.mu.Lock()
			f.sink.busy = false
			f.sink.mu.Unlock()
			<-f.metering.ended
			f.manager.wait(2*time.Minute, func(string) bool { return f.sink.waiting(f.folder) == 0 && len(f.gaps()) == 0 })
			f.manager.exit(time.Minute) // since the trace has ended
			if !strings.Contains(f.manager.printed(), "export goes on") {
				t.Error("the log does not tell that the export goes on")
			}
			f.compare(t, c.name == "drop")
		})
	}
}

// fullSpool is a manager with a place that takes nothing.
type fullSpool struct {
	dir, folder, trace string
	sink               *sink
	metering, manager  *process
	metrics            string // URL
}

const fullRules, fullInterval = "ruleset/examples/services.srl", "20"

func newFullSpool(t *testing.T, trace, config string, small bool) *fullSpool {
	dir, port := t.TempDir(), freePort(t)
	f := &fullSpool{dir: dir, folder: filepath.Join(dir, "spool", "gw"), trace: trace, sink: newSink(t, nil)}
	f.sink.busy = true
	if small {
		smallDisk(t, filepath.Join(dir, "spool"))
	}
	rules, err := filepath.Abs(fullRules)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "meters.yaml"), fmt.Sprintf(`defaults:
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}
  output: "%s/{name}.flows"
  json: true
  trace: true
  exports: [{url: "%s/flows"}]
  spool: {folder: %s/spool, %s}
meters:
  - {name: gw, address: "127.0.0.1:%s", tasks: [{rules: %s}]}
`, dir, f.sink.URL, dir, config, port, rules))
	f.metering = meterInStep(t, port, trace, fullInterval)
	cmd := exec.Command("rtfm", "manager", "--config", filepath.Join(dir, "meters.yaml"), "--metrics", "0")
	cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=writing")
	f.manager = startBeside(t, cmd)
	at := regexp.MustCompile(`metrics are at (http://[^ "]*)`)
	f.manager.wait(time.Minute, func(printed string) bool {
		found := at.FindStringSubmatch(printed)
		if found != nil {
			f.metrics = found[1]
		}
		return found != nil
	})
	return f
}

// smallDisk makes a folder with a file system of its own that has little room.
func smallDisk(t *testing.T, folder string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=160k"); err != nil {
		tracetest.Missing(t, "root", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
}

// gaps returns those that the place was not told of yet.
func (f *fullSpool) gaps() []spool.Gap {
	st, err := spool.Look(f.folder)
	if err != nil {
		return make([]spool.Gap, 1) // it has just changed
	}
	return st.Gaps
}

// told makes sure that everybody can know what is going on.
func (f *fullSpool) told(t *testing.T, drops bool) {
	t.Helper()
	var out bytes.Buffer
	if status := runMain([]string{"flows", "spool", f.folder}, nil, &out, &out); status != 5 || !strings.Contains(out.String(), "the oldest since") ||
		strings.Contains(out.String(), "which will never be sent") != drops {
		t.Errorf("exit status %d\n%s", status, &out)
	}
	var told struct {
		Outlets []struct {
			Next, Waiting, Dropped int
			LagSeconds             float64
		}
	}
	out.Reset()
	runMain([]string{"flows", "spool", "--json", f.folder}, nil, &out, &out)
	if err := json.Unmarshal(out.Bytes(), &told); err != nil || len(told.Outlets) != 1 {
		t.Fatalf("%v: %s", err, &out)
	}
	if o := told.Outlets[0]; o.Waiting == 0 || o.LagSeconds <= 0 || o.Next != 1 || o.Dropped > 0 != drops {
		t.Errorf("%+v", o)
	}
	samples, _ := scrape(t, f.metrics)
	of := `{meter="gw",to="` + f.sink.URL + `/flows"}`
	for name, least := range map[string]float64{
		"rtfm_spool_collections" + `{meter="gw"}`: 1, "rtfm_spool_bytes" + `{meter="gw"}`: 1000, "rtfm_spool_limit_bytes" + `{meter="gw"}`: 1000,
		"rtfm_export_waiting_collections" + of: 1, "rtfm_export_waiting_bytes" + of: 1000, "rtfm_export_lag_seconds" + of: 0.001, "rtfm_export_failures_total" + of: 1,
	} {
		if got, ok := samples[name]; !ok || got < least {
			t.Errorf("%s is %v, want at least %v", name, got, least)
		}
	}
	for name, want := range map[string]float64{
		"rtfm_export_collections_total" + of: 0, "rtfm_export_stopped" + of: 0, `rtfm_meter_reachable{meter="gw"}`: 1,
	} {
		if got, ok := samples[name]; (!ok || got != want) && !drops {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := samples[`rtfm_spool_dropped_collections_total{meter="gw"}`]; got > 0 != drops {
		t.Errorf("%v collections were dropped", got)
	}
}

// compare compares what has come with what a run of the trace has.
func (f *fullSpool) compare(t *testing.T, drops bool) {
	t.Helper()
	s, want := f.sink, runJSON(t, f.trace, fullRules, fullInterval)
	if !drops {
		s.sums(want)
		s.same(filepath.Join(f.dir, "gw.flows"))
		postponed := uint64(0)
		for _, c := range s.collections {
			postponed += c.Postponed
		}
		if postponed == 0 {
			t.Error("no collection tells that it was put off")
		}
		return
	}
	var run, got row
	for line := range strings.Lines(want) {
		var end struct{ Flows, Packets, Octets uint64 }
		if err := json.Unmarshal([]byte(line), &end); err != nil {
			t.Fatal(err)
		}
		run.Flows += end.Flows
		run.Packets += end.Packets
		run.Octets += end.Octets
	}
	for _, c := range s.collections {
		got.Flows += c.Flows
		got.Packets += c.Packets
		got.Octets += c.Octets
	}
	for _, g := range s.gaps {
		if g.Flows > 0 || !strings.HasPrefix(g.RuleSets, "dropped,") {
			t.Errorf("%+v", g)
		}
		got.Flows += g.DroppedFlows
		got.Packets += g.Packets
		got.Octets += g.Octets
	}
	if n := len(s.gaps); n == 0 || n > 2 || got != run || int(got.Flows) == len(s.flows) {
		t.Errorf("with %d gaps %+v, want %+v", n, got, run)
	}
	s.whole()
}
