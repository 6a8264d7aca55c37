package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// sampled runs rtfm and returns what it has written to standard output.
func sampled(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := runMain(args, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatalf("rtfm %s: status %d, %s", strings.Join(args, " "), status, &stderr)
	}
	return stdout.String()
}

// windowRows returns the flows in JSON lines, by the interval that they are of, without what
// depends on when the meter was started. Those of intervals without flows are there, too.
func windowRows(t *testing.T, lines string) (rows map[[2]int64][]string) {
	t.Helper()
	rows = make(map[[2]int64][]string)
	for line := range strings.Lines(lines) {
		var record map[string]any
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&record); err != nil {
			t.Fatal(err)
		}
		number := func(name string) int64 {
			n, _ := record[name].(json.Number).Int64()
			return n
		}
		switch record["record"] {
		case "start":
			interval := [2]int64{number("startNs"), number("endNs")}
			if rows[interval] == nil {
				rows[interval] = []string{}
			}
		case "flow":
			interval := [2]int64{number("IntervalStartNs"), number("IntervalEndNs")}
			for _, name := range []string{"Boot", "EpochNs", "IntervalStartNs", "IntervalEndNs", "FlowIndex", "FirstTime", "LastActiveTime", "Censored"} {
				delete(record, name)
			}
			text, _ := json.Marshal(record)
			rows[interval] = append(rows[interval], string(text))
		}
	}
	for _, r := range rows {
		slices.Sort(r)
	}
	return rows
}

// TestScheduledRun meters windows of a trace, and what editcap cuts out of it for each: the
// flows are the same, with all that they measure, however many processors there are.
func TestScheduledRun(t *testing.T) {
	t.Parallel()
	editcap := tracetest.Require(t, "editcap")
	const trace = providerTrace
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.srl")
	if err := os.WriteFile(rules, []byte(`if SourcePeerType == IPv4 save;
save FlowID; save Censored; save ToSizeStats; save ToGapStats; save FromTurnaroundStats; save ToRetransmittedPDUs; save FlowTime = 4 & 2.3.10!10000;
save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;`), 0o666); err != nil {
		t.Fatal(err)
	}
	run := []string{"run", "-q", "--json", "--name", "m", "-r", rules}
	args := slices.Concat(run, []string{"--schedule", "6x10s/5m", "--seed", "2", trace})
	lines := sampled(t, args...)
	one := exec.Command("rtfm", args...)
	one.Env = append(os.Environ(), "GOMAXPROCS=1")
	if out, err := one.Output(); err != nil || string(out) != lines {
		t.Errorf("with one processor: %v, other flows", err)
	}
	windows := windowRows(t, lines)
	if len(windows) != 14 {
		t.Errorf("%d windows", len(windows))
	}
	flows := 0
	for w, rows := range windows {
		if w[1]-w[0] != int64(10*time.Second) {
			t.Errorf("a window from %d to %d", w[0], w[1])
		}
		cut := filepath.Join(dir, fmt.Sprint(w[0], ".pcap"))
		if out, err := exec.Command(editcap, "-F", "nsecpcap", "-A", traces.TimeText(w[0]), "-B", traces.TimeText(w[1]), trace, cut).CombinedOutput(); err != nil {
			t.Fatalf("editcap: %v, %s", err, out)
		}
		var want []string
		for _, all := range windowRows(t, sampled(t, append(slices.Clone(run), cut)...)) {
			want = append(want, all...)
		}
		if !slices.Equal(rows, want) {
			t.Errorf("window from %s: %d flows, want %d", traces.TimeText(w[0]), len(rows), len(want))
			for i := range min(len(rows), len(want)) {
				if rows[i] != want[i] {
					t.Fatalf("%s\nwant\n%s", rows[i], want[i])
				}
			}
		}
		flows += len(rows)
	}
	checkCensored(t, sampled(t, slices.Concat(run, []string{"--schedule", "6x10s/5m", "--seed", "2", "--inactivity-timeout", "3", trace})...))
	if flows < 100 {
		t.Errorf("%d flows", flows)
	}
}

// checkCensored has flows in windows of 10 seconds say whether they were seen within 3
// seconds of an edge.
func checkCensored(t *testing.T, lines string) {
	t.Helper()
	var seen [4]int
	for line := range strings.Lines(lines) {
		var flow struct {
			Record                          string `json:"record"`
			IntervalStartNs, FirstTimeNs    int64
			IntervalEndNs, LastActiveTimeNs int64
			Censored                        *int
		}
		if err := json.Unmarshal([]byte(line), &flow); err != nil {
			t.Fatal(err)
		}
		if flow.Record != "flow" {
			continue
		}
		want := 0
		if flow.FirstTimeNs-flow.IntervalStartNs < 3e9 {
			want = 1
		}
		if flow.IntervalEndNs-flow.LastActiveTimeNs < 3e9 {
			want += 2
		}
		if flow.Censored == nil || *flow.Censored != want {
			t.Errorf("want %d: %s", want, line)
			return
		}
		seen[want]++
	}
	if slices.Contains(seen[:], 0) {
		t.Errorf("flows by value: %v", seen)
	}
}
