package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// prometheus is a server of its own, which scrapes a meter and a manager.
type prometheus struct {
	address string
	running *process
}

// startPrometheus starts it, with the example's alert rules.
func startPrometheus(t *testing.T, interval time.Duration, meter, manager string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("packaging/prometheus/rtfm.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	putFile(t, config, fmt.Sprintf("global: {scrape_interval: %v, evaluation_interval: %v, scrape_timeout: %v}\nrule_files: [%q]\nscrape_configs:\n"+
		"  - {job_name: meter, static_configs: [{targets: [%q]}]}\n  - {job_name: manager, static_configs: [{targets: [%q]}]}\n",
		interval, interval, interval, rules, meter, manager))
	p := &prometheus{address: tracetest.Address(t, "tcp")}
	p.running = startBeside(t, exec.Command(tracetest.Require(t, "prometheus"), "--config.file="+config, "--storage.tsdb.path="+dir+"/data",
		"--web.listen-address="+p.address, "--log.level=warn"))
	return p
}

// get decodes what the server answers.
func (p *prometheus) get(path string, data any) error {
	resp, err := http.Get("http://" + p.address + "/api/v1/" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer := struct {
		Data  any
		Error string
	}{Data: data}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	if err == nil && answer.Error != "" {
		err = errors.New(answer.Error)
	}
	return err
}

// ask returns the values of a query, by a label.
func (p *prometheus) ask(query, label string) (values map[string]float64, err error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]any
		}
	}
	if err := p.get("query?query="+url.QueryEscape(query), &data); err != nil {
		return nil, err
	}
	values = make(map[string]float64)
	for _, r := range data.Result {
		text, _ := r.Value[1].(string)
		if values[r.Metric[label]], err = strconv.ParseFloat(text, 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// scraped waits until it has so many samples of each job, of which the last is new, and
// returns how many it has.
func (p *prometheus) scraped(t *testing.T, patience time.Duration, more map[string]float64) (now map[string]float64) {
	t.Helper()
	p.running.wait(patience, func(string) bool {
		var err error
		now, err = p.ask("sum by (job) (sum_over_time(up[2h]))", "job")
		return err == nil && now["manager"] >= more["manager"]+3 && now["meter"] >= more["meter"]+3
	})
	return now
}

// TestPrometheus has Prometheus scrape a meter, and a manager that reads it, each of which
// is killed and started again: no counter goes back but then, and each alert rule is evaluated.
func TestPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for scrapes")
	}
	t.Parallel()
	tracetest.Require(t, "prometheus")
	dir, snmp := t.TempDir(), "127.0.0.1:"+freePort(t)
	at := map[string]string{"meter": tracetest.Address(t, "tcp"), "manager": tracetest.Address(t, "tcp")}
	start := map[string]func() *process{
		"meter": func() *process {
			cmd := exec.Command("rtfm", "meter", "-C", "-", "--snmp", snmp, "--metrics", at["meter"])
			cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=r", "RTFM_WRITE_COMMUNITY=w")
			packets, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			p := startBeside(t, cmd)
			go pacedFlows(packets, p.ended)
			return p
		},
		"manager": func() *process {
			cmd := exec.Command("rtfm", "manager", "-r", "@conversations", "-c", "1", "-k", "1", "--timeout", "0.5", "--json", "-F", filepath.Join(dir, "flows"),
				"--metrics", at["manager"], "--metrics-ruleset", "conversations", snmp)
			cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=w", "RTFM_COMMUNITY=w")
			return startBeside(t, cmd)
		},
	}
	interval := lasting(t, 200*time.Millisecond, 5*time.Second)
	if interval > 5*time.Second {
		interval = 15 * time.Second
	}
	running := map[string]*process{"meter": start["meter"](), "manager": start["manager"]()}
	p := startPrometheus(t, interval, at["meter"], at["manager"])
	patience := time.Minute + 20*interval
	seen := p.scraped(t, patience, nil)
	restarts := 0.0
	for end := time.Now().Add(lasting(t, 0, 2*time.Minute)); ; {
		for job, p := range running {
			p.signal(syscall.SIGKILL)
			<-p.ended
			running[job] = start[job]()
		}
		restarts++
		seen = p.scraped(t, patience, seen)
		left := time.Until(end)
		if left <= 0 {
			break
		}
		time.Sleep(min(left, 5*time.Minute))
	}
	checkCounters(t, p, restarts)
	checkRules(t, p)
	t.Logf("%v restarts; scrapes: %v", restarts, seen)
}

// checkCounters fails if a counter has gone back more often than programs were restarted, or
// hardly any are told.
func checkCounters(t *testing.T, p *prometheus, restarts float64) {
	t.Helper()
	must := func(query, label string) map[string]float64 {
		values, err := p.ask(query, label)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return values
	}
	names := must(`count by (__name__) ({__name__=~"rtfm_.+_total"})`, "__name__")
	if len(names) < 10 {
		t.Errorf("%d counters", len(names))
	}
	back := 0.0
	for name := range names {
		for job, n := range must("max by (job) (resets("+name+"[2h]))", "job") {
			most := restarts
			if job == "manager" {
				most *= 2 // what it tells of a meter begins anew with either of them
			}
			if n > most {
				t.Errorf("%s of the %s has gone back %v times, in %v restarts", name, job, n, restarts)
			}
			back = max(back, n)
		}
	}
	t.Logf("%d counters, which went back %v times at most", len(names), back)
	for job, n := range must("sum by (job) (increase(rtfm_packets_total[2h]))", "job") {
		if n <= 0 {
			t.Errorf("the %s's packets are not counted", job)
		}
	}
}

// checkRules fails unless each alert rule was evaluated well.
func checkRules(t *testing.T, p *prometheus) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	rules := 0
	p.running.wait(time.Minute, func(string) bool {
		if err := p.get("rules", &data); err != nil {
			t.Fatal(err)
		}
		rules = 0
		for _, g := range data.Groups {
			for _, r := range g.Rules {
				if r.Health == "err" {
					t.Fatalf("rule %s: %s", r.Name, r.LastError)
				}
				if r.Health == "ok" {
					rules++
				} else {
					return false
				}
			}
		}
		return rules > 0
	})
}
