package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// scrape returns what is served of a running program, by series.
func scrape(t *testing.T, url string) (samples map[string]float64, text string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 {
		t.Fatal(r.Status, err)
	}
	samples = make(map[string]float64)
	for line := range strings.Lines(string(b)) {
		at := strings.LastIndexByte(line, ' ')
		if line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if _, twice := samples[line[:at]]; twice {
			t.Fatalf("%s is there twice", line[:at])
		}
		samples[line[:at]] = v
	}
	return samples, string(b)
}

// grows fails if a counter is less than before.
func grows(t *testing.T, before, now map[string]float64) {
	t.Helper()
	for name, v := range before {
		if strings.Contains(name, "_total") && now[name] < v {
			t.Fatalf("%s: %v after %v", name, now[name], v)
		}
	}
}

// metricsURL waits for a program to tell where its numbers are.
func metricsURL(t *testing.T, errs io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(errs)
	at := regexp.MustCompile(`metrics are at (http://[^ "]*)`)
	for lines.Scan() {
		if m := at.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, errs)
			return m[1]
		}
	}
	t.Fatal("nobody has told where the numbers are")
	return ""
}

// lint has promtool look at what is served.
func lint(t *testing.T, text string) {
	t.Helper()
	promtool := tracetest.Require(t, "promtool")
	c := exec.Command(promtool, "check", "metrics")
	c.Stdin = strings.NewReader(text)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v: %s", err, out)
	}
}

// TestMetrics scrapes a run a hundred times while it meters: no counter goes back, packets
// come and are told of, and each is in the end.
func TestMetrics(t *testing.T) {
	dir := t.TempDir()
	rules := filepath.Join(dir, "hosts.srl")
	if err := os.WriteFile(rules, []byte(hostPairs), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("rtfm", "run", "-r", rules, "-T", "1", "--metrics", "0", "--metrics-ruleset", "hosts", "--metrics-limit", "3", "-F", filepath.Join(dir, "flows"), "-")
	packets, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.Process.Kill()
	done := make(chan struct{})
	sent := make(chan int, 1)
	go func() {
		n := 0
		defer func() { packets.Close(); sent <- n }()
		for file := 0; ; file = 24 { // the header of PCAP once
			var all []tracetest.Frame
			for i := range 100 {
				all = append(all, tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(fmt.Sprintf("10.0.0.%d", i), "10.1.0.1").UDP(1, 2).Payload(10))
			}
			batch := tracetest.Packets(all...)
			for i := range batch {
				batch[i].Time = batch[0].Time + int64(n+i)*1e7
			}
			select {
			case <-done:
				return
			default:
			}
			if _, err := packets.Write(tracetest.PCAP(tracetest.PCAPOptions{}, batch...)[file:]); err != nil {
				return
			}
			n += 100
		}
	}()
	url := metricsURL(t, errs)
	var first, before map[string]float64
	for i := range 100 {
		now, text := scrape(t, url)
		grows(t, before, now)
		if before = now; i == 0 {
			first = now
		}
		if i == 99 {
			lint(t, text)
		}
	}
	for before["rtfm_collections_total"] < 2 || before["rtfm_packets_total"] == first["rtfm_packets_total"] {
		now, _ := scrape(t, url)
		grows(t, before, now)
		before = now
	}
	close(done)
	all := <-sent
	if err := run.Wait(); err != nil {
		t.Error(err)
	}
	series, flows := 0, 0.0
	for name, v := range before {
		if strings.HasPrefix(name, "rtfm_flow_packets_total{") {
			series++
			flows += v
		}
	}
	if series != 2*(3+1) || flows == 0 || flows > float64(all) || before["rtfm_packets_total"] > float64(all) {
		t.Errorf("%d series, in sum %v packets of %v of %d", series, flows, before["rtfm_packets_total"], all)
	}
}
