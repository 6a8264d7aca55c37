package acceptance

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/ipfix"
	"rtfm/traces/tracetest"
)

// ipfixRules are of the 5-tuples of IP, which are what collectors know flows by.
const ipfixRules = `if SourcePeerType == (ipv4, ipv6) save; else ignore;
save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;
format SourceTransType " " SourcePeerAddress " " SourceTransAddress " " DestPeerAddress " " DestTransAddress " " ToPDUs " " ToOctets " " FromPDUs " " FromOctets;`

// TestIPFIX exports the flows of the sample trace in five collections. What nfdump,
// pmacct, tshark, ipfixDump and rtfm itself read of that must be what was metered.
func TestIPFIX(t *testing.T) {
	t.Parallel()
	rules := writeRules(t, ipfixRules)
	metered := meteredFlows(t, "-r", rules, sampleTrace)
	want := oneWays(true, metered)
	var sum [2]uint64
	for _, v := range want {
		var n [2]uint64
		fmt.Sscanf(v, "%d/%d", &n[0], &n[1])
		sum[0] += n[0]
		sum[1] += n[1]
	}
	if sum != [2]uint64{2010, 641250} {
		t.Fatalf("%d packets and octets were metered", sum)
	}
	for _, biflow := range []string{"split", "rfc5103"} {
		t.Run(biflow, func(t *testing.T) {
			datagrams := ipfixSent(t, rules, "?biflow="+biflow)
			trace := exportsTrace(t, datagrams)
			if got := meteredFlows(t, "-r", rules, "netflow:"+trace); !maps.Equal(oneWays(true, got), want) {
				t.Errorf("rtfm:\n%s", differentFlows(oneWays(true, got), want))
			}
			if got := exportSum(t, trace); [2]uint64(got[1:]) != sum {
				t.Errorf("rtfm trace info: %d, want %d packets and octets", got[1:], sum)
			}
			if got, _ := dumped(t, tracetest.Require(t, "nfdump"), collected(t, tracetest.Require(t, "nfcapd"), datagrams), true); !maps.Equal(got, want) {
				t.Errorf("nfdump:\n%s", differentFlows(got, want))
			}
			if got := tsharkSum(t, trace); got != sum {
				t.Errorf("tshark: %d, want %d packets and octets", got, sum)
			}
			if got := ipfixDumpSum(t, bytes.Join(datagrams, nil)); got != sum {
				t.Errorf("ipfixDump: %d, want %d packets and octets", got, sum)
			}
			// It reads one direction only of records of both, and does not say so.
			got := pmacctSum(t, datagrams)
			t.Logf("pmacct: %d of %d packets and octets", got, sum)
			if (got == sum) != (biflow == "split") || got[0] < 1000 {
				t.Errorf("pmacct: %d of %d packets and octets", got, sum)
			}
		})
	}
}

// TestIPFIXKinds exports flows that save less than a 5-tuple, which rtfm meters back to
// the same, and whose packets tshark and nfdump count.
func TestIPFIXKinds(t *testing.T) {
	t.Parallel()
	const counts = ` ToPDUs " " ToOctets " " FromPDUs " " FromOctets;`
	for _, rules := range []string{
		`if SourcePeerType == (ipv4, ipv6) save; else ignore; save SourcePeerAddress/24; save DestPeerAddress/24; save SourceTransType; count;
			format SourceTransType " " SourcePeerAddress " " DestPeerAddress " "` + counts,
		`if SourcePeerType == (ipv4, ipv6) save; else ignore; save SourcePeerType; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;
			format SourceTransType " " SourcePeerType " " SourceTransAddress " " DestTransAddress " "` + counts,
		`save SourceAdjacentAddress; save DestAdjacentAddress; count; format SourceAdjacentAddress " " DestAdjacentAddress " "` + counts,
	} {
		path := writeRules(t, rules)
		want := meteredLines(t, path, sampleTrace)
		datagrams := ipfixSent(t, path, "?biflow=split")
		trace := exportsTrace(t, datagrams)
		if got := meteredLines(t, path, "netflow:"+trace); len(want) < 4 || !maps.Equal(got, want) {
			t.Errorf("%s\n%d flows, want %d:\n%s", rules, len(got), len(want), differentFlows(got, want))
		}
		sum := tsharkSum(t, trace)
		if own := exportSum(t, trace); [2]uint64(own[1:]) != sum || sum[0] < 2010 {
			t.Errorf("%s\ntshark: %d, want %d packets and octets", rules, sum, own[1:])
		}
		if _, own := dumped(t, tracetest.Require(t, "nfdump"), collected(t, tracetest.Require(t, "nfcapd"), datagrams), true); [2]uint64(own[1:]) != sum {
			t.Errorf("%s\nnfdump: %d, want %d packets and octets", rules, own[1:], sum)
		}
	}
}

// meteredLines returns what flows of a trace have counted, by what rules save of them.
func meteredLines(t *testing.T, rules, trace string) map[string]string {
	var out, stderr strings.Builder
	if status := runMain([]string{"run", "-q", "--nemac", "-r", rules, trace}, nil, &out, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	lines := make(map[string]string)
	for line := range strings.Lines(out.String()) {
		if line[0] != '#' {
			f := strings.Fields(line)
			lines[strings.Join(f[:len(f)-4], " ")] = strings.Join(f[len(f)-4:], " ")
		}
	}
	return lines
}

// writeRules returns the path of a ruleset.
func writeRules(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "rules.srl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ipfixSent returns the datagrams that the sample trace's flows are exported in.
func ipfixSent(t *testing.T, rules, options string, args ...string) [][]byte {
	return sent(t, func(to *net.UDPAddr) []string {
		return append([]string{"rtfm", "run", "-q", "-T", "60", "-r", rules, "--spool", filepath.Join(t.TempDir(), "spool"),
			"--export", "ipfix://" + to.String() + options, sampleTrace}, args...)
	})
}

// tsharkSum returns the packets and octets that tshark finds in a trace of datagrams.
func tsharkSum(t *testing.T, trace string) (sum [2]uint64) {
	out, err := exec.Command(tracetest.Require(t, "tshark"), "-r", trace, "-V", "-O", "cflow").Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "Malformed") || strings.Contains(string(out), "No template found") {
		t.Error("tshark finds a fault")
	}
	return sumOf(string(out), `(?m)^ +(?:Rev)?Packets: (\d+)`, `(?m)^ +(?:Rev)?Octets: (\d+)`)
}

// ipfixDumpSum returns the packets and octets that ipfixDump finds in messages. It tells
// of templates and of sequence numbers that are wrong.
func ipfixDumpSum(t *testing.T, messages []byte) [2]uint64 {
	var stdout, stderr strings.Builder
	cmd := exec.Command(tracetest.Require(t, "ipfixDump"), "--data")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(messages), &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("ipfixDump: %v: %s", err, stderr.String())
	}
	return sumOf(stdout.String(), `(?i)(?:reverse)?PacketDeltaCount : (\d+)`, `(?i)(?:reverse)?OctetDeltaCount : (\d+)`)
}

// sumOf adds the numbers that packets and octets find.
func sumOf(text, packets, octets string) (sum [2]uint64) {
	for i, pattern := range []string{packets, octets} {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			n, _ := strconv.ParseUint(found[1], 10, 64)
			sum[i] += n
		}
	}
	return sum
}

// pmacctSum returns the packets and octets that pmacct's collector reads in datagrams.
func pmacctSum(t *testing.T, datagrams [][]byte) (sum [2]uint64) {
	address := tracetest.Address(t, "udp")
	host, port, _ := net.SplitHostPort(address)
	dir := t.TempDir()
	flows, conf := filepath.Join(dir, "flows.json"), filepath.Join(dir, "nfacctd.conf")
	text := fmt.Sprintf("daemonize: false\nnfacctd_ip: %s\nnfacctd_port: %s\nplugins: print\nprint_output: json\nprint_refresh_time: 1\nprint_output_file: %s\nprint_output_file_append: true\naggregate: src_host,dst_host,src_port,dst_port,proto\n", host, port, flows)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startBeside(t, exec.Command(tracetest.Require(t, "nfacctd"), "-f", conf))
	p.wait(20*time.Second, func(printed string) bool {
		return udpQueue(t, address) != "" && strings.Contains(printed, "JSON: setting object handlers")
	})
	to, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	send := func(d []byte) {
		t.Helper()
		if _, err := to.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	var out []byte
	has := func(source string) bool { // it writes once a second what has come
		out, _ = os.ReadFile(flows)
		return strings.Contains(string(out), source)
	}
	// It loses what comes before its plugin reads, and tells of that nowhere.
	p.wait(30*time.Second, func(string) bool {
		send(markMessage(firstSource))
		return has(firstSource)
	})
	for _, d := range append(datagrams, markMessage(lastSource)) {
		send(d)
	}
	last := false
	p.wait(30*time.Second, func(printed string) bool {
		if !last {
			last = has(lastSource)
			return false
		}
		return strings.Count(printed, "Purging cache - START") == strings.Count(printed, "Purging cache - END")
	})
	if out, err = os.ReadFile(flows); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGINT)
	p.exit(20 * time.Second)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var flow struct {
			Source         string `json:"ip_src"`
			Packets, Bytes uint64
		}
		if err := d.Decode(&flow); err == io.EOF {
			return sum
		} else if err != nil {
			t.Fatal(err)
		}
		if flow.Source != firstSource && flow.Source != lastSource {
			sum[0] += flow.Packets
			sum[1] += flow.Bytes
		}
	}
}

// The sources of flows that come before all others and behind them.
const firstSource, lastSource = "203.0.113.98", "203.0.113.99"

// markMessage returns a message of another domain, with a flow from a source.
func markMessage(source string) []byte {
	b := ipfix.AppendTemplate(make([]byte, ipfix.HeaderLen), 256, 0, []ipfix.Field{
		{Element: ipfix.SourceIPv4Address, Length: 4}, {Element: ipfix.OctetDeltaCount, Length: 4}, {Element: ipfix.PacketDeltaCount, Length: 4},
	})
	b = append(append(b, 1, 0, 0, 16), netip.MustParseAddr(source).AsSlice()...)
	b = append(b, 0, 0, 0, 40, 0, 0, 0, 1)
	ipfix.PutHeader(b, 1_795_252_441, 0, 99)
	return b
}

// TestIPFIXMany has ipfixDump read many records: none is missing, and there is no fault in
// templates and sequence numbers.
func TestIPFIXMany(t *testing.T) {
	if testing.Short() {
		t.Skip("one goroutine that writes many records")
	}
	t.Parallel()
	flows := 5_000
	if tracetest.Long() {
		flows = 500_000
	}
	dir := t.TempDir()
	trace, file := filepath.Join(dir, "many.pcap"), filepath.Join(dir, "many.ipfix")
	if err := os.WriteFile(trace, manyTuples(flows), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := writeRules(t, ipfixRules)
	for _, tt := range []struct {
		biflow  string
		records int
	}{{"split", 2 * flows}, {"rfc5103", flows}} {
		os.Remove(file)
		var stderr strings.Builder
		args := []string{"run", "-q", "--octets", "ip", "-T", "1", "-r", rules, "--spool", filepath.Join(dir, "spool"), "--export", "ipfix:" + file + "?biflow=" + tt.biflow, trace}
		if status := runMain(args, nil, &stderr, &stderr); status != 0 || stderr.Len() > 0 {
			t.Fatalf("exit status %d: %s", status, stderr.String())
		}
		messages, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if tracetest.Long() { // all that it prints of them is too much
			if got := ipfixDumpStats(t, file); got != tt.records {
				t.Errorf("%s: %d records, want %d", tt.biflow, got, tt.records)
			}
			continue
		}
		if got, want := ipfixDumpSum(t, messages), [2]uint64{2 * uint64(flows), 86 * uint64(flows)}; got != want {
			t.Errorf("%s: %d, want %d packets and octets", tt.biflow, got, want)
		}
	}
}

// ipfixDumpStats returns how many records of one template ipfixDump finds in a file, of
// that which has the most.
func ipfixDumpStats(t *testing.T, file string) (most int) {
	var stdout, stderr strings.Builder
	cmd := exec.Command(tracetest.Require(t, "ipfixDump"), "--stats", "--in", file)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("ipfixDump: %v: %s", err, stderr.String())
	}
	for _, found := range regexp.MustCompile(`\(0x[0-9a-f]+\)\| *(\d+)`).FindAllStringSubmatch(stdout.String(), -1) {
		n, _ := strconv.Atoi(found[1])
		most = max(most, n)
	}
	return most
}

// manyTuples returns a trace of flows with a packet of 38 octets there and one of 48 back,
// in some ten seconds.
func manyTuples(flows int) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	b := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0}
	for i := range 2 * flows {
		ends, ports, payload := [2]uint32{0x0a000000 + uint32(i/2), 0xc0000201}, [2]uint16{1000, 53}, 10
		if i%2 == 1 {
			ends[0], ends[1], ports[0], ports[1], payload = ends[1], ends[0], ports[1], ports[0], 20
		}
		at := uint64(i) * 10_000_000 / uint64(2*flows)
		for _, n := range []uint32{1_795_252_441 + uint32(at/1e6), uint32(at % 1e6), uint32(28 + payload), uint32(28 + payload)} {
			b = le.AppendUint32(b, n)
		}
		b = append(b, 0x45, 0, 0, byte(28+payload), 0, 0, 0, 0, 64, 17, 0, 0)
		b = be.AppendUint32(be.AppendUint32(b, ends[0]), ends[1])
		b = be.AppendUint16(be.AppendUint16(b, ports[0]), ports[1])
		b = append(b, 0, byte(8+payload), 0, 0)
		b = append(b, make([]byte, payload)...)
	}
	return b
}
