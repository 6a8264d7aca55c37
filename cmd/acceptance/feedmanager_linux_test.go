package acceptance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rtfm/mib/module"
	"rtfm/ruleset/attr"
	"rtfm/traces/tracetest"
)

// TestFeedManager has a manager point a meter at a receiver, and replaces a list of
// 100,000 customers while packets come, each of a flow of its own: the receiver is told
// of each once. A flow is found over SNMP by the identifier that it has in the feed.
func TestFeedManager(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	tracetest.Require(t, "snmpget")
	tracetest.Network(t)
	rules, table := customerRules(t)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	url, port := "tcp://"+tracetest.Address(t, "tcp"), freePort(t)
	heard := startBeside(t, exec.Command("rtfm", "feed", "-l", url, "-F", file("flows.jsonl"), "--packets", file("packets.jsonl")))
	t.Setenv("RTFM_WRITE_COMMUNITY", "writer")
	meter := startLive(t, 1, "meter", "-i", "eb", "-m", port, "--grace", "0")
	config := fmt.Sprintf(`
meters:
- address: 127.0.0.1:%s
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}
  tasks: [{rules: %s}]
  output: %s
  feed: {url: "%s", rules: customers, domain: 7}
`, port, rules, file("out.flows"), url)
	if err := os.WriteFile(file("rtfm.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	manager := exec.Command("rtfm", "manager", "--config", file("rtfm.yaml"), "--log", file("log"), "--stop")
	p := &reloads{startBeside(t, manager), table, "", file("log")}
	p.told("the meter's feed is set")
	p.told("task started")

	b := tracetest.Blast{Hosts: 1000, Ports: 40, Rate: 20_000}
	var change sync.WaitGroup
	change.Go(func() { p.list(manyCustomers(1), "ruleset removed") })
	b.Send(t, "ea", "eb", b.Hosts*b.Ports) // from this goroutine's network
	change.Wait()
	id := lastPacket(t, file("packets.jsonl"), b.Hosts*b.Ports)
	found := lookUp(t, port, id)
	p.signal(syscall.SIGTERM)
	if status := p.exit(20 * time.Second); status != 0 {
		t.Errorf("the manager's exit status is %d", status)
	}
	meter.endLive()
	heard.signal(syscall.SIGTERM)
	if status := heard.exit(20 * time.Second); status != 0 {
		t.Errorf("the receiver's exit status is %d", status)
	}
	toldOnce(t, file("flows.jsonl"), b, 2)
	if want := tuples(t, file("flows.jsonl"))[id]; found != want || want == "" {
		t.Errorf("flow %s is %q over SNMP, and %q in the feed", id, found, want)
	}
}

// lastPacket waits until a file has so many packets, and returns the identifier of the
// flow of the last one.
func lastPacket(t *testing.T, name string, n int) string {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(name)
		if lines := bytes.Split(text, []byte("\n")); len(lines) > n {
			var p struct{ FlowID string }
			if err := json.Unmarshal(lines[n-1], &p); err != nil {
				t.Fatal(err)
			}
			return p.FlowID
		}
	}
	t.Fatalf("%s does not have %d packets", name, n)
	return ""
}

// lookUp asks a meter for the tuple of a flow by its identifier, with net-snmp.
func lookUp(t *testing.T, port, id string) string {
	t.Helper()
	octets, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	var index []uint32
	for _, o := range octets {
		index = append(index, uint32(o))
	}
	get := func(name fmt.Stringer) string {
		out, err := exec.Command("snmpget", "-v2c", "-cwriter", "-m", "", "-OvqU", "127.0.0.1:"+port, name.String()).CombinedOutput()
		if err != nil {
			t.Errorf("snmpget: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	var ruleSet, row uint32
	fmt.Sscan(get(module.RtfmFeedFlowRuleSet.At(index...)), &ruleSet)
	fmt.Sscan(get(module.RtfmFeedFlowIndex.At(index...)), &row)
	column := func(number uint32) string { return get(module.FlowDataEntry.At(number, ruleSet, 0, row)) }
	return fmt.Sprint(column(uint32(attr.SourcePeerAddress)), " ", column(uint32(attr.SourceTransAddress)))
}

// tuples returns the source's address and port of flows by identifiers, as net-snmp shows
// them.
func tuples(t *testing.T, flows string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(flows)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for line := range bytes.Lines(text) {
		var f struct {
			FlowID, SourcePeerAddress string
			SourceTransAddress        int
		}
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		var a [4]int
		fmt.Sscanf(f.SourcePeerAddress, "%d.%d.%d.%d", &a[0], &a[1], &a[2], &a[3])
		all[f.FlowID] = fmt.Sprintf("\"%02X %02X %02X %02X \" \"%02X %02X \"", a[0], a[1], a[2], a[3], f.SourceTransAddress>>8, f.SourceTransAddress&255)
	}
	return all
}
