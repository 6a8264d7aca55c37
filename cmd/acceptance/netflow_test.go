package acceptance

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

const sampleTrace = "traces/testdata/sample.pcap"

// TestNetflow has softflowd export the flows of the sample trace, in every
// version that it knows. Metered, they must be those of the trace itself, and as
// many packets and octets as tshark finds in the datagrams.
func TestNetflow(t *testing.T) {
	t.Parallel()
	softflowd := tracetest.Require(t, "softflowd")
	dir := t.TempDir()
	ruleset := func(condition string) string {
		path := filepath.Join(dir, "rules.srl")
		text := "if " + condition + ` save; else ignore;
			save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;
			format SourceTransType " " SourcePeerAddress " " SourceTransAddress " " DestPeerAddress " " DestTransAddress " " ToPDUs " " ToOctets " " FromPDUs " " FromOctets;`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ options, of string }{
		{"-v 5", "SourcePeerType == ipv4"},
		{"-v 9", "SourcePeerType == (ipv4, ipv6)"},
		{"-v 9 -T ether", "SourcePeerType == (ipv4, ipv6)"},
		{"-v 10", "SourcePeerType == (ipv4, ipv6)"},
		{"-v 10 -b", "SourceTransType == (tcp, udp)"}, // softflowd forgets types of ICMP
	} {
		rules := ruleset(tt.of)
		datagrams := exported(t, softflowd, strings.Fields(tt.options)...)
		want := meteredFlows(t, "--octets", "ip", "-r", rules, sampleTrace)

		trace := exportsTrace(t, datagrams)
		got := meteredFlows(t, "-r", rules, "netflow:"+trace)
		if len(want) < 100 || !maps.Equal(got, want) {
			t.Errorf("%s: %d flows from %d datagrams, want %d:\n%s", tt.options, len(got), len(datagrams), len(want), differentFlows(got, want))
		}
		if tt.of != "SourceTransType == (tcp, udp)" { // tshark has fields of its own for the other direction
			compareTshark(t, tt.options, trace, got)
		}
		if tt.options == "-v 10" {
			compareReceived(t, rules, datagrams, want)
		}
	}
}

// exportsTrace returns the path of a trace with these datagrams.
func exportsTrace(t *testing.T, datagrams [][]byte) string {
	var frames []tracetest.Frame
	for _, d := range datagrams {
		frames = append(frames, tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(999, 2055).Raw(0, d))
	}
	path := filepath.Join(t.TempDir(), "exports.pcap")
	if err := os.WriteFile(path, tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Packets(frames...)...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exported returns the datagrams that softflowd exports of the sample trace.
func exported(t *testing.T, softflowd string, options ...string) (datagrams [][]byte) {
	return sent(t, func(to *net.UDPAddr) []string {
		return append([]string{softflowd, "-d", "-r", sampleTrace, "-n", to.String(),
			"-p", filepath.Join(t.TempDir(), "pid"), "-c", "none"}, options...) // with a control socket it would wait for orders
	})
}

// sent returns the datagrams that a program sends to an address.
func sent(t *testing.T, program func(to *net.UDPAddr) []string) (datagrams [][]byte) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadBuffer(4 << 20)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	args := program(conn.LocalAddr().(*net.UDPAddr))
	if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	// All have been sent by now, and this comes behind them.
	const end = "the end"
	if _, err := conn.WriteTo([]byte(end), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	b := make([]byte, 65536)
	for {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:n]) == end {
			return datagrams
		}
		datagrams = append(datagrams, bytes.Clone(b[:n]))
	}
}

// meteredFlows runs `rtfm run` and returns the packets and octets of flows in
// both directions, by what identifies them, whichever direction is first.
func meteredFlows(t *testing.T, args ...string) map[string]string {
	t.Helper()
	var out, stderr strings.Builder
	if err := runIn(context.Background(), append([]string{"run", "-q", "--nemac"}, args...), nil, &out, &stderr); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %v: %s", args, err, stderr.String())
	}
	return flowsByEnds(out.String())
}

func flowsByEnds(flowData string) map[string]string {
	flows := map[string]string{}
	for line := range strings.Lines(flowData) {
		if line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		a, b := f[1]+" "+f[2], f[3]+" "+f[4]
		to, from := f[5]+"/"+f[6], f[7]+"/"+f[8]
		if a > b {
			a, b, to, from = b, a, from, to
		}
		flows[f[0]+" "+a+" "+b] = to + " " + from
	}
	return flows
}

func differentFlows(got, want map[string]string) string {
	var b strings.Builder
	for k, v := range want {
		if got[k] != v {
			fmt.Fprintf(&b, "%s: %s, want %s\n", k, got[k], v)
		}
	}
	for k, v := range got {
		if want[k] == "" {
			fmt.Fprintf(&b, "%s: %s, want none\n", k, v)
		}
	}
	return b.String()
}

// compareTshark sums what tshark finds in the datagrams, of both directions.
func compareTshark(t *testing.T, name, trace string, flows map[string]string) {
	tshark := tracetest.Require(t, "tshark")
	out, err := exec.Command(tshark, "-r", trace, "-T", "fields", "-e", "cflow.packets", "-e", "cflow.octets").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want, got [2]uint64
	for line := range strings.Lines(string(out)) {
		for i, column := range strings.Split(strings.TrimSuffix(line, "\n"), "\t") {
			for n := range strings.SplitSeq(column, ",") {
				v, _ := strconv.ParseUint(n, 10, 64)
				want[i] += v
			}
		}
	}
	for _, v := range flows {
		for direction := range strings.SplitSeq(v, " ") {
			var pdus, octets uint64
			fmt.Sscanf(direction, "%d/%d", &pdus, &octets)
			got[0] += pdus
			got[1] += octets
		}
	}
	if got != want {
		t.Errorf("%s: %d packets and octets, tshark finds %d", name, got, want)
	}
}

// compareReceived sends the datagrams to rtfm.
func compareReceived(t *testing.T, rules string, datagrams [][]byte, want map[string]string) {
	address := tracetest.Address(t, "udp")
	// A collection a second shows what has been counted. A process of its own:
	// it gives up the rights that other tests need.
	p := startBeside(t, exec.Command("rtfm", "run", "-q", "--nemac", "-T", "1", "-r", rules, "-i", "netflow://"+address))
	to, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	// Until the socket is there nothing is counted: the template comes first.
	p.wait(20*time.Second, func(string) bool { return udpQueue(t, address) != "" })
	for _, d := range datagrams {
		if _, err := to.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	p.wait(30*time.Second, func(printed string) bool {
		return maps.Equal(flowsByEnds(printed[:strings.LastIndexByte(printed, '\n')+1]), want)
	})
	p.signal(syscall.SIGINT)
	if status := p.exit(20 * time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if got := flowsByEnds(p.printed()); !maps.Equal(got, want) {
		t.Errorf("at the end:\n%s", differentFlows(got, want))
	}
}

// udpQueue returns the length of the queue of datagrams at an address, in
// hexadecimal, "" if nobody listens there.
func udpQueue(t testing.TB, address string) string {
	t.Helper()
	sockets, err := os.ReadFile("/proc/thread-self/net/udp")
	switch {
	case runtime.GOOS != "linux":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(address)
	ip := at.Addr().As4()
	local := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), at.Port())
	for line := range strings.Lines(string(sockets)) {
		// The second column is the local address, the fifth the queues' lengths.
		f := strings.Fields(line)
		if f[1] == local {
			_, queue, _ := strings.Cut(f[4], ":")
			return queue
		}
	}
	return ""
}

// TestNetflowNames checks how sources of records are given.
func TestNetflowNames(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"run netflow:nosuch.pcap", "nosuch.pcap"},
		{"run -i netflow://127.0.0.1:0,eth0", "-i netflow://127.0.0.1:0: flow records are received at one address"},
		{"run -i netflow://127.0.0.1", "receive flow records: "},
		{"run - netflow:-", `standard input, "-", can be read only once`},
		{"meter --snmp 127.0.0.1:0 -C netflow:nosuch.pcap", "nosuch.pcap: no such file"},
	} {
		var stderr strings.Builder
		err := runIn(context.Background(), strings.Fields(tt.args), nil, io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error()+stderr.String(), tt.want) {
			t.Errorf("%s: %v %s, want %s", tt.args, err, stderr.String(), tt.want)
		}
	}
}

// TestNetflowInStep meters records in step with a manager, who must read all of
// their attributes: the flow data is that of "rtfm run".
func TestNetflowInStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	be := binary.BigEndian
	var template, record []byte
	for _, field := range [][2]uint16{{8, 4}, {12, 4}, {16, 4}, {17, 4}, {9, 1}, {13, 1}, {10, 4}, {14, 4}, {2, 4}, {1, 8}} {
		template = be.AppendUint16(be.AppendUint16(template, field[0]), field[1])
	}
	record = append(record, 192, 0, 2, 1, 198, 51, 100, 2)
	record = be.AppendUint32(be.AppendUint32(record, 4_200_000_000), 64500)
	record = append(record, 24, 16)
	record = be.AppendUint32(be.AppendUint32(record, 70_000), 7)
	record = be.AppendUint64(be.AppendUint32(record, 3), 1<<40)
	var frames []tracetest.Frame
	for i := range uint32(5) {
		b := []byte{0, 9, 0, 2}
		for _, v := range []uint32{1000 + i, 1_700_000_000 + i, i, 5} {
			b = be.AppendUint32(b, v)
		}
		b = append(b, 0, 0, 0, byte(8+len(template)), 1, 0, 0, byte(len(template)/4))
		b = append(b, template...)
		b = append(b, 1, 0, 0, byte(4+len(record)))
		record[2] = byte(i / 2)
		b = append(b, record...)
		frames = append(frames, tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.200", "10.0.0.2").UDP(999, 2055).Raw(0, b))
	}
	packets := tracetest.Packets(frames...)
	for i := range packets {
		packets[i].Time += int64(i) * int64(20*time.Second)
	}
	trace, rules := filepath.Join(dir, "exports.pcap"), filepath.Join(dir, "rules.srl")
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `save SourcePeerType; save SourcePeerAddress; save DestPeerAddress; save MeterID; save SourceASN; save DestASN;
		save SourcePrefix; save DestPrefix; save SourceInterface; save DestInterface;
		if SourceASN == 250.86.234.0 || SourceASN == 64500 count;
		format MeterID " " SourceASN " " DestASN " " SourcePrefix " " DestPrefix " " SourceInterface " " DestInterface " "
			SourcePeerAddress " " ToPDUs " " ToOctets;`
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	want, got := filepath.Join(dir, "run.flows"), filepath.Join(dir, "step.flows")
	ends(t, program(t, "run", "-q", "--name", "127.0.0.1", "-r", rules, "-T", "30", "-F", want, "netflow:"+trace))
	port := freePort(t)
	meter := program(t, "meter", "-C", "netflow:"+trace, "-T", "30", "-m", port)
	ends(t, program(t, "manager", "-C", "-r", rules, "-m", port, "-F", got, "127.0.0.1"))
	ends(t, meter)
	a, b := behindFirst(t, want), behindFirst(t, got)
	if a != b {
		t.Errorf("rtfm run writes\n%s\nin step it is\n%s", a, b)
	}
	if line := "10.0.0.200 4200000000 64500 24 16 65535 7 192.0.1.1 6 2199023255552\n"; !strings.Contains(a, line) {
		t.Errorf("no flow %sin\n%s", line, a)
	}
}
