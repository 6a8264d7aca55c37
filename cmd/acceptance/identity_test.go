package acceptance

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// identities are the programs of TestIdentity, whose flows are the 5-tuple and other keys.
var identities = map[string]string{
	"tuple": "save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress;",
	"pair":  "save SourcePeerAddress /24; save DestPeerAddress;",
}

// TestIdentity wants a flow to have the same FlowID and Community ID on every meter: one
// that sees its packets in another order, so that it begins the other way round, one that
// runs the ruleset under another number, and one that is read by SNMP. Flows of flow records
// have them too.
func TestIdentity(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const trace = "traces/testdata/sample.pcap"
	src, err := format.Open(trace)
	if err != nil {
		t.Fatal(err)
	}
	packets, _ := tracetest.ReadAll(t, src)
	src.Close()
	first, last := packets[0].Time, packets[len(packets)-1].Time
	slices.Reverse(packets)
	for i := range packets {
		packets[i].Time = first + last - packets[i].Time
	}
	reversed := filepath.Join(dir, "reversed.pcap")
	if err := os.WriteFile(reversed, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, saved := range identities {
		rules := filepath.Join(dir, name+".srl")
		// Of messages whose type and code are equal, and of fragments of ICMP, those of both
		// directions are one flow: who comes first has a say then.
		text := "if SourceTransType == icmp && SourceTransAddress == (0, 3) ignore; " + saved + " save FlowID; save CommunityID; count;"
		if err := os.WriteFile(rules, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		want := identitiesOf(t, name == "tuple", "-r", rules, trace)
		if len(want) < 20 {
			t.Errorf("%s: %d flows", name, len(want))
		}
		for what, args := range map[string][]string{
			"reversed":                   {"-r", rules, reversed},
			"in intervals":               {"-r", rules, "-T", "60", trace},
			"as the second ruleset":      {"-r", "manager/testdata/all.srl", "-r", rules, trace},
			"beside another of its kind": {"-r", rules, "-r", rules, trace},
		} {
			if got := identitiesOf(t, name == "tuple", args...); !maps.Equal(got, want) {
				more := maps.Clone(got)
				maps.DeleteFunc(more, func(id string, _ bool) bool { return want[id] })
				t.Errorf("%s, %s: %d flows, of which only these have\n%v\nwant %d", name, what, len(got), more, len(want))
			}
		}
		if records := identitiesOf(t, name == "tuple", "-r", rules, "netflow:traces/testdata/netflow.pcap"); len(records) < 3 {
			t.Errorf("%s: %d flows of records have identifiers", name, len(records))
		}
		t.Run(name+" in step", func(t *testing.T) {
			run, step := filepath.Join(dir, name+".run"), filepath.Join(dir, name+".step")
			ends(t, program(t, "run", "-q", "--name", "127.0.0.1", "-r", rules, "-T", "60", "-F", run, trace))
			port := freePort(t)
			meter := program(t, "meter", "-C", trace, "-T", "60", "-m", port)
			ends(t, program(t, "manager", "-C", "-r", rules, "-m", port, "-F", step, "127.0.0.1"))
			ends(t, meter)
			if a, b := behindFirst(t, run), behindFirst(t, step); a != b {
				t.Errorf("rtfm run writes\n%s\nin step it is\n%s", a, b)
			}
		})
	}
}

// identitiesOf returns the FlowIDs and Community IDs of a run that writes text. Those of
// TCP and UDP flows of 5-tuples must be the same octets. Of others it is warned that they
// have no Community ID.
func identitiesOf(t *testing.T, tuple bool, args ...string) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	same := 0
	var out, stderr strings.Builder
	if status := runMain(append([]string{"run", "-q", "--format", "FlowRuleSet FlowIndex FlowID CommunityID"}, args...), nil, &out, &stderr); status != 0 || tuple != (stderr.Len() == 0) {
		t.Fatalf("%v: %d: %s", args, status, stderr.String())
	}
	for line := range strings.Lines(out.String()) {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(words) != 4 || words[2] == "0" {
			continue
		}
		id, community := words[2], words[3]
		octets, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(community, "1:"))
		if has := community != "-"; has != tuple && community != "-" || has && (err != nil || len(octets) != 20) || len(id) != 16 {
			t.Errorf("flow %s: %v", strings.TrimSpace(line), err)
		}
		if len(octets) >= 8 && hex.EncodeToString(octets[:8]) == id {
			same++
		}
		all[fmt.Sprint(id, " ", community)] = true
	}
	if tuple && same < len(all)/2 {
		t.Errorf("%v: %d of %d flows have FlowIDs that are those of their Community IDs", args, same, len(all))
	}
	return all
}
