package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/cmd"

	"rtfm/traces/tracetest"
)

// fates are what became of the packets that a ruleset has seen, as JSON has it.
type fates struct {
	RuleSet, Packets, Counted, Ignored, Unmatched, Stopped, Uncounted uint64
	Collected                                                         *uint64
}

// jsonEnd is the end of a collection.
type jsonEnd struct {
	Packets, Flows, Ignored, Unmatched, Stopped, Uncounted uint64
	RuleSets                                               []fates
}

// conserves checks flow data in JSON lines: for each collection and ruleset that
// each packet is in one of the numbers, and that the flows' differences are what
// was counted; and that the flows' last counters are what was counted in all. It
// returns the packets that were metered.
func conserves(t *testing.T, data []byte) (packets uint64) {
	t.Helper()
	var differences map[uint64]uint64 // of the collection's flows, by ruleset
	counted := make(map[uint64]uint64)
	last := make(map[string]uint64) // PDUs by flow
	flows := uint64(0)
	for line := range bytes.Lines(data) {
		var kind struct{ Record string }
		if err := json.Unmarshal(line, &kind); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch kind.Record {
		case "start":
			differences, flows = make(map[uint64]uint64), 0
		case "flow":
			var f struct {
				FlowRuleSet, FlowIndex, ToPDUs, FromPDUs, DeltaToPDUs, DeltaFromPDUs uint64
				FirstTimeNs                                                          int64
			}
			if err := json.Unmarshal(line, &f); err != nil {
				t.Fatal(err)
			}
			flows++
			differences[f.FlowRuleSet] += f.DeltaToPDUs + f.DeltaFromPDUs
			last[fmt.Sprint(f.FlowRuleSet, f.FlowIndex, f.FirstTimeNs)] = f.ToPDUs + f.FromPDUs
		case "end":
			var e jsonEnd
			if err := json.Unmarshal(line, &e); err != nil {
				t.Fatal(err)
			}
			packets += e.Packets
			var sum fates
			for _, r := range e.RuleSets {
				if n := r.Counted + r.Ignored + r.Unmatched + r.Stopped + r.Uncounted; n != r.Packets || r.Packets != e.Packets {
					t.Errorf("ruleset %d: %d packets of %d are told: %s", r.RuleSet, n, e.Packets, line)
				}
				if d := differences[r.RuleSet]; d != r.Counted || r.Collected == nil || *r.Collected != d {
					t.Errorf("ruleset %d: the flows have %d packets more: %s", r.RuleSet, d, line)
				}
				counted[0] += r.Counted
				sum.Ignored += r.Ignored
				sum.Unmatched += r.Unmatched
				sum.Stopped += r.Stopped
				sum.Uncounted += r.Uncounted
			}
			if e.Flows != flows || e.Ignored != sum.Ignored || e.Unmatched != sum.Unmatched || e.Stopped != sum.Stopped || e.Uncounted != sum.Uncounted || len(e.RuleSets) == 0 {
				t.Errorf("%d flows; the rulesets' sums are %+v: %s", flows, sum, line)
			}
		}
	}
	all := uint64(0)
	for _, n := range last {
		all += n
	}
	if all != counted[0] {
		t.Errorf("the flows have %d packets in all, %d were counted", all, counted[0])
	}
	return packets
}

// loops is a ruleset that some packets make loop: those of TCP.
const loops = "SET 9\nRULES\n L: SourceTransType & 255 = 6: Goto, L;\n SourcePeerType & 255 = 0: PushPkttoAct, Next;\n Null & 0 = 0: Count, 0;\n"

// TestConservation meters traces with all example rulesets and one that loops,
// one by one and all together, in one collection, in many, in many whose flows
// are recovered at once, and with a flow table that is too small.
func TestConservation(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	looping := filepath.Join(dir, "loops.rules")
	if err := os.WriteFile(looping, []byte(loops), 0o666); err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob("ruleset/examples/*.srl")
	if err != nil || len(programs) == 0 {
		t.Fatal(err, programs)
	}
	together := []string{"-r", looping}
	var rules [][]string
	for _, p := range programs {
		rules = append(rules, []string{"-r", p})
		together = append(together, "-r", p)
	}
	if testing.Short() {
		rules = nil
	}
	rules = append(rules, together)
	mixed := filepath.Join(dir, "mix.pcap")
	packets := tracetest.Mix(4000)
	for i := range packets {
		packets[i].Time += int64(i) * 1e8
	}
	if err := os.WriteFile(mixed, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	for trace, packets := range map[string]uint64{"traces/testdata/sample.pcap": 2028, mixed: 4000} {
		for _, how := range [][]string{
			{}, {"-T", "40"}, {"-T", "13", "--inactivity-timeout", "0"}, {"-f", "7"}, {"-f", "7", "-T", "30", "--inactivity-timeout", "1"},
		} {
			for _, r := range rules {
				args := append(append([]string{"run", "-q", "--json"}, how...), append(r, trace)...)
				var out, errs bytes.Buffer
				status := runMain(args, strings.NewReader(""), &out, &errs)
				if status != 0 && status != cmd.StatusFull {
					t.Fatalf("%q: status %d: %s", args, status, &errs)
				}
				if n := conserves(t, out.Bytes()); n != packets || t.Failed() {
					t.Fatalf("%q: %d packets, want %d", args, n, packets)
				}
			}
		}
	}
}
