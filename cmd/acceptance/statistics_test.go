package acceptance

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// everyTrace is of how many traces of the collection one is compared when tests
// are not to take long.
const everyTrace = 97

// TestStatistics compares the statistics of all flows of the traces of a
// collection with what they are to be, as docs/STATISTICS.md defines it, of the
// packets that tshark sees: to the last digit.
func TestStatistics(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("has tshark read traces")
	}
	collection, tshark := tracetest.Require(t, "traces"), tracetest.Require(t, "tshark")
	rules := filepath.Join(t.TempDir(), "statistics.srl")
	if err := os.WriteFile(rules, []byte(statisticRules), 0o666); err != nil {
		t.Fatal(err)
	}
	totals := allTotals(t, filepath.Join(collection, "truth", "TRUTH.tsv"))
	paths := statisticTraces(filesBelow(t, filepath.Join(collection, "traces")))
	results := make([]statisticResult, len(paths))
	t.Run("traces", func(t *testing.T) {
		for i, path := range paths {
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				results[i] = compareStatistics(t, tshark, collection, path, rules, totals[path])
			})
		}
	})
	if t.Failed() {
		return
	}
	var sum statisticResult
	traces := 0
	verdicts := map[string]int{}
	for _, r := range results {
		for v, n := range r.verdicts {
			verdicts[v] += n
		}
		reason, excepted := statisticExceptions[r.trace]
		switch {
		case r.fault != "" && !excepted:
			t.Errorf("%s: %s", r.trace, r.fault)
		case r.fault == "" && excepted:
			t.Errorf("%s: agrees, or was not compared: the exception is not needed", r.trace)
		case excepted && reason == "":
			t.Errorf("%s: exception without a reason", r.trace)
		}
		sum.flows += r.flows
		sum.packets += r.packets
		if r.flows > 0 {
			traces++
		}
	}
	if tracetest.Long() && !maps.Equal(verdicts, sequenceVerdicts) {
		for _, v := range slices.Sorted(maps.Keys(verdicts)) {
			if verdicts[v] != sequenceVerdicts[v] {
				t.Errorf("%q: %d segments, want %d", v, verdicts[v], sequenceVerdicts[v])
			}
		}
	}
	t.Logf("%d traces: %d flows, %d packets, %d statistics of each equal", traces, sum.flows, sum.packets, len(statisticTexts))
}

// statisticTraces returns the traces that are compared.
func statisticTraces(all []string) (some []string) {
	for i, path := range all {
		if tracetest.Long() || i%everyTrace == 0 {
			some = append(some, path)
		}
	}
	return some
}

// A statisticResult is what comparing a trace has shown.
type statisticResult struct {
	trace          string
	flows, packets int
	fault          string // the first
	verdicts       map[string]int
}

// compareStatistics compares the statistics of one trace.
func compareStatistics(t *testing.T, tshark, collection, path, rules string, totals []traceTotals) statisticResult {
	r := statisticResult{trace: path}
	fcs, read := readByTshark(totals)
	if !read {
		return r
	}
	trace := filepath.Join(collection, "traces", path)
	packets, _, err := sharkPackets(tshark, trace, fcs)
	if err != nil {
		t.Fatal(err)
	}
	names, want := wantFlows(packets)
	out, _ := meterInTime(t, "run", "-q", "--json", "--trust-times", "-r", rules, trace)
	got, err := readStatistics(out)
	if err != nil {
		t.Fatal(err)
	}
	r.packets, r.flows = len(packets), len(names)
	r.verdicts = compareRemarks(packets, func(p *sharkPacket) {
		t.Logf("frame %d: %q, tshark says %q", p.frame, p.verdict, p.remarks())
	})
	r.fault = differentStatistics(names, want, got)
	return r
}

// readByTshark reports whether tshark knows the format of a trace, and how many octets
// of its frames are check sequences.
func readByTshark(totals []traceTotals) (fcs uint64, read bool) {
	for _, have := range totals {
		read = read || slices.Contains([]string{"pcap", "nsecpcap", "pcapng", "snoop", "erf", "erf gz"}, have.fileType)
		if strings.HasPrefix(have.fileType, "erf") {
			fcs = 4
		}
	}
	return fcs, read
}

// differentStatistics says what first differs.
func differentStatistics(names []string, want map[string]*wantFlow, got map[string]map[string]string) string {
	for _, name := range names {
		have := got[name]
		if have == nil {
			return fmt.Sprintf("%s: not metered", name)
		}
		if want[name].cut {
			continue
		}
		texts := want[name].texts()
		for _, a := range statisticTexts {
			if have[a] != texts[a] {
				return fmt.Sprintf("%s: %s is %s, want %s", name, a, have[a], texts[a])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if want[name] == nil {
			return fmt.Sprintf("%s: metered, but not there", name)
		}
	}
	return ""
}
