package acceptance

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// topPrinted returns the intervals that a `rtfm top --json` has printed.
func topPrinted(t *testing.T, p *process) (lines []string) {
	t.Helper()
	for line := range strings.Lines(p.printed()) {
		if strings.HasPrefix(line, `{"schema":1,`) && strings.HasSuffix(line, "}\n") {
			lines = append(lines, line)
		}
	}
	return lines
}

// topPackets returns how many packets and octets those intervals have.
func topPackets(t *testing.T, p *process) (packets, octets int) {
	t.Helper()
	sums, _ := shownSums(t, strings.NewReader(strings.Join(topPrinted(t, p), "")))
	for _, sum := range sums {
		packets += int(sum[0] + sum[1])
		octets += int(sum[2] + sum[3])
	}
	return packets, octets
}

// TestTopLive replays a trace at an interface of which three watch: rtfm top itself,
// one that reads a meter there over SNMP, and tcpdump. All see every packet, and in each
// interval as many as tcpdump, within 1 %.
func TestTopLive(t *testing.T) {
	tracetest.Require(t, "tcpreplay")
	tcpdump, tshark := tracetest.Require(t, "tcpdump"), tracetest.Require(t, "tshark")
	trace := writeMix(t, 20_000)
	tracetest.Network(t)
	dumped := filepath.Join(t.TempDir(), "dumped.pcap")
	runBeside(t, exec.Command(tcpdump, "-i", "eb", "-B", "65536", "-s", "64", "-w", dumped, "-U"),
		func(out string) bool { return strings.Contains(out, "listening on eb") }, 20*time.Second)
	address := tracetest.Address(t, "udp")
	startLive(t, 2, "meter", "-i", "eb", "--snmp", address)
	top := startLive(t, 3, "top", "--json", "-i", "eb", "-T", "0.5", "-r", "@conversations")
	noCapabilities(t, top)
	remote := exec.Command("rtfm", "top", "--json", "-T", "0.5", address)
	remote.Env = append(os.Environ(), "RTFM_COMMUNITY=public") // which cannot write
	host := startBeside(t, remote)

	tracetest.Run(t, "tcpreplay -q -i ea --pps 12000 "+trace)
	sent := received(t, "eb")
	for _, p := range []*process{top, host} {
		deadline := time.Now().Add(20 * time.Second)
		for n := 0; n != sent; n, _ = topPackets(t, p) {
			if time.Now().After(deadline) {
				t.Fatalf("%q: %d packets, want %d", p.cmd.Args, n, sent)
			}
			time.Sleep(50 * time.Millisecond)
		}
		p.endLive()
	}
	// Packets and octets by tcpdump, in each interval that top has shown.
	var fields string
	for deadline := time.Now().Add(20 * time.Second); strings.Count(fields, "\n") != sent; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("tcpdump has %d packets, want %d", strings.Count(fields, "\n"), sent)
		}
		// It may be in the midst of writing one.
		fields = tracetest.Run(t, "{ "+tshark+" -r "+dumped+" -T fields -e frame.time_epoch -e frame.len 2>&1 || :; } | grep '^[0-9.]*[[:space:]][0-9]*$'")
	}
	compareDumped(t, topPrinted(t, top), fields)
}

// compareDumped compares intervals with what tshark tells of the packets of a trace.
func compareDumped(t *testing.T, lines []string, fields string) {
	t.Helper()
	compared := 0
	for _, line := range lines {
		var from, to float64
		head := strings.Split(line, `"`)
		at := func(name string) float64 {
			for i := range head {
				if head[i] == name {
					n, _ := strconv.ParseFloat(head[i+2], 64)
					return n / 1e9
				}
			}
			return 0
		}
		from, to = at("from"), at("to")
		sums, _ := shownSums(t, strings.NewReader(line))
		var packets, octets float64
		for _, sum := range sums {
			packets += float64(sum[0] + sum[1])
			octets += float64(sum[2] + sum[3])
		}
		var dumpedPackets, dumpedOctets float64
		for field := range strings.Lines(fields) {
			var when, length float64
			if _, err := fmt.Sscan(field, &when, &length); err == nil && when >= from && when < to {
				dumpedPackets++
				dumpedOctets += length
			}
		}
		if dumpedPackets < 1000 {
			continue
		}
		compared++
		if math.Abs(packets-dumpedPackets) > dumpedPackets/100 || math.Abs(octets-dumpedOctets) > dumpedOctets/100 {
			t.Errorf("%.1f to %.1f: %v packets, %v octets; tcpdump has %v, %v", from, to, packets, octets, dumpedPackets, dumpedOctets)
		}
	}
	if compared < 2 {
		t.Errorf("%d intervals have packets", compared)
	}
}

// noCapabilities waits until no thread of a process has any.
func noCapabilities(t *testing.T, p *process) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.cmd.Process.Pid))
		if err != nil || len(threads) == 0 {
			t.Fatal(err, " no threads")
		}
		some := ""
		for _, path := range threads {
			status, _ := os.ReadFile(path)
			if len(status) > 0 && !strings.Contains(string(status), "\nCapEff:\t0000000000000000\n") {
				some = string(status)
			}
		}
		if some == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(some)
		}
	}
}

// TestTopAway ends a meter that is watched, and starts another at its place: both are
// told, and what the second one counts is added to nothing.
func TestTopAway(t *testing.T) {
	t.Parallel()
	address := tracetest.Address(t, "udp")
	start := func() *process {
		cmd := exec.Command("rtfm", "meter", "--snmp", address, "-C", "traces/testdata/sample.pcap", "--grace", "60")
		cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=public")
		return runBeside(t, cmd, func(out string) bool { return strings.Contains(out, "the traces have ended") }, 20*time.Second)
	}
	meter := start()
	cmd := exec.Command("rtfm", "top", "--json", "-T", "0.2", "--timeout", "0.2", "--retries", "0", address)
	cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=public")
	top := startBeside(t, cmd)
	counted := func(n int) func(string) bool {
		return func(string) bool {
			packets, _ := topPackets(t, top)
			return packets == n
		}
	}
	top.wait(20*time.Second, counted(2028))
	meter.signal(syscall.SIGKILL)
	top.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "rtfm: ") })
	start()
	top.wait(20*time.Second, counted(2*2028))
	top.wait(20*time.Second, func(out string) bool { return strings.Contains(out, "its counters began anew") })
	top.endLive()
}
