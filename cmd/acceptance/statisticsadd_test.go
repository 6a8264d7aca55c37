package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/traces/tracetest"
)

// statisticFiles are traces of the repository, and some of the collection if it is
// there, with the interval at which they are metered.
func statisticFiles(t *testing.T) map[string]string {
	dir := t.TempDir()
	campus := filepath.Join(dir, "campus.pcap")
	if err := os.WriteFile(campus, campusTrace(), 0o666); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{campus: "0.5", "traces/testdata/sample.pcap": "7"}
	if collection := os.Getenv("RTFM_TRACES"); collection != "" && tracetest.Long() {
		files[filepath.Join(collection, "traces", "ndpi", "netflix.pcap")] = "1"
		files[filepath.Join(collection, "traces", "wireshark", "challenge01_ooo_stream.pcapng.gz")] = "3"
	}
	return files
}

// writeStatisticRules writes rules that save all statistics, among them those of
// turnaround times, and returns the file's name.
func writeStatisticRules(t *testing.T) string {
	text := strings.Replace(statisticRules, "save FirstPackets", "save ToTurnaroundStats = tcp_data; save FromTurnaroundStats = tcp_data;\n\tsave FirstPackets", 1)
	name := filepath.Join(t.TempDir(), "statistics.srl")
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestStatisticsProcessors: one processor and several count the same statistics,
// octet for octet.
func TestStatisticsProcessors(t *testing.T) {
	rules := writeStatisticRules(t)
	for trace, interval := range statisticFiles(t) {
		for _, form := range []string{"--json", "--nemac"} {
			var want string
			for _, processors := range []int{1, 2, 4} {
				var out, errs bytes.Buffer
				before := runtime.GOMAXPROCS(processors)
				err := runIn(context.Background(), []string{"run", "-q", form, "-r", rules, "-T", interval, trace}, nil, &out, &errs)
				runtime.GOMAXPROCS(before)
				if err != nil {
					t.Fatalf("%s: %v\n%s", trace, err, &errs)
				}
				got := boots.ReplaceAllString(out.String(), "")
				if want == "" {
					want = got
				}
				if got != want || len(want) < 5_000 {
					t.Errorf("%s %s: %d processors give %d octets, not the same %d as one", trace, form, processors, len(got), len(want))
				}
			}
		}
	}
}

// TestStatisticsIntervals: what intervals add to the statistics of a flow is, added
// up, what the whole run counts, and what the last one tells of least and greatest
// values is what the whole run tells.
func TestStatisticsIntervals(t *testing.T) {
	t.Parallel()
	rules := writeStatisticRules(t)
	for trace, interval := range statisticFiles(t) {
		whole, err := addUp(meterText(t, "run", "-q", "--json", "-r", rules, trace))
		if err != nil {
			t.Fatal(err)
		}
		parts, err := addUp(meterText(t, "run", "-q", "--json", "-r", rules, "-T", interval, trace))
		if err != nil {
			t.Fatal(err)
		}
		if len(whole) < 10 || len(parts) != len(whole) {
			t.Errorf("%s: %d statistics of all flows, %d added up", trace, len(whole), len(parts))
		}
		for name, want := range whole {
			if parts[name] != want {
				t.Errorf("%s: %s of all intervals is %s, want %s", trace, name, parts[name], want)
			}
		}
	}
}

// meterText runs the program and returns what it writes.
func meterText(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if err := runIn(context.Background(), args, nil, &out, &errs); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &errs)
	}
	return out.String()
}

// addUp returns the statistics of flows in JSON lines, by flow, name and member: what
// is told of intervals added up, and of that which is no number of an interval the
// latest.
func addUp(lines string) (map[string]string, error) {
	sums, latest := map[string]*big.Int{}, map[string]string{}
	for line := range strings.Lines(lines) {
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			return nil, err
		}
		if string(fields["record"]) != `"flow"` {
			continue
		}
		for name, value := range fields {
			a, ok := attr.ByName(strings.TrimPrefix(name, "Delta"))
			if !ok || a.Form() == attr.FormBuckets {
				continue
			}
			name := fmt.Sprintf("%s %s", fields["FlowIndex"], name)
			if value[0] != '{' {
				n, ok := new(big.Int).SetString(string(value), 10)
				if ok && strings.Contains(name, " Delta") {
					add(sums, name, n)
				} else {
					latest[name] = string(value)
				}
				continue
			}
			members := map[string]json.RawMessage{}
			if err := json.Unmarshal(value, &members); err != nil {
				return nil, err
			}
			delta := map[string]json.Number{}
			if err := json.Unmarshal(members["delta"], &delta); members["delta"] != nil && err != nil {
				return nil, err
			}
			delete(members, "delta")
			for member, text := range members {
				latest[name+"."+member] = string(text)
			}
			for member, number := range delta {
				if n, ok := new(big.Int).SetString(number.String(), 10); ok && member != "mean" && member != "sd" {
					add(sums, name+".delta."+member, n)
				}
			}
		}
	}
	for name, n := range sums {
		latest[name] = n.String()
	}
	return latest, nil
}

func add(sums map[string]*big.Int, name string, n *big.Int) {
	if sums[name] == nil {
		sums[name] = new(big.Int)
	}
	sums[name].Add(sums[name], n)
}

// TestStatisticsInStep meters traces in step with a manager and with a reader, and
// wants the flow data that "rtfm run" writes.
func TestStatisticsInStep(t *testing.T) {
	t.Parallel()
	rules := writeStatisticRules(t)
	port := freePort(t)
	for trace, interval := range statisticFiles(t) {
		for _, form := range []string{"--json=false", "--json"} {
			dir := t.TempDir()
			want := filepath.Join(dir, "run")
			ends(t, program(t, "run", "-q", form, "--name", "127.0.0.1", "-r", rules, "-T", interval, "-F", want, trace))
			compare := func(way, got string) {
				t.Helper()
				a, b := strings.Split(behindFirst(t, want), "\n"), strings.Split(behindFirst(t, got), "\n")
				for i := range a {
					if i >= len(b) || a[i] != b[i] {
						t.Errorf("%s %s: line %d by rtfm run is\n%s\nwith a %s\n%s", trace, form, i+2, a[i], way, strings.Join(b[min(i, len(b)-1):min(i+1, len(b))], ""))
						return
					}
				}
				if len(a) != len(b) {
					t.Errorf("%s %s: rtfm run writes %d lines, with a %s there are %d", trace, form, len(a), way, len(b))
				}
			}
			got := filepath.Join(dir, "manager")
			meter := program(t, "meter", "-C", trace, "-T", interval, "-m", port)
			ends(t, program(t, "manager", "-C", form, "-r", rules, "-m", port, "-F", got, "127.0.0.1"))
			ends(t, meter)
			compare("manager", got)

			got = filepath.Join(dir, "reader")
			meter = program(t, "meter", "-C", trace, "-T", interval, "-m", port)
			runTasks(t, port, []string{"-r", rules})
			ends(t, program(t, "reader", "-C", form, "-m", port, "-F", got, "127.0.0.1", "writing"))
			ends(t, meter)
			compare("reader", got)
		}
	}
}
