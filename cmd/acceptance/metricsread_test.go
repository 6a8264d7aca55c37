package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"rtfm/traces/tracetest"
)

// serving starts a program that serves numbers, and returns where they are.
func serving(t *testing.T, env []string, args ...string) (url string, p *exec.Cmd) {
	t.Helper()
	p = exec.Command("rtfm", args...)
	p.Env = append(os.Environ(), env...)
	errs, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	return metricsURL(t, errs), p
}

// until scrapes until done says that it has seen enough.
func until(t *testing.T, url string, done func(map[string]float64) bool) (now map[string]float64) {
	t.Helper()
	var text string
	for now == nil || !done(now) {
		before := now
		now, text = scrape(t, url)
		grows(t, before, now)
	}
	lint(t, text)
	return now
}

// TestMetricsOfReaders compares what a meter, and what a reader and a manager of it, tell
// with what is in the trace that it meters. The meter ends, and they tell that it is away.
func TestMetricsOfReaders(t *testing.T) {
	const packets = 2028 // of sample.pcap
	env := []string{"RTFM_READ_COMMUNITY=r", "RTFM_WRITE_COMMUNITY=w", "RTFM_COMMUNITY=w"}
	at := "127.0.0.1:" + freePort(t)
	meter, p := serving(t, env, "meter", "-C", "traces/testdata/sample.pcap", "--snmp", at, "--metrics", "0")
	until(t, meter, func(now map[string]float64) bool {
		return now["rtfm_packets_total"] == packets && now[`rtfm_counted_packets_total{ruleset="1",name="default"}`] == packets
	})
	dir := t.TempDir()
	reader, _ := serving(t, env, "reader", "-r", "1", "-c", "1", "-F", filepath.Join(dir, "flows"), "--name", `g"1`, "--metrics", "0", "--metrics-ruleset", "default", "--metrics-limit", "2", at)
	now := until(t, reader, func(now map[string]float64) bool { return now[`rtfm_collections_total{meter="g\"1"}`] > 0 })
	sum := 0.0
	for name, v := range now {
		if strings.HasPrefix(name, "rtfm_flow_packets_total{") {
			sum += v
		}
	}
	if n := now[`rtfm_packets_total{meter="g\"1"}`]; n != packets || sum != packets || now[`rtfm_flow_others{meter="g\"1"}`] != 1 {
		t.Errorf("%v packets, %v in flows, %v others", n, sum, now[`rtfm_flow_others{meter="g\"1"}`])
	}
	manager, _ := serving(t, env, "manager", "-r", "ruleset/examples/services.srl", "-c", "1", "-k", "1", "--timeout", "0.3", "--retries", "0", "-F", filepath.Join(dir, "managed"), "--metrics", "0", at)
	reachable := `rtfm_meter_reachable{meter="` + at + `"}`
	now = until(t, manager, func(now map[string]float64) bool { return now[reachable] == 1 })
	if now["rtfm_meters"] != 1 {
		t.Error(now)
	}
	p.Process.Signal(syscall.SIGKILL)
	until(t, manager, func(now map[string]float64) bool { return now[reachable] == 0 })
}

// TestAlertRules has promtool look at the examples for Prometheus. They ask for numbers
// that there are.
func TestAlertRules(t *testing.T) {
	promtool := tracetest.Require(t, "promtool")
	const dir = "packaging/prometheus/"
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", "rtfm.rules.yml"}, {"test", "rules", "rtfm.test.yml"}, {"check", "config", "prometheus.yml"}, {"check", "config", "prometheus-snmp.yml"}} {
		c := exec.Command(promtool, args...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v: %s", args, err, out)
		}
	}
	var source []byte
	for _, pattern := range []string{"reader/metrics/*.go", "reader/poller/*.go", "cmd/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source = append(source, b...)
		}
	}
	for _, file := range []string{dir + "rtfm.rules.yml", dir + "rtfm.test.yml", "docs/METRICS.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`\brtfm_[a-z_]+\b`).FindAllString(string(text), -1)
		for _, name := range names {
			if !strings.Contains(string(source), `"`+name+`"`) {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
		if len(names) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
	}
}
