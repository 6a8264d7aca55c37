package acceptance

import (
	"fmt"
	"math/rand/v2"
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

// killing tells how often each kind of program is killed, and over how many of
// a kind the kills are spread where there are several.
func killing() (kills, number int) {
	if tracetest.Long() {
		return 50, 10
	}
	return 10, 5
}

// size returns the size of a file, 0 if it is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// grown waits until a file has this size, or what writes it has ended: then it
// returns false.
func grown(t *testing.T, path string, to int64, writer *process) bool {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); size(path) < to; time.Sleep(time.Millisecond) {
		select {
		case <-writer.ended:
			return false
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has %d octets after a minute, not %d", path, size(path), to)
		}
	}
	return true
}

// withoutJSONHeaders leaves out the records that begin each process's part, the
// meter's name, and what tells one run of a meter from another.
func withoutJSONHeaders(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, `{"record":"header"`) {
			b.WriteString(meterName.ReplaceAllString(boots.ReplaceAllString(line, ""), ""))
		}
	}
	return b.String()
}

var meterName = regexp.MustCompile(`(?i)"meter":"[^"]*",`)

// sameJSON compares a flow data file with what it should hold.
func sameJSON(t *testing.T, file, want string, killed int) {
	t.Helper()
	got := withoutJSONHeaders(t, file)
	if got == want {
		return
	}
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("after %d kills line %d of %d is\n%s\nnot, of %d,\n%s", killed, i+1, len(a), a[i], len(b), b[i])
			return
		}
	}
	t.Errorf("after %d kills there are %d lines, not %d", killed, len(a), len(b))
}

// runJSON returns what `rtfm run` writes for a trace.
func runJSON(t *testing.T, trace, rules, interval string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run")
	ends(t, program(t, "run", "-q", "--json", "--name", "127.0.0.1", "-r", rules, "-T", interval, "-F", file, trace))
	return withoutJSONHeaders(t, file)
}

// TestKilledInStep kills a manager, a reader and snmpd again and again while a
// trace is metered in step. The flow data is what `rtfm run` writes, to the last
// octet: no collection is missing, none is there twice, and all differences and
// sums are right.
func TestKilledInStep(t *testing.T) {
	t.Parallel()
	const rules, interval = "ruleset/examples/services.srl", "60"
	kills, _ := killing()
	dir := t.TempDir()
	trace := filepath.Join(dir, "long.pcap")
	if err := os.WriteFile(trace, longTrace(10_000), 0o666); err != nil {
		t.Fatal(err)
	}
	want := runJSON(t, trace, rules, interval)
	manage := func(port, file string) []string {
		return []string{"manager", "-C", "--json", "-r", rules, "-m", port, "-F", file, "127.0.0.1"}
	}
	start := func(args []string) *process {
		cmd := exec.Command("rtfm", args...)
		cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=writing", "RTFM_COMMUNITY=writing")
		return startBeside(t, cmd)
	}
	for _, who := range []string{"manager", "reader"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(9, uint64(len(who))))
			port, file := freePort(t), filepath.Join(t.TempDir(), "flows")
			meter := program(t, "meter", "-C", trace, "-T", interval, "-m", port)
			args := manage(port, file)
			if who == "reader" {
				runTasks(t, port, []string{"-r", rules})
				args = []string{"reader", "-C", "--json", "-m", port, "-F", file, "--owner", "me", "127.0.0.1"}
			}
			killed := 0
			p := start(args)
			for ; killed < kills && grown(t, file, size(file)+1+r.Int64N(int64(len(want)/kills)), p); killed++ {
				p.signal(syscall.SIGKILL)
				p.exit(20 * time.Second)
				p = start(args)
			}
			if status := p.exit(time.Minute); status != 0 || killed < kills {
				t.Errorf("after %d kills the exit status is %d", killed, status)
			}
			ends(t, meter)
			sameJSON(t, file, want, killed)
		})
	}
	t.Run("snmpd", func(t *testing.T) {
		t.Parallel()
		killSnmpds(t, trace, rules)
	})
}

// killSnmpds kills snmpds between meters in step and their manager.
func killSnmpds(t *testing.T, trace, rules string) {
	const interval = "300"
	kills, number := killing()
	want := runJSON(t, trace, rules, interval)
	path, err := filepath.Abs(rules)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(i int) string { return filepath.Join(dir, fmt.Sprint(i)) }
	var config strings.Builder
	fmt.Fprintf(&config, "defaults: {snmp: {community: {env: SNMPD}, timeout: 100ms}, trace: true, json: true, tasks: [{rules: %q}]}\nmeters:\n", path)
	agents, meters := make([]*master, number), make([]*exec.Cmd, number)
	for i := range number {
		agents[i] = newMaster(t)
		meters[i] = program(t, "meter", "-C", trace, "-T", interval, "--agentx", agents[i].socket)
		fmt.Fprintf(&config, "  - {name: m%d, address: %q, output: %q}\n", i, agents[i].address, file(i))
	}
	name := filepath.Join(dir, "rtfm.yaml")
	if err := os.WriteFile(name, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rtfm", "manager", "--config", name)
	cmd.Env = append(os.Environ(), "SNMPD=writer")
	manager := startBeside(t, cmd)
	before, killed := make([]int64, number), make([]int, number)
	deadline := time.Now().Add(time.Minute)
	for all := 0; all < kills; time.Sleep(time.Millisecond) {
		for i, agent := range agents {
			if killed[i] == kills/number || size(file(i)) <= before[i] {
				continue
			}
			before[i] = size(file(i))
			agent.signal(syscall.SIGKILL)
			agent.exit(20 * time.Second)
			agent.start()
			killed[i]++
			all++
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a minute snmpds were killed %v times: there was too little to collect", killed)
		}
	}
	if status := manager.exit(2 * time.Minute); status != 0 {
		t.Errorf("the manager's exit status is %d", status)
	}
	for i := range number {
		ends(t, meters[i])
		sameJSON(t, file(i), want, killed[i])
	}
}

// TestKilledMeters kills meters under traffic, and starts them again. Of each of their lives all packets that came before its last
// collection are in the flow data once, of the last life all.
func TestKilledMeters(t *testing.T) {
	t.Parallel()
	kills, number := killing()
	dir := t.TempDir()
	rules, err := filepath.Abs("manager/testdata/all.srl")
	if err != nil {
		t.Fatal(err)
	}
	var config strings.Builder
	fmt.Fprintf(&config, "defaults: {snmp: {community: {env: RTFM_COMMUNITY}}, interval: 1s, tasks: [{rules: %q}]}\nmeters:\n", rules)
	meters := make([]*soakMeter, number)
	for i := range meters {
		m := &soakMeter{t: t, name: string(rune('a' + i)), number: i}
		m.pipe = filepath.Join(dir, m.name+".pcap")
		if err := syscall.Mkfifo(m.pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		m.start(tracetest.Address(t, "udp"))
		fmt.Fprintf(&config, "  - {name: %s, address: %q}\n", m.name, m.address)
		meters[i] = m
	}
	file := filepath.Join(dir, "rtfm.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rtfm", "manager", "--config", file)
	cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=writer")
	manager := startBeside(t, cmd)
	flows := func(m *soakMeter) string { return filepath.Join(dir, m.name+".flows") }
	for life := range kills/number + 1 {
		last := life == kills/number
		length := 20 * time.Second
		if last {
			length = time.Second
		}
		for _, m := range meters {
			m.feed(length)
		}
		if last {
			break
		}
		for _, m := range meters {
			start := m.lives[life].start
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				text, _ := os.ReadFile(flows(m))
				if _, of, ok := strings.Cut(string(text), " starting at "+start); ok && strings.Contains(of, "#EndData") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("life %d of meter %s is not collected", life, m.name)
				}
			}
		}
		for _, m := range meters {
			m.signal(syscall.SIGKILL)
			m.exit(20 * time.Second)
			<-m.sending
			m.start(m.address)
		}
	}
	for _, m := range meters {
		m.waitForEnd()
	}
	manager.signal(syscall.SIGTERM)
	if status := manager.exit(20 * time.Second); status != 0 {
		t.Errorf("the manager's exit status is %d", status)
	}
	counted, due := uint64(0), uint64(0)
	for _, m := range meters {
		got := readLives(t, flows(m))
		for i, sent := range m.lives {
			_, n, must := sent.check(t, got[sent.start], i < len(m.lives)-1)
			counted, due = counted+n, due+must
		}
	}
	t.Logf("%d kills: %d packets counted, of which %d had to be", kills, counted, due)
}
