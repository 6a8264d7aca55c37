package acceptance

import (
	"errors"
	"fmt"
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
  snmp: {community: {env: RTFM_WRITE_COMMUNITY}, timeout: 1s, retries: 2}
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

func (t tally) plus(o tally) tally { return tally{t.packets + o.packets, t.octets + o.octets} }

// life is one run of a meter: what it was sent, or what was collected from it.
type life struct {
	start string // when its first packet came, as a header of flow data tells it
	// What was sent: packets by conversation, in order.
	sent map[string][]sentPacket
	// What was collected: the sums by conversation, up to the Uptime in
	// centiseconds at which the last collection ended.
	counted     map[string]tally
	to          int64
	collections int
	last        map[[3]string]tally // by flow
}

// sentPacket is a packet that came at this Uptime, in centiseconds.
type sentPacket struct {
	at     int64
	octets uint64
}

// soakTrace makes a trace of a length that begins so long after others, 400
// packets a second: half of them of conversations that last, half of such that
// come and go. Each conversation has an address below 10.0.0.0/8 of its own.
func soakTrace(seed uint64, later, length time.Duration) (trace []byte, sent *life) {
	const (
		spacing = time.Second / 400
		lasting = 60
		brief   = 20 // conversations a second, of half a second each
	)
	r := rand.New(rand.NewPCG(2722, seed))
	sent = &life{
		start: time.Unix(0, tracetest.Start+int64(later)).UTC().Format("15:04:05 Mon 2 Jan 2006"),
		sent:  make(map[string][]sentPacket),
	}
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
		p.Time += int64(later + at)
		packets = append(packets, p)
		sent.sent[client] = append(sent.sent[client], sentPacket{int64(at / (10 * time.Millisecond)), uint64(p.Wire)})
	}
	return tracetest.PCAP(tracetest.PCAPOptions{}, packets...), sent
}

// readLives reads a flow data file, by position of its columns: what the last
// record of each flow tells, for each run of the meter and each address below
// 10.0.0.0/8. It wants each collection whole, and no flow to go back.
func readLives(t *testing.T, path string) (lives map[string]*life) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lives = make(map[string]*life)
	var l *life
	inside := false // of a collection
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "##NeTraMet"):
			_, start, _ := strings.Cut(line, " starting at ")
			if l = lives[start]; l == nil {
				l = &life{start: start, counted: make(map[string]tally), last: make(map[[3]string]tally)}
				lives[start] = l
			}
			continue
		case strings.HasPrefix(line, "#Time"), strings.HasPrefix(line, "#EndData"):
			begins := strings.HasPrefix(line, "#Time")
			if begins == inside {
				t.Fatalf("%s:%d: a collection is not complete", path, i+1)
			}
			if inside = begins; begins {
				l.collections++
				if l.to, err = strconv.ParseInt(fields[len(fields)-1], 10, 64); err != nil {
					t.Fatalf("%s:%d: %v", path, i+1, err)
				}
			}
			continue
		case strings.HasPrefix(line, "#"):
			continue
		}
		// FlowRuleSet FlowIndex FirstTime SourcePeerType SourcePeerAddress
		// DestPeerAddress ToPDUs FromPDUs ToOctets FromOctets
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
		before, now := l.last[flow], tally{counts[0] + counts[1], counts[2] + counts[3]}
		if now.packets < before.packets || now.octets < before.octets {
			t.Errorf("%s:%d: flow %v went back from %v to %v", path, i+1, flow, before, now)
		}
		l.last[flow] = now
		l.counted[client] = l.counted[client].plus(tally{now.packets - before.packets, now.octets - before.octets})
	}
	if inside {
		t.Errorf("%s: the last collection is not complete", path)
	}
	return lives
}

// check compares what was collected from a run of a meter, nil if nothing was,
// with what it was sent. Of each conversation that is the packets up to some
// point: in a run that was killed at least those that came before its last
// collection ended, else all. It returns the packets that were sent, and how
// many of them were counted, and had to be.
func (sent *life) check(t *testing.T, got *life, killed bool) (all, counted, due uint64) {
	t.Helper()
	if got == nil {
		got = new(life)
	}
	for client := range got.counted {
		if sent.sent[client] == nil {
			t.Errorf("started at %s: nothing was sent of %s", sent.start, client)
		}
	}
	for client, packets := range sent.sent {
		want := got.counted[client]
		var sum tally
		reached := want == sum
		for _, p := range packets {
			if !killed || p.at < got.to {
				due++
				reached = false
			}
			if sum = sum.plus(tally{1, p.octets}); sum == want {
				reached = true
			}
		}
		if !reached {
			t.Errorf("started at %s, collected up to %d: %s has %v, of packets %v", sent.start, got.to, client, want, packets)
		}
		all += sum.packets
		counted += want.packets
	}
	return all, counted, due
}

// newSecureMaster starts snmpd with SNMPv3 only: its user is "collector", with
// one password for authentication and privacy. More lines can follow in its
// configuration.
func newSecureMaster(t *testing.T, password string, lines ...string) *master {
	t.Helper()
	f := embedded(t, tracetest.Address(t, "udp"), "")
	f.args = []string{"-v3", "-l", "authPriv", "-u", "collector", "-a", "SHA-256", "-A", password, "-x", "AES", "-X", password, "-t", "20", "-r", "0"}
	m := &master{frontEnd: f, socket: "unix:" + filepath.Join(f.dir, "agentx")}
	config := fmt.Sprintf("agentAddress udp:%s\nmaster agentx\nagentXSocket %s\ncreateUser collector SHA-256 %s AES %[3]s\nrwuser collector priv\n",
		f.address, m.socket, password)
	config += strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(f.dir, "snmpd.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start()
	return m
}

// soakMeter is a meter of the soak. It plays traces at their own speed, from a
// pipe that gives nothing until a manager has come.
type soakMeter struct {
	*meterProcess
	t       *testing.T
	name    string
	pipe    string
	number  int
	under   *master
	lives   []*life
	sending chan struct{} // closed when nothing more is sent
}

// start runs the meter, again.
func (m *soakMeter) start(address string) {
	m.meterProcess = startMeterAt(m.t, address, m.under, "-C", m.pipe, "--pace")
}

// feed sends the meter a trace once its task runs.
func (m *soakMeter) feed(length time.Duration) {
	const most = 20 // lives of a meter
	m.waitFor(flowMIB+".1.4.1.8.1", "INTEGER: 1")
	trace, sent := soakTrace(uint64(most*m.number+len(m.lives)), time.Duration(len(m.lives))*time.Hour, length)
	m.lives = append(m.lives, sent)
	m.sending = make(chan struct{})
	go func() {
		defer close(m.sending)
		if err := os.WriteFile(m.pipe, trace, 0); err != nil && !errors.Is(err, syscall.EPIPE) {
			m.t.Errorf("sending: %v", err)
		}
	}()
}

// TestSoak has three meters play traces, one of them under snmpd. While they do,
// the manager, snmpd and two of the meters are killed in turn, again and again.
// In the end all that was sent to a meter's last run must be in the flow data
// files, once; and of what was sent to one that was killed, all that came up to
// its last collection.
func TestSoak(t *testing.T) {
	t.Parallel()
	length, interval, calm := 15*time.Second, time.Second, 500*time.Millisecond
	if tracetest.Long() {
		length, interval, calm = 60*time.Second, 5*time.Second, 2*time.Second
	}
	const password = "known-to-collector"
	agent := newSecureMaster(t, password)
	dir := t.TempDir()
	var meters [3]*soakMeter
	for i := range meters {
		m := &soakMeter{t: t, name: string(rune('a' + i)), number: i}
		m.pipe = filepath.Join(dir, m.name+".pcap")
		if err := syscall.Mkfifo(m.pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			m.under = agent
		}
		m.start(tracetest.Address(t, "udp"))
		meters[i] = m
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
	ends := time.Now().Add(length)
	for _, m := range meters {
		m.feed(time.Until(ends))
	}
	r := rand.New(rand.NewPCG(2, 2))
	pause := func(most time.Duration) { time.Sleep(time.Duration(r.Int64N(int64(most)))) }
	kill := func(p *process) {
		p.signal(syscall.SIGKILL)
		p.exit(10 * time.Second)
		pause(calm)
	}
	kills := 0
	for ; time.Until(ends) > 4*calm+interval; kills++ {
		time.Sleep(calm)
		pause(2 * calm)
		switch kills % 4 {
		case 0:
			kill(manager)
			startManager()
		case 2:
			kill(agent.process)
			agent.start()
		default:
			m := meters[1+kills%4/2]
			kill(m.process)
			<-m.sending
			m.start(m.address)
			m.feed(time.Until(ends))
		}
	}
	// The manager may be waiting to try the meter behind snmpd again. Until that
	// has come back it can collect nothing.
	agent.waitFor(flowMIB+".1.8.0", "INTEGER: 1000000")
	for _, m := range meters {
		m.waitForEnd()
	}
	manager.signal(syscall.SIGTERM)
	if status := manager.exit(20 * time.Second); status != 0 {
		t.Errorf("the manager's exit status is %d", status)
	}
	t.Logf("%d kills", kills)
	for _, m := range meters {
		got := readLives(t, filepath.Join(dir, m.name+".flows"))
		for i, sent := range m.lives {
			g := got[sent.start]
			delete(got, sent.start)
			all, counted, due := sent.check(t, g, i < len(m.lives)-1)
			t.Logf("meter %s, run %d: %d packets sent of %d conversations, %d counted, of which %d had to be",
				m.name, i+1, all, len(sent.sent), counted, due)
		}
		for start := range got {
			t.Errorf("meter %s: flows of a run that started at %s", m.name, start)
		}
	}
}
