package acceptance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// learned are the kinds of traces of which nDPI's collection has several.
var learned = regexp.MustCompile(`^(dns|http|quic|stun|tls)[-_.]`)

// featureFile has the features of the flows of a trace written to a file, by way of a
// feed in another.
func featureFile(t *testing.T, trace, to string) {
	t.Helper()
	feed := filepath.Join(t.TempDir(), "x.ipfix")
	meterInTime(t, "run", "-q", "--json", "-r", "@flows", "--feed", "file:"+feed, trace)
	var errs bytes.Buffer
	if status := runMain([]string{"feed", "-q", "--features", to, feed}, nil, &errs, &errs); status != 0 {
		t.Fatalf("%s: exit status %d\n%s", trace, status, &errs)
	}
}

// TestTree trains the decision tree of docs/classify on traces of real applications: of
// flows in traces that it has not seen, it must know many more than who always says what
// is most frequent.
func TestTree(t *testing.T) {
	t.Parallel()
	ndpi := filepath.Join(tracetest.Require(t, "traces"), "traces", "ndpi")
	python := tracetest.Require(t, "pandas")
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree.json")
	args := []string{"docs/classify/train.py", tree}
	for _, name := range filesBelow(t, ndpi) {
		if learned.MatchString(name) {
			file := filepath.Join(dir, name+".npy")
			featureFile(t, filepath.Join(ndpi, name), file)
			args = append(args, file)
		}
	}
	out, err := withoutBytecode(exec.Command(python, args...)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	found := regexp.MustCompile(`^(\d+)% right of (\d+) flows; by the most frequent label alone (\d+)%\n`).FindSubmatch(out)
	if found == nil {
		t.Fatalf("%s", out)
	}
	right, _ := strconv.Atoi(string(found[1]))
	flows, _ := strconv.Atoi(string(found[2]))
	frequent, _ := strconv.Atoi(string(found[3]))
	if flows < 250 || right < frequent+20 {
		t.Errorf("%d%% right of %d flows, %d%% by the most frequent label", right, flows, frequent)
	}
	if text, err := os.ReadFile(tree); err != nil || !json.Valid(text) || !strings.Contains(string(text), `"label": "quic"`) {
		t.Errorf("tree: %v\n%s", err, text)
	}
}

// withoutBytecode has a command in Python leave nothing beside the programs that it runs.
func withoutBytecode(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	return cmd
}

// sameRows compares each row of rows.npy, as NumPy reads it, with its line in rows.jsonl.
const sameRows = `
import json, math, sys
import numpy as np
array, lines = np.load(sys.argv[1]), [json.loads(line) for line in open(sys.argv[2])]
assert len(array) == len(lines), (len(array), len(lines))
flags = "fin syn rst psh ack urg ece cwr".split()
for row, line in zip(array, lines):
    n = len(line["FirstPackets"]["octets"])
    want = {
        "FlowID": int(line["FlowID"], 16), "CommunityID": (line["CommunityID"] or "").encode(), "Domain": line["Domain"], "RuleSet": line["FlowRuleSet"],
        "Why": ["", "nth", "idle", "end", "gone"].index(line["why"]), "EndReason": {"idle": 1, "tcp": 3, "forced": 4}.get(line.get("EndReason"), 0),
        "Protocol": line["SourceTransType"], "Listed": n, "SourceTransAddress": line["SourceTransAddress"], "DestTransAddress": line["DestTransAddress"],
        "SourcePeerAddress": line["SourcePeerAddress"].encode(), "DestPeerAddress": line["DestPeerAddress"].encode(),
        "Begun": line["FirstTimeNs"], "Duration": line["LastActiveTimeNs"] - line["FirstTimeNs"],
    }
    for name in "ToPDUs", "FromPDUs", "ToOctets", "FromOctets":
        want[name] = line[name]
    for name in "octets", "directions", "gaps", "flags":
        want["First" + name.capitalize()] = line["FirstPackets"][name] + [0] * (30 - n)
    for way in "To", "From":
        for what in "Size", "Gap":
            s = line[way + what + "Stats"]
            want |= {way + what + "N": s["n"], way + what + "Sum": s["sum"], way + what + "SSQ": [s["ssq"] % 2**64, s["ssq"] >> 64]}
            want |= {way + what + "Min": s.get("min", 0), way + what + "Max": s.get("max", 0)}
            want |= {way + what + "Mean": s.get("mean", np.nan), way + what + "SD": s.get("sd", np.nan)}
            if s["n"]:
                assert math.isclose(s["mean"], s["sum"] / s["n"])
            if s["n"] > 1:
                assert math.isclose(s["sd"] ** 2 * s["n"] * (s["n"] - 1), s["n"] * s["ssq"] - s["sum"] ** 2, rel_tol=1e-9, abs_tol=1e-6)
        want[way + "PacketSize"] = line[way + "PacketSize"]["counters"]
        want[way + "InterarrivalTime"] = line[way + "InterarrivalTime"]["counters"]
        want[way + "TCPFlags"] = [line[way + "TCPFlags"][name] for name in flags]
    assert set(want) == set(array.dtype.names), set(want) ^ set(array.dtype.names)
    for name, value in want.items():
        assert np.array_equal(row[name], value) or value is np.nan and np.isnan(row[name]), (name, row[name], value)
print(len(array))
`

// TestFeatureFiles: what NumPy reads of a file is what is in the one of JSON lines; and
// the features of a flow at its end are what a ruleset has saved of it.
func TestFeatureFiles(t *testing.T) {
	t.Parallel()
	python := tracetest.Require(t, "pandas")
	dir := t.TempDir()
	npy, lines := filepath.Join(dir, "x.npy"), filepath.Join(dir, "x.jsonl")
	rules, feed := filepath.Join(dir, "x.srl"), filepath.Join(dir, "x.ipfix")
	if err := os.WriteFile(rules, []byte(`
if SourcePeerType != (ipv4, ipv6) ignore;
save SourcePeerAddress, DestPeerAddress, SourceTransType, SourceTransAddress, DestTransAddress, FlowID, CommunityID;
save FirstPackets = 30;
save ToSizeStats, FromSizeStats, ToGapStats, FromGapStats, ToTCPFlags, FromTCPFlags;
save ToPacketSize = 7 & 2.0.16!1024;       save FromPacketSize = 7 & 2.0.16!1024;
save ToInterarrivalTime = 7 & 2.3.16!1024; save FromInterarrivalTime = 7 & 2.3.16!1024;
count;
`), 0o666); err != nil {
		t.Fatal(err)
	}
	flows, _ := meterInTime(t, "run", "-q", "--json", "-r", rules, "--feed", "file:"+feed, "--feed-idle", "86400", sample, "traces/testdata/provider.pcap.gz")
	succeed(t, "feed", "-q", "--features", npy, "--features", lines, feed)
	out, err := exec.Command(python, "-c", sameRows, npy, lines).CombinedOutput()
	if n, _ := strconv.Atoi(strings.TrimSpace(string(out))); err != nil || n < 300 {
		t.Fatalf("%v, %s rows", err, out)
	}
	compareWithRuleset(t, flows, lines)
}

// compareWithRuleset compares the rows of flows that have ended once with what a run has
// written of the same flows.
func compareWithRuleset(t *testing.T, flows, rows string) {
	t.Helper()
	text, err := os.ReadFile(rows)
	if err != nil {
		t.Fatal(err)
	}
	saved, ended := featureMembers(t, flows, "flow"), featureMembers(t, string(text), "features")
	equal := 0
	for id, lines := range ended {
		if len(lines) == 1 {
			equal++
			if lines[0] != saved[id][0] {
				t.Errorf("flow %s:\n%s, of the ruleset\n%s", id, lines[0], saved[id][0])
			}
		}
	}
	if equal < 100 || len(ended) != len(saved) {
		t.Errorf("%d flows compared, %d have ended, the ruleset has %d", equal, len(ended), len(saved))
	}
}

// featureMembers returns the members of flows that rows at an end and a ruleset have in
// common, by FlowID.
func featureMembers(t *testing.T, lines, record string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for line := range strings.Lines(lines) {
		var f struct {
			Record, Why, FlowID, CommunityID                                       string
			SourcePeerAddress, DestPeerAddress                                     string
			SourceTransType, SourceTransAddress, DestTransAddress                  int
			FirstPackets                                                           struct{ Octets, Directions, Gaps, Flags []int }
			ToSizeStats, FromSizeStats, ToGapStats, FromGapStats                   struct{ N, Sum, SSQ, Min, Max json.Number }
			ToTCPFlags, FromTCPFlags                                               map[string]any
			ToPacketSize, FromPacketSize, ToInterarrivalTime, FromInterarrivalTime struct{ Counters []int }
			ToPDUs, FromPDUs, ToOctets, FromOctets                                 uint64
			FirstTimeNs, LastActiveTimeNs                                          int64
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.Record != record || record == "features" && f.Why != "end" {
			continue
		}
		f.Record, f.Why = "", ""
		delete(f.ToTCPFlags, "delta")
		delete(f.FromTCPFlags, "delta")
		same, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		all[f.FlowID] = append(all[f.FlowID], string(same))
	}
	return all
}
