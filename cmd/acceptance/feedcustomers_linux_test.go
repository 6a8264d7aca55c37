package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rtfm/traces/tracetest"
)

// manyCustomers returns a list of 100,000 networks, in each version another one but for
// that of what a tracetest.Blast sends.
func manyCustomers(version int) string {
	var b strings.Builder
	b.WriteString("network,name\n10.0.0.0/20,ours\n")
	for i := range 99_999 {
		n := i + version*1000
		fmt.Fprintf(&b, "%d.%d.%d.0/24,customer %d\n", 20+n>>16, n>>8&255, n&255, i)
	}
	return b.String()
}

// customerRules puts the example's program and a list beside it into a new folder.
func customerRules(t *testing.T) (rules, table string) {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("ruleset/examples/customer-connections.srl")
	if err != nil {
		t.Fatal(err)
	}
	rules, table = filepath.Join(dir, "customers.srl"), filepath.Join(dir, "customers.csv")
	for name, text := range map[string]string{rules: string(text), table: manyCustomers(0)} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return rules, table
}

// TestFeedCustomers changes a list of 100,000 customers while packets come, each of a
// flow of its own: the feed tells each of them once, by the one list or the other.
func TestFeedCustomers(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for programs that are killed, or read long lists")
	}
	tracetest.Network(t)
	rules, table := customerRules(t)
	dir := t.TempDir()
	feed, flows := filepath.Join(dir, "x.ipfix"), filepath.Join(dir, "flows.jsonl")
	p := &reloads{startLive(t, 1, "run", "-i", "eb", "-r", rules, "-F", filepath.Join(dir, "flows"), "--feed", "file:"+feed), table, "", ""}
	b := tracetest.Blast{Hosts: 1000, Ports: 60, Rate: 12_000} // slow enough for lists to be read meanwhile
	var changes sync.WaitGroup
	changes.Go(func() {
		p.list(manyCustomers(1), "customers is ruleset 3 now")
		p.list(manyCustomers(2), "customers is ruleset 4 now")
	})
	b.Send(t, "ea", "eb", b.Hosts*b.Ports) // from this goroutine's network
	changes.Wait()
	p.endLive()
	succeed(t, "feed", "-F", flows, feed)
	toldOnce(t, flows, b, 3)
}

// toldOnce wants each packet of a Blast whose flows have one packet be told once, by so
// many rulesets that have run one after the other.
func toldOnce(t *testing.T, flows string, b tracetest.Blast, ruleSets int) {
	t.Helper()
	text, err := os.ReadFile(flows)
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]int)
	by := make(map[int]int)
	for line := range bytes.Lines(text) {
		var f struct {
			SourcePeerAddress     string
			SourceTransAddress    int
			FlowRuleSet           int
			Received, DeltaToPDUs int
		}
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		told[fmt.Sprint(f.SourcePeerAddress, " ", f.SourceTransAddress)] += f.Received
		by[f.FlowRuleSet]++
	}
	missed, twice := 0, 0
	for i := range b.Hosts * b.Ports {
		host, port := i%b.Hosts, i/b.Hosts
		switch told[fmt.Sprintf("10.0.%d.%d %d", host>>8, host&255, 1024+port)] {
		case 0:
			missed++
		case 1:
		default:
			twice++
		}
	}
	if missed > 0 || twice > 0 || len(told) != b.Hosts*b.Ports || len(by) != ruleSets {
		t.Errorf("of %d packets %d were told of none and %d more than once; by ruleset %v, want %d rulesets", b.Hosts*b.Ports, missed, twice, by, ruleSets)
	}
}
