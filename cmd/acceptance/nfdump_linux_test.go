package acceptance

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/netflow"
	"rtfm/traces/tracetest"
)

// TestNfdump has softflowd export the flows of the sample trace, and nfcapd and
// rtfm read the same datagrams: nfdump and rtfm must tell the same flows. Then
// nfreplay exports what nfcapd has read, once more for rtfm.
func TestNfdump(t *testing.T) {
	softflowd, nfcapd := tracetest.Require(t, "softflowd"), tracetest.Require(t, "nfcapd")
	nfdump, nfreplay := tracetest.Require(t, "nfdump"), tracetest.Require(t, "nfreplay")
	rules := filepath.Join(t.TempDir(), "rules.srl")
	if err := os.WriteFile(rules, []byte(`save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;
		format SourceTransType " " SourcePeerAddress " " SourceTransAddress " " DestPeerAddress " " DestTransAddress " " ToPDUs " " ToOctets " " FromPDUs " " FromOctets;`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		options string
		icmp    bool   // nfdump knows the types
		replay  string // versions that hold all of the flows
	}{
		{"-v 5", true, "5 9"},
		{"-v 5 -s 4", true, "5 9"},
		{"-v 9", false, "9"},
		{"-v 9 -T ether", false, "9"},
		{"-v 10", true, "9"},
		{"-v 10 -b", false, ""},
	} {
		t.Run(tt.options, func(t *testing.T) {
			datagrams := exported(t, softflowd, strings.Fields(tt.options)...)
			dir := collected(t, nfcapd, datagrams)
			want, sum := dumped(t, nfdump, dir, tt.icmp)
			if len(want) < 100 {
				t.Fatalf("nfdump tells of %d flows", len(want))
			}
			trace := exportsTrace(t, datagrams)
			if got := oneWay(t, tt.icmp, rules, trace); !maps.Equal(got, want) {
				t.Errorf("%d flows from %d datagrams, nfdump tells of %d:\n%s", len(got), len(datagrams), len(want), differentFlows(got, want))
			}
			if got := exportSum(t, trace); got != sum {
				t.Errorf("records, packets and octets %d, nfdump tells of %d", got, sum)
			}
			for version := range strings.FieldsSeq(tt.replay) {
				again := sent(t, func(to *net.UDPAddr) []string {
					return []string{nfreplay, "-r", dumpFile(t, dir), "-v", version, "-H", to.IP.String(), "-p", strconv.Itoa(to.Port)}
				})
				// What nfreplay says of ICMP depends on the version.
				if got, want := oneWay(t, false, rules, exportsTrace(t, again)), typeless(want); !maps.Equal(got, want) {
					t.Errorf("replayed as version %s: %d flows from %d datagrams, want %d:\n%s", version, len(got), len(again), len(want), differentFlows(got, want))
				}
			}
		})
	}
}

// collected has nfcapd collect datagrams, and returns the folder of its files.
func collected(t *testing.T, nfcapd string, datagrams [][]byte) string {
	at, err := net.ResolveUDPAddr("udp", tracetest.Address(t, "udp"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, nfcapd, "-b", at.IP.String(), "-p", strconv.Itoa(at.Port), "-w", dir, "-t", "3600", "-B", "4194304")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Startup nfcapd") {
	}
	for udpQueue(t, at.String()) == "" && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	out, err := net.DialUDP("udp", nil, at)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, d := range datagrams {
		if _, err := out.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	for udpQueue(t, at.String()) > "00000000" && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	// A signal that comes just before it waits for a datagram has it wait on.
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	var said strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("nfcapd: %v: %s", err, said.String())
	}
	return dir
}

// dumpFile returns the one file that nfcapd has left in a folder.
func dumpFile(t *testing.T, dir string) string {
	files, err := filepath.Glob(filepath.Join(dir, "nfcapd.2*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q: %v", files, err)
	}
	return files[0]
}

// dumped returns what nfdump tells of a folder: the packets and octets of flows,
// of one direction each; and the number of records, packets and octets.
func dumped(t *testing.T, nfdump, dir string, icmp bool) (flows map[string]string, sum [3]uint64) {
	out, err := exec.Command(nfdump, "-r", dumpFile(t, dir), "-o", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var records []struct {
		Proto    int    `json:"proto"`
		Source4  string `json:"src4_addr"`
		Source6  string `json:"src6_addr"`
		Dest4    string `json:"dst4_addr"`
		Dest6    string `json:"dst6_addr"`
		From     int    `json:"src_port"`
		To       int    `json:"dst_port"`
		Type     int    `json:"icmp_type"`
		Code     int    `json:"icmp_code"`
		PDUs     uint64 `json:"in_packets"`
		Octets   uint64 `json:"in_bytes"`
		BackPDUs uint64 `json:"out_packets"`
		Back     uint64 `json:"out_bytes"`
	}
	if err := json.Unmarshal(out, &records); err != nil {
		t.Fatal(err)
	}
	counts := map[string][2]uint64{}
	for _, r := range records {
		source, dest := r.Source4+r.Source6, r.Dest4+r.Dest6
		from, to := r.From+r.Type, r.To+r.Code
		addCounts(counts, icmp, r.Proto, source, dest, from, to, r.PDUs, r.Octets)
		addCounts(counts, icmp, r.Proto, dest, source, to, from, r.BackPDUs, r.Back)
		sum[0]++
		sum[1] += r.PDUs + r.BackPDUs
		sum[2] += r.Octets + r.Back
	}
	return countTexts(counts), sum
}

// oneWay meters a trace of export datagrams and returns the packets and octets
// of flows, of one direction each.
func oneWay(t *testing.T, icmp bool, rules, trace string) map[string]string {
	return oneWays(icmp, meteredFlows(t, "-r", rules, "netflow:"+trace))
}

// oneWays returns flows of one direction each, of those of both.
func oneWays(icmp bool, flows map[string]string) map[string]string {
	counts := map[string][2]uint64{}
	for ends, both := range flows {
		f := strings.Fields(ends)
		var n [3]int
		for i, column := range []int{0, 2, 4} {
			n[i], _ = strconv.Atoi(f[column])
		}
		var to, from [2]uint64
		fmt.Sscanf(both, "%d/%d %d/%d", &to[0], &to[1], &from[0], &from[1])
		addCounts(counts, icmp, n[0], f[1], f[3], n[1], n[2], to[0], to[1])
		addCounts(counts, icmp, n[0], f[3], f[1], n[2], n[1], from[0], from[1])
	}
	return countTexts(counts)
}

// addCounts adds packets and octets to those of a flow, whose type and code are
// left out if it is one of ICMP, unless icmp is set.
func addCounts(counts map[string][2]uint64, icmp bool, proto int, source, dest string, from, to int, pdus, octets uint64) {
	if pdus == 0 {
		return
	}
	if !icmp && (proto == 1 || proto == 58) {
		from, to = 0, 0
	}
	k := fmt.Sprintf("%d %s %s %d %d", proto, source, dest, from, to)
	counts[k] = [2]uint64{counts[k][0] + pdus, counts[k][1] + octets}
}

func countTexts(counts map[string][2]uint64) map[string]string {
	texts := map[string]string{}
	for k, n := range counts {
		texts[k] = fmt.Sprintf("%d/%d", n[0], n[1])
	}
	return texts
}

// typeless returns flows without the types and codes of ICMP.
func typeless(flows map[string]string) map[string]string {
	counts := map[string][2]uint64{}
	for k, v := range flows {
		var proto, from, to int
		var source, dest string
		var n [2]uint64
		fmt.Sscan(k, &proto, &source, &dest, &from, &to)
		fmt.Sscanf(v, "%d/%d", &n[0], &n[1])
		addCounts(counts, false, proto, source, dest, from, to, n[0], n[1])
	}
	return countTexts(counts)
}

// exportSum returns the number of records, packets and octets in a trace of
// export datagrams, as rtfm trace info tells.
func exportSum(t *testing.T, trace string) (sum [3]uint64) {
	var out strings.Builder
	if err := runIn(context.Background(), []string{"trace", "info", "--json", "netflow:" + trace}, nil, &out, os.Stderr); err != nil {
		t.Fatal(err)
	}
	var info struct{ Exports netflow.Exports }
	if err := json.Unmarshal([]byte(out.String()), &info); err != nil {
		t.Fatal(err)
	}
	for _, x := range info.Exports.Exporters {
		sum[0] += x.Records
		sum[1] += x.PDUs
		sum[2] += x.Octets
		if x.Lost+x.Unread+x.Malformed > 0 {
			t.Errorf("%+v", x)
		}
	}
	return sum
}
