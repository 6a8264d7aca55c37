package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// freePort returns a UDP port of loopback that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port
}

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
	case <-time.After(time.Minute):
		t.Fatalf("%v does not end", cmd.Args)
	}
}

// TestInStep meters traces in step with a manager, and wants the flow data that
// "rtfm run" writes for the same trace, ruleset and interval, but for the
// first line.
func TestInStep(t *testing.T) {
	dir := t.TempDir()
	campus := filepath.Join(dir, "campus.pcap")
	if err := os.WriteFile(campus, campusTrace(), 0o666); err != nil {
		t.Fatal(err)
	}
	mixed := filepath.Join(dir, "mixed.pcap")
	packets := tracetest.Mix(3000)
	for i := range packets {
		packets[i].Time += int64(i) * 2e7 // a minute in all
	}
	// A silence of many intervals stands in the middle.
	for i := range packets[1500:] {
		packets[1500+i].Time += int64(3 * time.Minute)
	}
	if err := os.WriteFile(mixed, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	traces := []string{campus, mixed, "traces/testdata/sample.pcap"}
	intervals := []string{"0.5", "1", "7", "60", "3600"}
	if testing.Short() {
		intervals = intervals[2:3]
	}
	embedded, agent := fmt.Sprint(freePort(t)), fmt.Sprint(freePort(t))
	socket := snmpd(t, agent)
	for _, trace := range traces {
		for _, interval := range intervals {
			name := filepath.Base(trace) + " " + interval
			want := filepath.Join(dir, name+".flows")
			ends(t, program(t, "run", "-q", "--name", "127.0.0.1", "-r", "manager/testdata/all.srl", "-T", interval, "-F", want, trace))
			for _, front := range []struct{ name, port, option, address string }{
				{"embedded", embedded, "-m", embedded},
				{"snmpd", agent, "--agentx", socket},
			} {
				t.Run(name+" "+front.name, func(t *testing.T) {
					got := filepath.Join(t.TempDir(), "step.flows")
					meter := program(t, "meter", "-C", trace, "-T", interval, front.option, front.address)
					ends(t, program(t, "manager", "-C", "-r", "manager/testdata/all.srl", "-m", front.port, "-F", got, "127.0.0.1"))
					ends(t, meter)
					if a, b := behindFirst(t, want), behindFirst(t, got); a != b {
						t.Errorf("rtfm run writes\n%s\nin step it is\n%s", a, b)
					}
				})
			}
		}
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

// behindFirst returns a file without its first line.
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
	return rest
}

// TestManagerSignals changes the configuration file of a running manager, at
// first for a faulty one, and ends the manager.
func TestManagerSignals(t *testing.T) {
	port := freePort(t)
	program(t, "meter", "-C", "traces/testdata/sample.pcap", "-m", fmt.Sprint(port))
	dir := t.TempDir()
	rules, err := filepath.Abs("manager/testdata/all.srl")
	if err != nil {
		t.Fatal(err)
	}
	config, log := filepath.Join(dir, "rtfm.yaml"), filepath.Join(dir, "log")
	configure := func(more string) {
		text := fmt.Sprintf("meters:\n- name: m\n  address: 127.0.0.1:%d\n  snmp: {community: {env: RTFM_WRITE_COMMUNITY}}\n  tasks: [{rules: %s}]\n%s", port, rules, more)
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
	time.Sleep(1500 * time.Millisecond) // a collection at the new interval
	manager.Process.Signal(syscall.SIGTERM)
	ends(t, manager)
	logged("ruleset removed")
	text, err := os.ReadFile(filepath.Join(dir, "m.flows"))
	if n := strings.Count(string(text), "#EndData"); err != nil || n < 3 {
		t.Errorf("%d collections, want at the begin, after a second and at the end: %v\n%s", n, err, text)
	}
	if both, err := os.ReadFile(log + ".old"); err != nil || strings.Contains(string(both), "writing") {
		t.Errorf("the log tells the community: %v\n%s", err, both)
	}
}
