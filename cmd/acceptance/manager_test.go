package acceptance

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// freePort returns a UDP port of loopback for the test.
func freePort(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(tracetest.Address(t, "udp"))
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// everyFlow is the ruleset that counts every flow.
const everyFlow = "ruleset/examples/all-flows.srl"

// program starts rtfm as a process. What it prints is logged if the test fails.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("rtfm", args...)
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reading", "RTFM_WRITE_COMMUNITY=writing")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("rtfm %s:\n%s", strings.Join(args, " "), &out)
		}
	})
	return cmd
}

// ends waits for a process to end well.
func ends(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("%v: %v", cmd.Args, err)
		}
	case <-time.After(3 * time.Minute):
		t.Fatalf("%v does not end", cmd.Args)
	}
}

// snmpd runs net-snmp's agent at a port of loopback, and returns the address
// for its subagents.
func snmpd(t *testing.T, port string) string {
	t.Helper()
	path := tracetest.Require(t, "snmpd")
	dir := t.TempDir()
	socket := "unix:" + filepath.Join(dir, "agentx")
	conf := filepath.Join(dir, "snmpd.conf")
	text := fmt.Sprintf("agentAddress udp:127.0.0.1:%s\nmaster agentx\nagentXSocket %s\nrwcommunity writing 127.0.0.1\n", port, socket)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-f", "-Lo", "-C", "-c", conf)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+filepath.Join(dir, "state"), "MIBS=")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return socket
}

// behindFirst returns a file without its first line and what tells one run of a meter
// from another.
func behindFirst(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	if strings.Count(rest, "\n") < 3 {
		t.Errorf("%s has\n%s", name, text)
	}
	return boots.ReplaceAllString(rest, "")
}

// boots matches the number that meters make when they start, in JSON lines.
var boots = regexp.MustCompile(`(?i)"boot":"[0-9a-f]*",`)

// TestManagerSignals changes the configuration file of a running manager, at
// first for a faulty one, and ends the manager.
func TestManagerSignals(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	program(t, "meter", "-C", "traces/testdata/sample.pcap", "-m", port)
	dir := t.TempDir()
	rules, err := filepath.Abs("manager/testdata/all.srl")
	if err != nil {
		t.Fatal(err)
	}
	config, log := filepath.Join(dir, "rtfm.yaml"), filepath.Join(dir, "log")
	configure := func(more string) {
		text := fmt.Sprintf("meters:\n- name: m\n  address: 127.0.0.1:%s\n  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}\n  tasks: [{rules: %s}]\n%s", port, rules, more)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	logged := func(text string) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			got, err := os.ReadFile(log)
			if err == nil && strings.Contains(string(got), text) {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("the log does not tell %q: %v\n%s", text, err, got)
			}
		}
	}
	configure("")
	manager := program(t, "manager", "--config", config, "--log", log, "--stop")
	logged("task started")
	configure("  interval: never\n")
	manager.Process.Signal(syscall.SIGHUP)
	logged("all goes on as before")
	configure("  inactivity-timeout: 77\n  interval: 1\n")
	if err := os.Rename(log, log+".old"); err != nil {
		t.Fatal(err)
	}
	manager.Process.Signal(syscall.SIGHUP)
	logged("was read again")
	collections := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "m.flows"))
		return strings.Count(string(text), "#EndData")
	}
	for until := time.Now().Add(20 * time.Second); collections() < 2; time.Sleep(10 * time.Millisecond) { // at the new interval
		if time.Now().After(until) {
			t.Fatal("no collections are made")
		}
	}
	manager.Process.Signal(syscall.SIGTERM)
	ends(t, manager)
	logged("ruleset removed")
	if n := collections(); n < 3 {
		t.Errorf("%d collections, want at the begin, after a second and at the end", n)
	}
	if both, err := os.ReadFile(log + ".old"); err != nil || strings.Contains(string(both), "writing") {
		t.Errorf("the log tells the community: %v\n%s", err, both)
	}
}
