package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
	_ "time/tzdata" // for scripts on machines that have none

	"rtfm/traces/tracetest"
)

// TestAlignedIntervals compares what was counted in each minute of the clock with the
// packets that tshark finds in it.
func TestAlignedIntervals(t *testing.T) {
	t.Parallel()
	tshark := tracetest.Require(t, "tshark")
	const trace = "traces/testdata/sample.pcap"
	printed, err := exec.Command(tshark, "-n", "-r", trace, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len").Output()
	if err != nil {
		t.Fatal(err)
	}
	type sum struct{ packets, octets int64 }
	want, got := map[int64]sum{}, map[int64]sum{}
	for line := range strings.Lines(string(printed)) {
		var seconds, octets int64
		var fraction string
		if _, err := fmt.Sscanf(strings.Replace(line, ".", " ", 1), "%d %s %d", &seconds, &fraction, &octets); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s := want[seconds/60]
		want[seconds/60] = sum{s.packets + 1, s.octets + octets}
	}
	var out, errs bytes.Buffer
	if status := runMain([]string{"run", "-q", "--json", "--align", "utc", "-T", "60", "-r", "@flows", trace}, nil, &out, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	for lines := json.NewDecoder(&out); lines.More(); {
		var f struct {
			Record                                                     string
			IntervalStartNs                                            int64
			DeltaToPDUs, DeltaFromPDUs, DeltaToOctets, DeltaFromOctets int64
		}
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		if f.Record == "flow" {
			minute := f.IntervalStartNs / 60e9
			s := got[minute]
			got[minute] = sum{s.packets + f.DeltaToPDUs + f.DeltaFromPDUs, s.octets + f.DeltaToOctets + f.DeltaFromOctets}
		}
	}
	if !maps.Equal(got, want) || len(want) != 5 {
		t.Errorf("by minutes: %v\ntshark has %v", got, want)
	}
}
