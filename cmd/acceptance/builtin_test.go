package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"rtfm/ruleset/builtin"
	"rtfm/traces/tracetest"
)

// builtinFilters are what tshark is to count for each program that comes with rtfm.
var builtinFilters = map[string]string{
	"@conversations": "frame",
	"@flows":         "frame",
	"@hosts":         "ip || ipv6",
	"@talkers":       "ip || ipv6",
	"@networks":      "ip || ipv6",
	"@services":      "frame",
	"@ports":         "(tcp || udp || sctp || dccp) && !icmp && !icmpv6",
	"@protocols":     "frame",
	"@families":      "frame",
	"@dscp":          "ip || ipv6",
	"@vlans":         "frame",
	"@macs":          "frame",
	"@icmp":          "ip.proto == 1 || icmpv6", // with fragments
	"@sizes":         "frame",
	"@dns":           "udp.port == 53 && !icmp && !icmpv6",
	"@pings": "icmp.type == 0 || icmp.type == 8 || icmpv6.type == 128 || icmpv6.type == 129" +
		" || ip.proto == 1 && ip.frag_offset > 0",
	"@handshakes": "tcp && !icmp && !icmpv6",
}

// TestBuiltinPrograms compares what the flows of each program that comes with rtfm
// come to with tshark's sums.
func TestBuiltinPrograms(t *testing.T) {
	t.Parallel()
	tshark := tracetest.Require(t, "tshark")
	const trace = "traces/testdata/sample.pcap"
	statistics := "io,stat,0"
	for _, p := range builtin.Programs() {
		filter, known := builtinFilters[p.Name]
		if !known {
			t.Fatalf("what does %s count?", p.Name)
		}
		statistics += "," + filter
	}
	// Of each filter: | frames | octets.
	out, err := exec.Command(tshark, "-n", "-q", "-r", trace, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-z", statistics).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, sums, _ := strings.Cut(string(out), "<>")
	want := regexp.MustCompile(`\| +(\d+) \| +(\d+) `).FindAllStringSubmatch(sums, -1)
	if len(want) != len(builtin.Programs()) {
		t.Fatalf("tshark prints %s", out)
	}
	for i, p := range builtin.Programs() {
		packets, octets := sumOfFlows(t, "-r", p.Name, trace)
		if fmt.Sprint(packets) != want[i][1] || fmt.Sprint(octets) != want[i][2] || packets == 0 {
			t.Errorf("%s: %d packets, %d octets; tshark has %s and %s", p.Name, packets, octets, want[i][1], want[i][2])
		}
	}
}

// sumOfFlows returns the packets and octets that all flows of `rtfm run` have.
func sumOfFlows(t *testing.T, args ...string) (packets, octets int) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := runMain(append([]string{"run", "-q", "--json"}, args...), nil, &out, &errs); status != 0 {
		t.Fatalf("%q: status %d: %s", args, status, &errs)
	}
	for lines := json.NewDecoder(&out); lines.More(); {
		var f struct{ ToPDUs, FromPDUs, ToOctets, FromOctets int }
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		packets += f.ToPDUs + f.FromPDUs
		octets += f.ToOctets + f.FromOctets
	}
	return packets, octets
}
