package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// mirrorFrames is how many frames are mirrored.
const mirrorFrames = 3000

// timesOfFlow matches members of flow data that tell when something was, or who has
// metered it.
var timesOfFlow = regexp.MustCompile(`"(Meter|Boot|EpochNs|RuleSet|Interval\w*|FlowIndex|FirstTime\w*|LastActiveTime\w*)":("[^"]*"|\d+),`)

// TestMirrorInVXLAN has the kernel mirror what an interface receives into a VXLAN
// device, and meters both: the interface, and what the device sends, decapsulated.
func TestMirrorInVXLAN(t *testing.T) {
	tracetest.Network(t)
	tc := tracetest.Require(t, "tc")
	for _, command := range []string{
		"ip link set ea mtu 9000", "ip link set eb mtu 9000",
		"ip link set eb address 02:00:00:00:09:02",
		"ip addr add 192.0.2.1/24 dev ea",
		"ip neigh add 192.0.2.2 lladdr 02:00:00:00:09:02 dev ea",
		"ip link add ec type veth peer name ed",
	} {
		tracetest.Run(t, command)
	}
	if out, err := exec.Command("ip", "link", "add", "vx0", "mtu", "8900", "type", "vxlan", "id", "4242",
		"local", "192.0.2.1", "remote", "192.0.2.2", "dstport", "4789", "dev", "ea").CombinedOutput(); err != nil {
		t.Skipf("no VXLAN in this kernel: %s", out)
	}
	tracetest.Up(t, "ec", "ed")
	tracetest.Run(t, "ip link set vx0 up")
	tracetest.Run(t, tc+" qdisc add dev ed clsact")
	tracetest.Run(t, tc+" filter add dev ed ingress protocol all u32 match u32 0 0 action mirred egress mirror dev vx0")

	dir := t.TempDir()
	rules, inside, outside := filepath.Join(dir, "all.srl"), filepath.Join(dir, "inside"), filepath.Join(dir, "outside")
	if err := os.WriteFile(rules, []byte(`save SourceAdjacentAddress; save DestAdjacentAddress; save SourcePeerType; save SourcePeerAddress; save DestPeerAddress;
save SourceTransType; save SourceTransAddress; save DestTransAddress; save VLANid; save DSCodePoint;
count;
`), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startLive(t, 1, "run", "-q", "--json", "-r", rules, "-i", "ed", "-F", inside)
	b := startLive(t, 2, "run", "-q", "--json", "-r", rules, "-i", "eb", "-F", outside, "--decap", "vxlan")
	sender := tracetest.NewSender(t, "ec")
	before := received(t, "eb")
	for _, p := range tracetest.Mix(mirrorFrames) {
		sender.Send(p.Data)
	}
	for deadline := time.Now().Add(20 * time.Second); received(t, "eb") < before+mirrorFrames; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d frames came in VXLAN, want %d", received(t, "eb")-before, mirrorFrames)
		}
	}
	a.endLive()
	b.endLive()
	want, got := flowsOf(t, inside), flowsOf(t, outside)
	if len(want) < 100 || !slices.Equal(got, want) {
		t.Errorf("%d flows out of the tunnel, want %d", len(got), len(want))
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("%s\nwant\n%s", got[i], want[i])
			}
		}
	}
	if n := numberIn(t, `"decapsulated":(\d+)`, readText(t, outside)); n != mirrorFrames {
		t.Errorf("%d packets decapsulated, want %d", n, mirrorFrames)
	}
}

// flowsOf returns the flows of JSON lines, sorted, without times.
func flowsOf(t *testing.T, path string) (flows []string) {
	t.Helper()
	for _, line := range regexp.MustCompile(`(?m)^\{"record":"flow".*$`).FindAllString(readText(t, path), -1) {
		flows = append(flows, timesOfFlow.ReplaceAllString(line, ""))
	}
	slices.Sort(flows)
	return flows
}
