package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// frontEnd is where a meter, or snmpd for it, answers net-snmp's tools.
type frontEnd struct {
	t       testing.TB
	name    string
	dir     string // of the tools' configuration and state
	address string
	args    []string // that the tools need to be let in
}

// run runs one of net-snmp's tools, whose options go before the rest, and
// returns the lines that it prints.
func (f *frontEnd) run(tool string, args ...string) ([]string, error) {
	f.t.Helper()
	words := strings.Fields(tool)
	words = append(append(words, f.args...), "-On", "-Oe", "-OU", f.address)
	cmd := exec.Command(words[0], append(words[1:], args...)...)
	cmd.Env = append(netSNMPEnviron(f.t, f.dir), "MIBS=")
	out, err := cmd.CombinedOutput()
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n"), err
}

// must is run for what has to succeed.
func (f *frontEnd) must(tool string, args ...string) []string {
	f.t.Helper()
	out, err := f.run(tool, args...)
	if err != nil {
		f.t.Fatalf("%s: %s %q: %v\n%s", f.name, tool, args, err, strings.Join(out, "\n"))
	}
	return out
}

// embedded returns the front end of a meter that answers at an address itself,
// to a community.
func embedded(t testing.TB, address, community string) *frontEnd {
	tracetest.Require(t, "snmpget")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "snmp.conf"), []byte("hexOutputLength 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &frontEnd{t, "embedded", dir, address, []string{"-v2c", "-c", community, "-t", "20", "-r", "0"}}
}

// master is snmpd on loopback, with a configuration of its own.
type master struct {
	*frontEnd
	socket string // of AgentX, as rtfm takes it
	*process
}

// newMaster starts snmpd. Its write community is "writer".
func newMaster(t testing.TB) *master {
	t.Helper()
	f := embedded(t, tracetest.Address(t, "udp"), "writer")
	f.name = "snmpd"
	m := &master{frontEnd: f, socket: "unix:" + filepath.Join(f.dir, "agentx")}
	config := fmt.Sprintf("agentAddress udp:%s\nmaster agentx\nagentXSocket %s\nrwcommunity writer 127.0.0.1\n", f.address, m.socket)
	if err := os.WriteFile(filepath.Join(f.dir, "snmpd.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	return m
}

// start starts snmpd again, and waits until it has its port.
func (m *master) start() {
	t := m.frontEnd.t
	cmd := exec.Command(tracetest.Require(t, "snmpd"), "-f", "-Lo", "-C", "-c", filepath.Join(m.dir, "snmpd.conf"))
	cmd.Env = append(netSNMPEnviron(t, m.dir), "MIBS=")
	m.process = startBeside(t, cmd)
	// What is asked before that is lost, and some ask only once.
	m.process.wait(20*time.Second, func(string) bool { return udpQueue(t, m.address) != "" })
}

// meterProcess is `rtfm meter`, run beside a test.
type meterProcess struct {
	*process
	*frontEnd // its own, for a community that may write
}

// startMeter starts a meter that answers for itself, and has registered with
// the master if it is given one.
func startMeter(t testing.TB, m *master, args ...string) *meterProcess {
	t.Helper()
	return startMeterAt(t, tracetest.Address(t, "udp"), m, args...)
}

// startMeterAt is startMeter for a meter that answers at this address.
func startMeterAt(t testing.TB, address string, m *master, args ...string) *meterProcess {
	t.Helper()
	f := embedded(t, address, "writer")
	args = append([]string{"meter", "--snmp", f.address}, args...)
	ready := "meter started"
	if m != nil {
		args = append(args, "--agentx", m.socket)
		ready = "registered with the AgentX master"
	}
	cmd := exec.Command("rtfm", args...)
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reader", "RTFM_WRITE_COMMUNITY=writer")
	p := runBeside(t, cmd, func(out string) bool { return strings.Contains(out, ready) }, 20*time.Second)
	return &meterProcess{p, f}
}

// waitForEnd waits until the meter's traces have ended.
func (m *meterProcess) waitForEnd() {
	m.process.t.Helper()
	m.process.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "the traces have ended") })
}

// waitFor waits until a variable shows a value, as net-snmp prints it.
func (f *frontEnd) waitFor(oid, value string) {
	f.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		out, err := f.run("snmpget", oid)
		if err == nil && out[0] == oid+" = "+value {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%s: not %s: %v\n%s", f.name, value, err, strings.Join(out, "\n"))
		}
	}
}
