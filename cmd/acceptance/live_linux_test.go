package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// startLive starts rtfm with these arguments, to capture at this many rings.
func startLive(t *testing.T, rings int, args ...string) *process {
	t.Helper()
	cmd := exec.Command("rtfm", args...)
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=public")
	p := startBeside(t, cmd)
	p.waitToCapture(rings)
	return p
}

// accepting matches a packet socket's filter that takes octets of each packet: it
// is set last, so that the ring takes none before it is all that it should be.
var accepting = regexp.MustCompile(`bpf filter \(1\): +0x06 0 0 [1-9]`)

// waitToCapture waits until the program captures at this many rings.
func (p *process) waitToCapture(rings int) {
	p.t.Helper()
	ss := tracetest.Require(p.t, "ss")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		sockets := tracetest.Run(p.t, ss+" -0nb")
		if len(accepting.FindAllString(sockets, -1)) >= rings {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%q does not capture; packet sockets:\n%s%s", p.cmd.Args, sockets, p.printed())
		}
	}
}

// endLive ends the program orderly.
func (p *process) endLive() {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	if status := p.exit(20 * time.Second); status != 0 {
		p.t.Errorf("exit status %d", status)
	}
}

// onlyFlows returns the flow records of a flow data file.
func onlyFlows(t *testing.T, text string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// numberIn returns the number that stands for a group of the expression.
func numberIn(t testing.TB, expression, text string) int {
	t.Helper()
	m := regexp.MustCompile(expression).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %s", expression, text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// received returns how many packets an interface has received, as the kernel
// counts.
func received(t *testing.T, name string) int {
	t.Helper()
	return numberIn(t, `(?s)RX:.*?\n\s*\d+\s+(\d+)`, tracetest.Run(t, "ip -s link show "+name))
}

// writeMix writes a trace of n packets.
func writeMix(t *testing.T, n int) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "mix.pcap")
	if err := os.WriteFile(path, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, tracetest.Mix(n)...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestLiveIsTrace replays a trace at an interface: metering there gives the
// flows that metering the trace gives, with several rings too.
func TestLiveIsTrace(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	trace := writeMix(t, 20_000)
	rules := []string{
		"-r", "ruleset/examples/all-flows.srl", "--format",
		"FlowIndex SourcePeerType SourcePeerAddress DestPeerAddress SourceTransType SourceTransAddress DestTransAddress ToPDUs FromPDUs ToOctets FromOctets",
	}
	out, err := exec.Command("rtfm", append([]string{"run", "-q", trace}, rules...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := onlyFlows(t, string(out))
	for _, rings := range []int{1, 3} {
		tracetest.Network(t)
		file := filepath.Join(t.TempDir(), "flows")
		p := startLive(t, rings, append([]string{"run", "-i", "eb", "--rings", fmt.Sprint(rings), "-F", file}, rules...)...)
		tracetest.Run(t, "tcpreplay -q -i ea --pps 20000 "+trace)
		p.endLive()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := onlyFlows(t, string(text)); !slices.Equal(got, want) {
			t.Errorf("%d rings: %d flows, want these %d:\n%s\nnot\n%s", rings, len(got), len(want), strings.Join(want, ""), strings.Join(got, ""))
		}
		if n := numberIn(t, `(?m)^(\d+) packets?, .* 0 lost$`, p.printed()); n != 20_000 {
			t.Errorf("%d rings: %d packets, want 20000", rings, n)
		}
	}
}

// TestLiveStamps: the flow data tells which clock has stamped how many packets.
func TestLiveStamps(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	tracetest.Network(t)
	trace := writeMix(t, 1000)
	file := filepath.Join(t.TempDir(), "flows")
	p := startLive(t, 1, "run", "-i", "eb", "--json", "-F", file)
	tracetest.Run(t, "tcpreplay -q -i ea --pps 20000 "+trace)
	p.endLive()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	numberIn(t, `"stamped-kernel-eb":(1000)\b`, string(text))
	numberIn(t, `"clock-synchronised":([01])\b`, string(text))
	numberIn(t, `(?m)^(1000) packets at eb have their times from the kernel$`, p.printed())
}

// TestLiveKills kills the sender, the interface and the meter, one after the
// other. What was received is counted all the same.
func TestLiveKills(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	tracetest.Network(t)
	trace := writeMix(t, 1000)
	file := filepath.Join(t.TempDir(), "flows")
	p := startLive(t, 1, "run", "-i", "eb", "-T", "1", "-F", file)

	sender := startBeside(t, exec.Command(tracetest.Require(t, "tcpreplay"), "-q", "-i", "ea", "--pps", "5000", "--loop", "0", trace))
	for deadline := time.Now().Add(20 * time.Second); received(t, "eb") < 100; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the sender does not send")
		}
	}
	sender.signal(syscall.SIGKILL)
	<-sender.ended
	total := received(t, "eb")

	tracetest.Run(t, "ip link del eb")
	p.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "eb is gone") })
	tracetest.Join(t)
	p.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "eb is captured again") })
	tracetest.Run(t, "tcpreplay -q -i ea --pps 5000 "+trace)
	total += 1000

	// Collections go on without packets, and killing the meter costs what came
	// since the latest.
	collections := func() int {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "#EndData")
	}
	enough := collections() + 3
	p.wait(20*time.Second, func(string) bool { return collections() >= enough })
	p.wait(20*time.Second, func(string) bool { return countedIn(t, file) >= total }) // if the meter is late
	p.signal(syscall.SIGKILL)
	p.exit(20 * time.Second)
	if sum := countedIn(t, file); sum != total {
		t.Errorf("%d packets counted, want %d", sum, total)
	}

	// The next one has nothing in its way.
	p = startLive(t, 1, "run", "-i", "eb", "-F", filepath.Join(t.TempDir(), "again"))
	tracetest.Run(t, "tcpreplay -q -i ea --pps 5000 "+trace)
	p.endLive()
	numberIn(t, `(?m)^(1000) packets, .* 0 lost$`, p.printed())
}

// countedIn returns how many packets the flows of a flow data file have counted,
// as far as whole collections tell.
func countedIn(t *testing.T, file string) (sum int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text[:max(0, bytes.LastIndex(text, []byte("#EndData")))])
	counted := map[string]int{} // by flow
	for _, line := range onlyFlows(t, whole) {
		f := strings.Fields(line)
		to, err := strconv.Atoi(f[5])
		if err != nil {
			t.Fatal(err)
		}
		counted[f[1]] = to
	}
	for _, n := range counted {
		sum += n
	}
	return sum
}

// rights returns the status of a thread of a process that has capabilities, ""
// if none has.
func rights(t *testing.T, pid int) string {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("threads %v, %v", threads, err)
	}
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if err == nil && !strings.Contains(string(status), "\nCapPrm:\t0000000000000000\n") {
			return string(status)
		}
	}
	return ""
}

// TestLiveRights wants no rights left once the interface is captured, and it to
// be captured again without them when it has vanished and come back.
func TestLiveRights(t *testing.T) {
	for _, user := range []string{"", "nobody"} {
		tracetest.Network(t)
		dir := t.TempDir()
		args := []string{"run", "-i", "eb"}
		if user != "" {
			_, dir = anotherUser(t) // who makes the file
			args = append(args, "--user", user)
		}
		args = append(args, "-F", filepath.Join(dir, "flows"))
		p := startLive(t, 1, args...)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			has := rights(t, p.cmd.Process.Pid)
			if has == "" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("user %q: %s", user, has)
			}
		}
		tracetest.Run(t, "ip link del eb")
		p.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "eb is gone") })
		tracetest.Join(t)
		p.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "eb is captured again") })
		tracetest.NewSender(t, "ea").Send(tracetest.Mix(1)[0].Data)
		p.endLive()
		if n := numberIn(t, `(?m)^(\d+) packets?, `, p.printed()); n != 1 {
			t.Errorf("user %q: %d packets, want 1", user, n)
		}
	}
}

// TestLiveOverload stops the meter while more comes than its ring holds, then
// keeps it busy: what it lost is known, by interface, and it answers.
func TestLiveOverload(t *testing.T) {
	t.Parallel()
	tracetest.Require(t, "snmpget")
	tracetest.Network(t)
	p := startLive(t, 2, "meter", "-i", "lo,eb", "--ring-size", "4", "--snap-length", "65535")
	index := tracetest.Index(t, "eb")
	objects := func(names ...string) string {
		t.Helper()
		args := []string{"-v2c", "-c", "public", "-On", "-t", "20", "-r", "0", "127.0.0.1:1161"}
		for _, name := range names {
			args = append(args, fmt.Sprintf(name, index))
		}
		cmd := exec.Command("snmpget", args...)
		cmd.Env = append(netSNMPEnviron(t, t.TempDir()), "MIBS=")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("snmpget: %v\n%s", err, out)
		}
		return string(out)
	}
	const (
		lostObject    = flowMIB + ".1.2.1.2.%d"
		packetsObject = extensionMIB + ".1.4.1.1.%d"
	)
	p.wait(20*time.Second, func(string) bool {
		return strings.Contains(objects(lostObject), "Counter32: 0")
	})

	p.signal(syscall.SIGSTOP)
	sender := tracetest.NewSender(t, "ea")
	var frames [][]byte
	for _, packet := range tracetest.Mix(1000) {
		frames = append(frames, packet.Data)
	}
	for range 30 {
		sender.Send(frames...)
	}
	p.signal(syscall.SIGCONT)
	lost := 0
	p.wait(20*time.Second, func(string) bool {
		got := objects(lostObject, packetsObject)
		lost = numberIn(t, `Counter32: (\d+)`, got)
		return lost+numberIn(t, `Counter64: (\d+)`, got) == 30_000
	})
	if lost < 10_000 {
		t.Errorf("%d of 30000 packets lost in a ring of 4 MiB", lost)
	}
	p.wait(20*time.Second, func(printed string) bool {
		return regexp.MustCompile(fmt.Sprintf(`packets lost" interface=%d packets=\d+`, index)).MatchString(printed)
	})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				sender.Send(frames...)
			}
		}
	}()
	metered := func() int { return numberIn(t, `Counter64: (\d+)`, objects(packetsObject)) }
	for before, answers := metered(), 0; answers < 20 || metered() == before; answers++ { // the sender may have to wait for its turn
		if answers == 1000 {
			t.Fatal("no packet is metered meanwhile")
		}
		objects(lostObject)
	}
	close(stop)
	<-stopped
	p.signalAgain(syscall.SIGTERM, 20*time.Second) // not only for its grace
}

// TestLiveCookbook replays the provider's trace at an interface, where the cookbook's
// command meters: each host has sent and received what tshark finds in the trace. The
// packets are replayed as they are in the trace, cut short.
func TestLiveCookbook(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	const question = "What is going on now?"
	args := strings.Fields(limit.ReplaceAllString(strings.Replace(recipe(t, question), "eth0", "eb", 1), ""))
	want := map[string]int{}
	for _, p := range dissect(t) {
		want[p.from] += p.captured
		want[p.to] += p.captured
	}
	trace := filepath.Join(t.TempDir(), "provider.pcap")
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Provider()...), 0o600); err != nil {
		t.Fatal(err)
	}
	tracetest.Network(t)
	file := filepath.Join(t.TempDir(), "hosts.csv")
	p := startLive(t, 1, append(args[1:], "--csv", "-F", file)...)
	tracetest.Run(t, "tcpreplay -q -i ea --pps 20000 "+trace)
	p.endLive()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, row := range csvRows(t, string(text)) {
		got[row["Host"]] += number(t, row, "Octets")
	}
	isTrue(t, question, got, want)
}
