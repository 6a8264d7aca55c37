package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"rtfm/traces/tracetest"
)

// liveColumns are the sums that live views show, as they and flow data call them.
var liveColumns = []string{"ToPDUs", "FromPDUs", "ToOctets", "FromOctets"}

// liveSums are what flows counted, by the end of the interval and the ruleset.
type liveSums map[string][4]uint64

// shownInterval is an interval as live views tell it.
type shownInterval struct {
	From, To string
	First    bool
	Loss     struct{ Lost, Uncounted, Unknown uint64 }
	RuleSets []struct {
		Number  int
		Name    string
		Columns []struct{ Name string }
		Rows    [][]any
		Others  struct {
			Flows  int
			Values []any
		}
		Total []any
	}
}

// shownSums returns the totals of intervals in JSON lines, of which the rows and the
// others have to add up to them exactly, and how many flows there are.
func shownSums(t *testing.T, lines io.Reader) (sums liveSums, flows int) {
	t.Helper()
	sums = liveSums{}
	d := json.NewDecoder(lines)
	d.UseNumber()
	for d.More() {
		var i shownInterval
		if err := d.Decode(&i); err != nil {
			t.Fatal(err)
		}
		for _, s := range i.RuleSets {
			var total [4]uint64
			for c, name := range liveColumns {
				at := slices.IndexFunc(s.Columns, func(c struct{ Name string }) bool { return c.Name == name })
				number := func(cells []any) (n uint64) {
					if _, err := fmt.Sscan(fmt.Sprint(cells[at]), &n); err != nil && cells[at] != nil {
						t.Fatal(err)
					}
					return n
				}
				total[c] = number(s.Total)
				sum := number(s.Others.Values)
				for _, row := range s.Rows {
					sum += number(row)
				}
				if sum != total[c] {
					t.Errorf("interval to %s, %s: rows and others have %d %s, the total %d", i.To, s.Name, sum, name, total[c])
				}
			}
			flows += len(s.Rows) + s.Others.Flows
			if key := fmt.Sprint(i.To, " ", s.Number); total != [4]uint64{} {
				for c, n := range sums[key] {
					total[c] += n
				}
				sums[key] = total
			}
		}
	}
	return sums, flows
}

// flowDataSums returns the same of flow data.
func flowDataSums(t *testing.T, lines io.Reader) (sums liveSums, flows int) {
	t.Helper()
	sums = liveSums{}
	d := json.NewDecoder(lines)
	for d.More() {
		var f struct {
			Record                                                     string
			FlowRuleSet                                                int
			IntervalEndNs                                              int64
			DeltaToPDUs, DeltaFromPDUs, DeltaToOctets, DeltaFromOctets *uint64
		}
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		if f.Record != "flow" {
			continue
		}
		flows++
		key := fmt.Sprint(f.IntervalEndNs, " ", f.FlowRuleSet)
		sum := sums[key]
		for i, n := range []*uint64{f.DeltaToPDUs, f.DeltaFromPDUs, f.DeltaToOctets, f.DeltaFromOctets} {
			sum[i] += *n
		}
		sums[key] = sum
	}
	return sums, flows
}

// outputOf returns what rtfm prints, which has to succeed.
func outputOf(t *testing.T, args ...string) *bytes.Buffer {
	t.Helper()
	var out, complaints bytes.Buffer
	if status := runMain(args, nil, &out, &complaints); status != 0 {
		t.Fatalf("rtfm %q: exit status %d: %s", args, status, &complaints)
	}
	return &out
}

// crowded writes a trace of more flows than a live view shows, in some intervals.
func crowded(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "crowded.pcap")
	packets := tracetest.Mix(30_000)
	for i := range packets {
		packets[i].Time += int64(i) * 20_000 // 0.6 s altogether
	}
	if err := os.WriteFile(path, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTopIsRun: what `rtfm top` shows of each interval is what `rtfm run` counted in it,
// of traces and of flow data in each form.
func TestTopIsRun(t *testing.T) {
	t.Parallel()
	traces := map[string]string{"traces/testdata/sample.pcap": "30", crowded(t): "0.1"}
	if shared := os.Getenv("RTFM_TRACES"); shared != "" {
		for _, name := range []string{"ndpi/android.pcap", "zeek/smb/smb2.pcap", "zeek/tunnels/gtp/gtp_ext_header.pcap"} {
			traces[filepath.Join(shared, "traces", name)] = "5"
		}
	}
	for trace, interval := range traces {
		for _, rules := range [][]string{
			{"-r", "@conversations"},
			{"-r", "@flows", "-r", "@conversations"},
			{"-r", "ruleset/examples/packet-sizes.srl"},
		} {
			rules = append(rules, "-T", interval, trace)
			ran := outputOf(t, append([]string{"run", "-q", "--json", "--align", "utc"}, rules...)...)
			file := filepath.Join(t.TempDir(), "flows")
			if err := os.WriteFile(file, ran.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			want, wantFlows := flowDataSums(t, ran)
			if wantFlows == 0 {
				t.Fatalf("%s: no flows", trace)
			}
			for _, args := range [][]string{append([]string{"top", "--json"}, rules...), {"top", "--json", "-N", fmt.Sprint(collections(t, file)), file}} {
				got, flows := shownSums(t, outputOf(t, args...))
				if !maps.Equal(got, want) || flows != wantFlows {
					t.Errorf("rtfm %q: %d flows %v\nrun has %d flows %v", args, flows, got, wantFlows, want)
				}
			}
		}
	}
}

// collections returns how many a file of JSON lines has.
func collections(t *testing.T, file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte(`{"record":"start"`))
}

// TestTopFilters: with --filter it shows what `rtfm flows filter` leaves.
func TestTopFilters(t *testing.T) {
	t.Parallel()
	const sample, filter = "traces/testdata/sample.pcap", "SourceTransType == udp && DestTransAddress != 53"
	file := filepath.Join(t.TempDir(), "flows")
	outputOf(t, "run", "-q", "--json", "--align", "utc", "-T", "60", "-F", file, sample)
	want, wantFlows := flowDataSums(t, outputOf(t, "flows", "filter", filter, file))
	got, flows := shownSums(t, outputOf(t, "top", "--json", "-T", "60", "--filter", filter, sample))
	if !maps.Equal(got, want) || flows != wantFlows || flows == 0 {
		t.Errorf("%d flows %v\nfiltered flow data has %d flows %v", flows, got, wantFlows, want)
	}
}

// TestCrowdedIsCrowded: the trace of TestTopIsRun has more flows in an interval than are
// shown one by one.
func TestCrowdedIsCrowded(t *testing.T) {
	t.Parallel()
	others := 0
	d := json.NewDecoder(outputOf(t, "top", "--json", "-T", "0.1", "-r", "@flows", crowded(t)))
	for d.More() {
		var i shownInterval
		if err := d.Decode(&i); err != nil {
			t.Fatal(err)
		}
		for _, s := range i.RuleSets {
			if others = max(others, s.Others.Flows); len(s.Rows) > 500 {
				t.Errorf("%d rows", len(s.Rows))
			}
		}
	}
	if others == 0 {
		t.Error("no interval has others")
	}
}
