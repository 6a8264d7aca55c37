package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// allColumns are the columns of manager/testdata/all.srl.
const allColumns = "FlowRuleSet FlowIndex FirstTime SourcePeerType SourcePeerAddress DestPeerAddress ToPDUs FromPDUs ToOctets FromOctets"

const packetsMetered = extensionMIB + ".1.2.1.0"

// metered returns the number of packets that a meter says it has metered.
func (m *meterProcess) metered() uint64 {
	m.frontEnd.t.Helper()
	_, value, _ := strings.Cut(m.must("snmpget", packetsMetered)[0], "Counter64: ")
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		m.frontEnd.t.Fatal(err)
	}
	return n
}

// flowPackets adds up the packets of all flows in a flow data file of
// manager/testdata/all.srl, for each run of the meter.
func flowPackets(t *testing.T, path string) (sums []uint64) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var last map[string]uint64
	start := ""
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "##"):
			if _, at, _ := strings.Cut(line, " starting at "); at != start {
				start, last = at, make(map[string]uint64)
				sums = append(sums, 0)
			}
		case len(fields) == 10 && line[0] != '#':
			to, _ := strconv.ParseUint(fields[6], 10, 64)
			from, _ := strconv.ParseUint(fields[7], 10, 64)
			key := strings.Join(fields[:3], " ")
			sums[len(sums)-1] += to + from - last[key]
			last[key] = to + from
		}
	}
	return sums
}

// TestMeterEnds tells a meter under traffic to end, and starts it again, while its
// manager and a reader have nothing else to do for an hour: all that the meter has
// counted is in their files, and it gets its ruleset again.
func TestMeterEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	address := tracetest.Address(t, "udp")
	start := func() *meterProcess { return startMeterAt(t, address, nil, "-C", pipe, "--pace", "--grace", "60") }
	m := start()
	flows, read := filepath.Join(dir, "flows"), filepath.Join(dir, "read")
	env := append(os.Environ(), "RTFM_COMMUNITY=writer")
	_, port, _ := strings.Cut(address, ":")
	config := filepath.Join(dir, "rtfm.yaml")
	rules, err := filepath.Abs("manager/testdata/all.srl")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("meters: [{name: m, address: %q, snmp: {community: {env: RTFM_COMMUNITY}}, interval: 24h, keepalive: 24h, output: %q, tasks: [{rules: %q}]}]\n",
		address, flows, rules)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *process {
		cmd := exec.Command("rtfm", args...)
		cmd.Env = env
		return startBeside(t, cmd)
	}
	manager := command("manager", "--config", config)
	has := func(text string, n int) func(string) bool {
		return func(printed string) bool { return strings.Count(printed, text) >= n }
	}
	const patience = 20 * time.Second
	manager.wait(patience, has("task started", 1))
	reader := command("reader", "-c", "86400", "--format", allColumns, "-m", port, "-F", read, "127.0.0.1")
	for run := range 2 {
		trace, _ := soakTrace(uint64(run+1), time.Duration(run)*time.Hour, time.Minute)
		go os.WriteFile(pipe, trace, 0) // the meter ends in the middle
		for m.metered() < 200 {
			time.Sleep(10 * time.Millisecond)
		}
		m.signal(syscall.SIGTERM)
		m.process.wait(patience, has("flows can still be read", 1))
		manager.wait(patience, has("the meter is about to end", run+1))
		reader.wait(patience, has("the meter is about to end", run+1))
		all := m.metered()
		for _, file := range []string{flows, read} {
			if got := flowPackets(t, file); len(got) != run+1 || got[run] != all {
				t.Errorf("run %d: %s has %v packets, the meter has counted %d", run, filepath.Base(file), got, all)
			}
		}
		m.signalAgain(syscall.SIGTERM, patience)
		if run == 0 {
			m = start()
			manager.wait(patience, has("task started", 2))
		}
	}
}

// TestEndsWithAll: what a meter has read ahead of a trace, to find out whether the
// times in it are right, is metered when it is told to end.
func TestEndsWithAll(t *testing.T) {
	t.Parallel()
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(1000, 53)
	packets := tracetest.Packets(slices.Repeat([]tracetest.Frame{frame}, 300)...)
	for i := 250; i < len(packets); i++ { // too few to tell whether the first of them is an outlier
		packets[i].Time += 2 * time.Hour.Nanoseconds()
	}
	trace := tracetest.PCAP(tracetest.PCAPOptions{}, packets...)
	m := startMeterAt(t, tracetest.Address(t, "udp"), nil, "--grace", "60", endlessPipe(t, string(trace)))
	m.process.waitToRest()
	m.process.signal(syscall.SIGTERM)
	m.process.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "flows can still be read") })
	if got := m.metered(); got != uint64(len(packets)) {
		t.Errorf("%d packets were metered, want %d", got, len(packets))
	}
}
