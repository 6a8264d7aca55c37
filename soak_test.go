package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// soakConfig has three meters, of which the last is asked through snmpd.
const soakConfig = `
defaults:
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}, timeout: 500ms, retries: 1}
  interval: %v
  keepalive: 1s
  inactivity-timeout: 2s
  tasks: [{rules: "%s"}]
meters:
  - {name: a, address: "%s"}
  - {name: b, address: "%s"}
  - name: c
    address: "%s"
    snmp:
      user: collector
      auth: {protocol: SHA-256, password: {env: SOAK_PASSWORD}}
      privacy: {protocol: AES-128, password: {env: SOAK_PASSWORD}}
`

// tally is what was sent, or counted, of a conversation.
type tally struct{ packets, octets uint64 }

// soakTrace makes a trace of a length, 400 packets a second: half of them of
// conversations that last, half of such that come and go. Each conversation has
// an address below 10.0.0.0/8 of its own. It returns what is sent of each, too.
func soakTrace(seed uint64, length time.Duration) (trace []byte, sent map[string]tally) {
	const (
		spacing = time.Second / 400
		lasting = 60
		brief   = 20 // conversations a second, of half a second each
	)
	r := rand.New(rand.NewPCG(2722, seed))
	sent = make(map[string]tally)
	var packets []traces.Packet
	for at := time.Duration(0); at < length; at += spacing {
		n := r.IntN(lasting)
		if r.IntN(2) == 0 {
			n = lasting + int(at.Seconds()*brief) + r.IntN(brief/2)
		}
		client, server := fmt.Sprintf("10.%d.%d.%d", seed, n/250, 1+n%250), fmt.Sprintf("192.0.2.%d", 1+n%100)
		ports := [2]int{20000 + n, 443}
		from, to := client, server
		if r.IntN(3) == 0 {
			from, to, ports = server, client, [2]int{443, 20000 + n}
		}
		f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(from, to)
		if n%3 == 0 {
			f = f.UDP(ports[0], ports[1])
		} else {
			f = f.TCP(ports[0], ports[1], 16)
		}
		p := tracetest.Packets(f.Payload(r.IntN(900)))[0]
		p.Time += int64(at)
		packets = append(packets, p)
		s := sent[client]
		sent[client] = tally{s.packets + 1, s.octets + uint64(p.Wire)}
	}
	return tracetest.PCAP(tracetest.PCAPOptions{}, packets...), sent
}

// readTallies sums up a flow data file, by position of its columns: what the
// last record of each flow tells, for each address below 10.0.0.0/8. It counts
// flows and collections, too.
func readTallies(t *testing.T, path string) (sums map[string]tally, flows, collections int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := make(map[[3]string]tally)
	sums = make(map[string]tally)
	inside := false // of a collection
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#Time"), strings.HasPrefix(line, "#EndData"):
			begins := strings.HasPrefix(line, "#Time")
			if begins == inside {
				t.Fatalf("%s:%d: a collection is not complete", path, i+1)
			}
			if inside = begins; begins {
				collections++
			}
			continue
		case strings.HasPrefix(line, "#"):
			continue
		}
		// FlowRuleSet FlowIndex FirstTime SourcePeerType SourcePeerAddress
		// DestPeerAddress ToPDUs FromPDUs ToOctets FromOctets
		fields := strings.Fields(line)
		if len(fields) != 10 || !inside {
			t.Fatalf("%s:%d: not a flow of a collection: %q", path, i+1, line)
		}
		var counts [4]uint64
		for j, field := range fields[6:] {
			if counts[j], err = strconv.ParseUint(field, 10, 64); err != nil {
				t.Fatalf("%s:%d: column %d: %v", path, i+1, 7+j, err)
			}
		}
		client := fields[4]
		if !strings.HasPrefix(client, "10.") {
			client = fields[5]
		}
		flow := [3]string(fields[:3])
		before, now := last[flow], tally{counts[0] + counts[1], counts[2] + counts[3]}
		if now.packets < before.packets || now.octets < before.octets {
			t.Errorf("%s:%d: flow %v went back from %v to %v", path, i+1, flow, before, now)
		}
		last[flow] = now
		s := sums[client]
		sums[client] = tally{s.packets + now.packets - before.packets, s.octets + now.octets - before.octets}
	}
	if inside {
		t.Errorf("%s: the last collection is not complete", path)
	}
	return sums, len(last), collections
}

// newSecureMaster starts snmpd with SNMPv3 only: its user is "collector", with
// one password for authentication and privacy.
func newSecureMaster(t *testing.T, password string) *master {
	t.Helper()
	f := embedded(t, freeAddress(t), "")
	f.args = []string{"-v3", "-l", "authPriv", "-u", "collector", "-a", "SHA-256", "-A", password, "-x", "AES", "-X", password, "-t", "5", "-r", "0"}
	m := &master{frontEnd: f, socket: "unix:" + filepath.Join(f.dir, "agentx")}
	config := fmt.Sprintf("agentAddress udp:%s\nmaster agentx\nagentXSocket %s\ncreateUser collector SHA-256 %s AES %[3]s\nrwuser collector priv\n",
		f.address, m.socket, password)
	if err := os.WriteFile(filepath.Join(f.dir, "snmpd.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	return m
}

// TestSoak has three meters play traces at their own speed, from pipes that
// give nothing until the meters run their tasks, one of them under snmpd. While
// they do, the manager and snmpd are killed in turn, again and again. In the
// end all that was sent must be in the flow data files, once.
func TestSoak(t *testing.T) {
	length, interval, calm := 35*time.Second, 5*time.Second, 2*time.Second
	if testing.Short() {
		length, interval, calm = 10*time.Second, time.Second, 500*time.Millisecond
	}
	const password = "known-to-collector"
	agent := newSecureMaster(t, password)
	dir := t.TempDir()
	var meters [3]*meterProcess
	var pipes [3]string
	for i := range meters {
		pipes[i] = filepath.Join(dir, fmt.Sprintf("%c.pcap", 'a'+i))
		if err := syscall.Mkfifo(pipes[i], 0o600); err != nil {
			t.Fatal(err)
		}
		under := agent
		if i < 2 {
			under = nil
		}
		meters[i] = startMeter(t, under, "-C", pipes[i], "--pace")
	}
	rules, err := filepath.Abs("manager/testdata/all.srl")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "rtfm.yaml")
	text := fmt.Sprintf(soakConfig, interval, rules, meters[0].address, meters[1].address, agent.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var manager *process
	startManager := func() {
		cmd := exec.Command("rtfm", "manager", "--config", config)
		cmd.Env = append(os.Environ(), "RTFM_WRITE_COMMUNITY=writer", "SOAK_PASSWORD="+password)
		manager = startBeside(t, cmd)
	}
	startManager()
	manager.wait(20*time.Second, func(out string) bool { return strings.Count(out, "task started") == len(meters) })

	var sent [3]map[string]tally
	for i, pipe := range pipes {
		var trace []byte
		trace, sent[i] = soakTrace(uint64(i), length)
		go func() {
			if err := os.WriteFile(pipe, trace, 0); err != nil {
				t.Errorf("sending: %v", err)
			}
		}()
	}
	r := rand.New(rand.NewPCG(2, 2))
	kills := 0
	for end := time.Now().Add(length - 4*calm - interval); time.Now().Before(end); kills++ {
		time.Sleep(calm + time.Duration(r.Int64N(int64(2*calm))))
		victim, start := manager, startManager
		if kills%2 == 1 {
			victim, start = agent.process, agent.start
		}
		victim.signal(syscall.SIGKILL)
		victim.exit(10 * time.Second)
		time.Sleep(time.Duration(r.Int64N(int64(calm))))
		start()
	}
	// The manager may be waiting to try the meter behind snmpd again. Until that
	// has come back it can collect nothing.
	agent.waitFor(flowMIB+".1.8.0", "INTEGER: 1000000")
	for _, m := range meters {
		m.process.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "the traces have ended") })
	}
	manager.signal(syscall.SIGTERM)
	if status := manager.exit(20 * time.Second); status != 0 {
		t.Errorf("the manager's exit status is %d", status)
	}
	for i := range meters {
		got, flows, collections := readTallies(t, filepath.Join(dir, fmt.Sprintf("%c.flows", 'a'+i)))
		var all, counted tally
		for _, want := range sent[i] {
			all = tally{all.packets + want.packets, all.octets + want.octets}
		}
		for _, g := range got {
			counted = tally{counted.packets + g.packets, counted.octets + g.octets}
		}
		t.Logf("meter %c: %v sent in %d conversations, %v counted in %d flows and %d collections, %d kills",
			'a'+i, all, len(sent[i]), counted, flows, collections, kills)
		if !maps.Equal(got, sent[i]) {
			t.Errorf("meter %c: what was counted of each conversation is not what was sent:\n%v\n%v", 'a'+i, got, sent[i])
		}
	}
}
