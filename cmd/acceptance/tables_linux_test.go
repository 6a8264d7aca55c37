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

	"rtfm/traces/tracetest"
)

// reloads is a program that reads a list of networks again while packets come.
type reloads struct {
	*process
	table, file, log string
}

// told waits until the program has told something.
func (p *reloads) told(what string) {
	p.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		log, _ := os.ReadFile(p.log)
		if strings.Contains(p.printed()+string(log), what) {
			return
		}
		if time.Now().After(until) {
			p.t.Fatalf("%q is not told:\n%s%s", what, p.printed(), log)
		}
	}
}

// collected waits until a flow of this name was collected.
func (p *reloads) collected(name string) {
	p.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(p.file)
		if strings.Contains(string(text), `Name":"`+name+`"`) {
			return
		}
		if time.Now().After(until) {
			p.t.Fatalf("there are no flows of %q:\n%s", name, p.printed())
		}
	}
}

// list changes the list, and waits until the program has told something.
func (p *reloads) list(text, says string) {
	p.t.Helper()
	if err := os.WriteFile(p.table, []byte(text), 0o666); err != nil {
		p.t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.told(says)
}

// replay sends packets of a trace in the background, and returns what waits for it.
func replay(t *testing.T, packets int) (wait func()) {
	t.Helper()
	cmd := exec.Command("tcpreplay", "-q", "-i", "ea", "--pps", "10000", writeMix(t, packets))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return func() {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReloadLive replaces a list of networks while packets come, again and again: each
// packet is in one flow, with the names of a list that there was. A faulty one changes
// nothing.
func TestReloadLive(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	tracetest.Network(t)
	rules, table := tableRules(t, "0.0.0.0/1,first\n")
	file := filepath.Join(t.TempDir(), "flows")
	p := &reloads{startLive(t, 1, "run", "-i", "eb", "-r", rules, "--json", "-T", "0.1", "-F", file), table, file, ""}
	const packets = 10_000
	wait := replay(t, packets)
	p.collected("first")
	p.list("0.0.0.0/2,second\n64.0.0.0/2,third\n", "customers is ruleset 3 now, and the flows of ruleset 2 are collected as before")
	p.collected("second")
	p.list("0.0.0.0/2,second\n64.0.0.0/33,third\n", "customers.csv:2:10: /33 is wider than the 32 bits of 64.0.0.0")
	p.told("all goes on as before")
	p.list("0.0.0.0/2,fourth\n64.0.0.0/2,third\n", "their rules are as they were")
	p.collected("fourth")
	p.list("0.0.0.0/3,fifth\n", "customers is ruleset 4 now")
	wait()
	p.endLive()
	p.collected("fifth")
	seen, inFlows := p.sums()
	if seen != packets || inFlows != packets {
		t.Errorf("%d packets are in flows, %d were seen by rulesets, want %d of each\n%s", inFlows, seen, packets, p.printed())
	}
}

// TestReloadManager does the same with a meter over SNMP, which the manager of a
// ruleset gives another.
func TestReloadManager(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	tracetest.Network(t)
	rules, table := tableRules(t, "0.0.0.0/1,first\n")
	dir := t.TempDir()
	file, log := filepath.Join(dir, "flows"), filepath.Join(dir, "log")
	port := freePort(t)
	t.Setenv("RTFM_WRITE_COMMUNITY", "writer")
	meter := startLive(t, 1, "meter", "-i", "eb", "-m", port, "--grace", "0")
	manager := exec.Command("rtfm", "manager", "-c", "1", "--json", "-r", rules, "-m", port, "-F", file, "--log", log, "--stop", "127.0.0.1")
	p := &reloads{startBeside(t, manager), table, file, log}
	p.told("task started")
	const packets = 20_000
	wait := replay(t, packets)
	p.collected("first")
	p.list("0.0.0.0/2,second\n64.0.0.0/2,third\n", "ruleset removed")
	p.collected("second")
	p.list("0.0.0.0/2,second\n64.0.0.0/33,third\n", "customers.csv:2:10: /33 is wider than the 32 bits of 64.0.0.0")
	p.told("all goes on as before")
	p.list("0.0.0.0/2,fourth\n64.0.0.0/2,third\n", "a ruleset was read again")
	p.collected("fourth")
	wait()
	p.signal(syscall.SIGTERM)
	if status := p.exit(20 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	meter.endLive()
	if _, inFlows := p.sums(); inFlows != packets {
		t.Errorf("%d packets are in flows, want %d\n%s", inFlows, packets, p.printed())
	}
}

// sums returns how many packets rulesets have seen, and how many flows have counted, of
// all collections.
func (p *reloads) sums() (seen, inFlows uint64) {
	p.t.Helper()
	text, err := os.ReadFile(p.file)
	if err != nil {
		p.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var row struct {
			DeltaToPDUs, DeltaFromPDUs uint64
			RuleSets                   []struct{ RuleSet, Packets, Counted, Collected uint64 }
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			p.t.Fatal(err)
		}
		inFlows += row.DeltaToPDUs + row.DeltaFromPDUs
		for _, rs := range row.RuleSets {
			if seen += rs.Packets; rs.Packets != rs.Counted {
				p.t.Errorf("%+v", rs)
			}
		}
	}
	return seen, inFlows
}
