package manager

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rtfm/ruleset/match"

	controlled "rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/traces/tracetest"
)

// soakConfig has three meters, of which the last is asked through snmpd.
const soakConfig = `
defaults:
  snmp: {community: {file: community}, timeout: 1s, retries: 2}
  owner: soak
  interval: %v
  keepalive: 1s
  tasks: [{rules: all.srl, standby: coarse.rules}]
meters:
  - {name: a, address: "%s"}
  - {name: b, address: "%s"}
  - name: c
    address: "%s"
    snmp:
      user: collector
      auth: {protocol: SHA-256, password: {file: secret}}
      privacy: {protocol: AES-128, password: {file: secret}}
`

// process is a program that can be killed and started again.
type process struct {
	t    *testing.T
	make func() *exec.Cmd
	cmd  *exec.Cmd
	out  logBuffer
}

func startProcess(t *testing.T, make func() *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, make: make}
	p.start()
	t.Cleanup(func() {
		if p.cmd != nil {
			p.kill()
		}
		if t.Failed() {
			t.Logf("%v:\n%s", p.make().Args, p.out.String())
		}
	})
	return p
}

func (p *process) start() {
	p.cmd = p.make()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process at once.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait() // that it was killed is an error
	p.cmd = nil
}

// end asks the process to end and waits until it has.
func (p *process) end() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%v: %v", p.cmd.Args, err)
	}
	p.cmd = nil
}

// soak is three meters with a manager, each of which can be killed.
type soak struct {
	t        *testing.T
	dir      string
	interval time.Duration
	meters   [3]*loopMeter
	manager  *process
	snmpd    *process
}

func startSoak(t *testing.T, interval time.Duration) *soak {
	t.Helper()
	snmpd := tracetest.Require(t, "snmpd")
	s := &soak{t: t, dir: configDir(t), interval: interval}
	write(t, s.dir, "community", "w")
	for i := range s.meters {
		s.meters[i] = startMeter(t, "", 10_000)
	}
	address := tracetest.Address(t, "udp")
	socket := "unix:" + filepath.Join(s.dir, "agentx")
	conf := write(t, s.dir, "snmpd.conf", fmt.Sprintf("agentAddress udp:%s\nmaster agentx\nagentXSocket %s\n"+
		"createUser collector SHA-256 hidden-in-a-file AES hidden-in-a-file\nrwuser collector priv\n", address, socket))
	s.snmpd = startProcess(t, func() *exec.Cmd {
		cmd := exec.Command(snmpd, "-f", "-Lo", "-C", "-c", conf)
		cmd.Env = append(os.Environ(), "SNMPCONFPATH="+s.dir, "SNMP_PERSISTENT_DIR="+filepath.Join(s.dir, "state"), "MIBS=")
		return cmd
	})
	agent, err := agentx.New(agentx.Config{Address: socket, Subtrees: mib.Subtrees()}, s.meters[2].handler)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { agent.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	name := write(t, s.dir, "rtfm.yaml", fmt.Sprintf(soakConfig, interval, s.meters[0].address, s.meters[1].address, address))
	s.manager = startProcess(t, func() *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), managerVariable+"="+name)
		return cmd
	})
	return s
}

// managed waits until a meter has a task.
func (l *loopMeter) managed() {
	l.t.Helper()
	for until := time.Now().Add(30 * time.Second); !l.hasTask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			l.t.Fatalf("nobody manages the meter at %s", l.address)
		}
	}
}

func (l *loopMeter) hasTask() bool { return runsTask(l.meter) }

// runsTask reports whether a meter runs a task.
func runsTask(m *controlled.Meter) (runs bool) {
	m.Do(func() {
		for _, task := range m.Control().Managers.All {
			runs = runs || task.Active
		}
	})
	return runs
}

// file returns the flow data file of a meter.
func (s *soak) file(i int) string { return filepath.Join(s.dir, string(rune('a'+i))+".flows") }

// TestSoak kills the manager and snmpd in turn, again and again, while packets
// come. In the end every packet must be counted, once.
func TestSoak(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("mostly waits")
	}
	interval, length := time.Second, 10*time.Second
	if tracetest.Long() {
		interval, length = 5*time.Second, 2*time.Minute
	}
	s := startSoak(t, interval)
	for _, l := range s.meters {
		l.managed()
	}
	end := time.Now().Add(length)
	var sent [3]int
	var wg sync.WaitGroup
	for i, l := range s.meters {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for time.Now().Before(end) {
				n := 1 + r.IntN(50)
				l.send(fmt.Sprintf("10.0.%d.%d", r.IntN(3), r.IntN(200)), n)
				sent[i] += n
				time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
			}
		})
	}
	r := rand.New(rand.NewPCG(2, 2))
	kills := 0
	for time.Now().Before(end.Add(-interval)) {
		time.Sleep(time.Duration(500+r.IntN(3000)) * time.Millisecond)
		victim := []*process{s.manager, s.snmpd}[kills%2]
		victim.kill()
		time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
		victim.start()
		kills++
	}
	wg.Wait()
	for i := range s.meters { // snmpd may be about to return
		waitForCollections(t, s.file(i), collections(s.file(i))+2)
	}
	s.manager.end()
	for i := range s.meters {
		got := count(t, s.file(i))
		sum := 0
		for _, n := range got.packets {
			sum += n
		}
		t.Logf("meter %c: %d packets sent, %d counted in %d collections, %d kills", 'a'+i, sent[i], sum, len(got.collections), kills)
		if sum != sent[i] || sent[i] == 0 {
			t.Errorf("meter %c: %d packets were sent, %d counted: %v", 'a'+i, sent[i], sum, got.packets)
		}
	}
}

// TestSoakMeters kills meters. What is counted must be what was sent, less what
// came when no meter ran a task and what came after a killed meter's last
// collection. Nothing is sent around the times of collections: only if one takes
// longer than usual is it not certain what is in it.
func TestSoakMeters(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("mostly waits")
	}
	const interval = 2 * time.Second
	lives := 2
	if tracetest.Long() {
		lives = 10
	}
	s := startSoak(t, interval)
	for i, l := range s.meters[:2] {
		var all []sentLife
		r := rand.New(rand.NewPCG(3, uint64(i)))
		for life := range lives {
			if life > 0 {
				l.stop()
				l = startMeter(t, l.address, 10_000)
				s.meters[i] = l
			}
			l.managed()
			sent := sentLife{}
			l.meter.Do(func() { sent.start = l.meter.Start() })
			for until := time.Now().Add(time.Duration(1000+r.IntN(3000)) * time.Millisecond); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
				into := time.Duration(time.Now().UnixNano()) % interval
				if into > interval*3/10 && into < interval*8/10 && l.hasTask() {
					b := burst{before: collections(s.file(i)), packets: 1 + r.IntN(50)}
					l.send(fmt.Sprintf("10.0.0.%d", r.IntN(20)), b.packets)
					b.ended = match.Uptime(time.Now().UnixNano(), sent.start)
					sent.bursts = append(sent.bursts, b)
				}
			}
			// Not while a collection may be under way.
			for into := time.Duration(0); into < interval*3/10 || into > interval*8/10; into = time.Duration(time.Now().UnixNano()) % interval {
				time.Sleep(10 * time.Millisecond)
			}
			all = append(all, sent)
		}
		waitForCollections(t, s.file(i), collections(s.file(i))+2)
		got := count(t, s.file(i))
		least, most := certain(t, all, got.lives)
		sum := 0
		for _, n := range got.packets {
			sum += n
		}
		t.Logf("meter %c: %d to %d packets must be counted, %d are in %d collections", 'a'+i, least, most, sum, len(got.collections))
		if sum < least || sum > most || least == 0 || strings.Count(s.manager.out.String(), "restarted") == 0 {
			t.Errorf("meter %c: %d to %d packets must be counted, %d are: %v", 'a'+i, least, most, sum, got.packets)
		}
	}
}

// sentLife is what was sent to a meter between two of its starts.
type sentLife struct {
	start  int64 // nanoseconds since 1970
	bursts []burst
}

// burst is packets that were sent at once.
type burst struct {
	before  int    // collections in the file by then
	ended   uint64 // Uptime when all were metered
	packets int
}

// certain returns how many packets must be in a file at least, and can be at
// most: those that were metered when a life's last collection began are in it,
// those that were sent when it was in the file are not.
func certain(t *testing.T, all []sentLife, collected map[int64]life) (least, most int) {
	t.Helper()
	collections := 0
	for _, sent := range all {
		l := collected[sent.start/1e9]
		delete(collected, sent.start/1e9)
		collections += l.collections
		for _, b := range sent.bursts {
			if b.before < collections {
				most += b.packets
			}
			if b.ended < l.to {
				least += b.packets
			}
		}
	}
	if len(collected) > 0 {
		t.Errorf("collections of meters that were not there: %v", collected)
	}
	return least, most
}
