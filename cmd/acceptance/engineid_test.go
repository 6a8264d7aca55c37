package acceptance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
)

// forget ends snmpd, which forgets its engine ID.
func (m *master) forget() {
	m.process.signal(syscall.SIGKILL)
	<-m.process.ended
	if err := os.RemoveAll(filepath.Join(m.dir, "persistent")); err != nil {
		m.frontEnd.t.Fatal(err)
	}
}

// runBuiltIn makes the meter at an address run its built-in ruleset.
func runBuiltIn(t *testing.T, address string) {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Config{Address: address, Community: "writer"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.CreateManager(t.Context(), 1, &mib.Manager{CurrentRuleSet: 1}); err != nil {
		t.Fatal(err)
	}
	if err := c.StartManagers(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

// TestReaderEngineID has snmpd come back with another engine ID while readers read
// the meter behind it by SNMPv3, by the clock and in step with a trace: they go on,
// and nothing is missing.
func TestReaderEngineID(t *testing.T) {
	t.Parallel()
	for name, inStep := range map[string]bool{"by the clock": false, "in step": true} {
		t.Run(name, func(t *testing.T) { t.Parallel(); readEngineID(t, inStep) })
	}
}

// readEngineID is TestReaderEngineID with one reader.
func readEngineID(t *testing.T, inStep bool) {
	const password = "known-to-collector"
	agent := newSecureMaster(t, password)
	var m *meterProcess
	if inStep {
		m = startMeter(t, agent, "-C", "traces/testdata/sample.pcap", "-T", "2")
		runBuiltIn(t, m.frontEnd.address)
	} else {
		m = startMeter(t, agent, "-C", "traces/testdata/sample.pcap")
	}
	flows := filepath.Join(t.TempDir(), "flows")
	cmd := exec.Command("rtfm", "reader", "-c1", "-r1", "--json", "--timeout", "1", "--retries", "1", "--user", "collector", "-F", flows, agent.address)
	if inStep {
		cmd.Args = append(cmd.Args, "-C")
	}
	cmd.Env = append(os.Environ(), "RTFM_AUTH="+password, "RTFM_PRIV="+password)
	collections := func() int {
		text, _ := os.ReadFile(flows)
		return strings.Count(string(text), `{"record":"end"`)
	}
	p := startBeside(t, cmd)
	for round := range 2 {
		want := collections() + 2
		p.wait(20*time.Second, func(string) bool { return collections() >= want })
		p.signal(syscall.SIGSTOP)
		agent.forget()
		if round == 0 { // it asks when nobody listens, and then when no meter is there
			p.signal(syscall.SIGCONT)
		}
		agent.start()
		m.process.wait(20*time.Second, func(out string) bool {
			return strings.Count(out, "registered with the AgentX master") == round+2
		})
		p.signal(syscall.SIGCONT)
	}
	if !inStep {
		want := collections() + 2
		p.wait(20*time.Second, func(string) bool { return collections() >= want })
		p.signal(syscall.SIGTERM)
	}
	if status := p.exit(60 * time.Second); status != 0 {
		t.Errorf("status %d", status)
	}
	text, err := os.ReadFile(flows)
	if err != nil {
		t.Fatal(err)
	}
	packets := 0
	for line := range strings.Lines(string(text)) {
		var end struct {
			Record  string
			Packets int
		}
		if err := json.Unmarshal([]byte(line), &end); err != nil {
			t.Fatal(err)
		}
		packets += end.Packets
	}
	if packets != 2028 {
		t.Errorf("%d packets in %d collections, want 2028", packets, collections())
	}
	if strings.Contains(p.printed(), "was restarted") {
		t.Error("the meter is said to be restarted")
	}
}
