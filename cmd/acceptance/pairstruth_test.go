package acceptance

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// pairRules ask for the times of all packet pairs in one flow for each kind.
const pairRules = `
# The ports on which tshark finds DNS, but for that of multicast DNS.
define dnsports = (53, 443, 465, 553, 1053, 1443, 2053, 4343, 5333, 8443, 65282);
if SourcePeerType == (ipv4, ipv6) {
	if SourceTransType == udp {
		if SourceTransAddress == dnsports || DestTransAddress == dnsports {
			store FlowKind := 'D';
			save ToTurnaroundTime1 = 200.dns & 1.3.1!700;
			save ToTurnaroundTime2 = 200.dns & 2.0.1!60000;
			count;
		}
		if SourceTransAddress == (161, 162) || DestTransAddress == (161, 162) {
			store FlowKind := 'S';
			save ToTurnaroundTime1 = 200.snmp & 1.3.1!700;
			save ToTurnaroundTime2 = 200.snmp & 2.0.1!60000;
			count;
		}
	}
	if SourceTransType == icmp {
		store FlowKind := 'I';
		save ToTurnaroundTime1 = 200.echo & 1.3.1!700;
		save ToTurnaroundTime2 = 200.echo & 2.0.1!60000;
		count;
	}
	if SourceTransType == tcp {
		store FlowKind := 'T';
		save ToTurnaroundTime1 = 200.tcp_data & 1.3.1!700;
		save ToTurnaroundTime2 = 200.tcp_syn & 1.3.1!700;
		count;
	}
}
ignore;
`

// pairTime is the time that tshark gives for the pair that a frame completes.
type pairTime struct {
	frame  int
	micros uint64
}

// TestPairTruth compares the turnaround times of every trace for which there
// are tshark's: the number of DNS, SNMP and echo pairs must be the same, and
// so must each bucket be. Of TCP, only the numbers are compared, over all
// traces, since the definitions differ: tshark pairs whatever an ACK covers
// exactly, SYN-ACK and FIN too, and data sent again; the meter SYN with SYN-ACK
// and data with the ACK that covers it, exactly or with more, unless it was
// sent again. See tcpPairs.
func TestPairTruth(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("meters hundreds of traces")
	}
	collection := tracetest.Require(t, "traces")
	rules := filepath.Join(t.TempDir(), "pairs.srl")
	if err := os.WriteFile(rules, []byte(pairRules), 0o666); err != nil {
		t.Fatal(err)
	}
	truth := filepath.Join(collection, "truth", "rtt")
	excepted := map[string]bool{}
	pairs, traces := map[string]int{}, 0
	acks, handshakes, data := map[string]int{}, uint64(0), uint64(0)
	for _, path := range filesBelow(t, truth) {
		trace := strings.TrimSuffix(path, ".tsv.gz")
		want, rtts, err := readPairs(filepath.Join(truth, path))
		if err != nil {
			t.Fatal(err)
		}
		out, _ := meterInTime(t, "run", "-q", "--json", "-r", rules, filepath.Join(collection, "traces", trace))
		got, err := readTurnarounds(out)
		if err != nil {
			t.Fatal(err)
		}
		traces++
		data += sum(got["T"].first.Counters)
		handshakes += sum(got["T"].second.Counters)
		if len(rtts) > 0 {
			for kind, n := range classify(t, filepath.Join(collection, "traces", trace), rtts) {
				acks[kind] += n
			}
		}
		for _, kind := range []string{"D", "S", "I"} {
			pairs[kind] += len(want[kind])
			fault := got[kind].differs(want[kind])
			reason, known := pairExceptions[trace+" "+kind]
			switch {
			case fault != "" && !known:
				t.Errorf("%s: %s: %s", trace, kind, fault)
			case fault == "" && known:
				t.Errorf("%s: %s: agrees: the exception is not needed", trace, kind)
			case known && reason == "":
				t.Errorf("%s: %s: exception without a reason", trace, kind)
			}
			if known {
				excepted[trace+" "+kind] = true
			}
		}
	}
	for e := range pairExceptions {
		if !excepted[e] {
			t.Errorf("%s: exception for what was not compared", e)
		}
	}
	if !maps.Equal(acks, tcpPairs) || handshakes != ourHandshakes || data != ourData {
		t.Errorf("TCP: %d handshakes, %d data, tshark has %v; want %d, %d, %v", handshakes, data, acks, ourHandshakes, ourData, tcpPairs)
	}
	t.Logf("%d traces: %d DNS, %d SNMP, %d echo pairs; %d exceptions; TCP: %d handshakes, %d data, tshark has %v",
		traces, pairs["D"], pairs["S"], pairs["I"], len(pairExceptions), handshakes, data, acks)
}

// readPairs reads tshark's pairs of one trace, by kind as the rules name them,
// and those of TCP.
func readPairs(path string) (map[string][]pairTime, []tcpPair, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, err
	}
	pairs, rtts := map[string][]pairTime{}, []tcpPair(nil)
	lines := bufio.NewScanner(z)
	for n := 0; lines.Scan(); n++ {
		cols := strings.Split(lines.Text(), "\t")
		if n == 0 || len(cols) < 14 {
			continue
		}
		layers := strings.Split(cols[6], ":")
		outermost := true // not in a tunnel, whose outer headers are metered
		for _, tunnel := range []string{"gtp", "vxlan", "wg"} {
			outermost = outermost && !slices.Contains(layers, tunnel)
		}
		v4, v6 := slices.Index(layers, "ip"), slices.Index(layers, "ipv6")
		outermost = outermost && (v4 < 0 || v6 < 0)
		if cols[13] != "" {
			p := tcpPair{outermost: outermost}
			if _, err := fmt.Sscan(cols[0], &p.frame); err != nil {
				return nil, nil, fmt.Errorf("%s: frame %q", path, cols[0])
			}
			if p.time, err = nanoseconds(cols[1]); err != nil {
				return nil, nil, err
			}
			if p.rtt, err = nanoseconds(cols[13]); err != nil {
				return nil, nil, err
			}
			rtts = append(rtts, p)
		}
		for _, k := range []struct {
			kind, value, layer, below string
			scale                     int64 // microseconds
		}{
			{"D", cols[8], "dns", "udp", 1_000_000}, {"S", cols[11], "snmp", "udp", 1_000_000},
			{"I", cols[9], "icmp", "", 1000},
		} {
			at := slices.Index(layers, k.layer)
			if k.value == "" || !outermost || at < 1 || k.below != "" && layers[at-1] != k.below {
				continue
			}
			v, ok := new(big.Rat).SetString(k.value)
			if !ok {
				return nil, nil, fmt.Errorf("%s: %q", path, k.value)
			}
			v.Mul(v, big.NewRat(k.scale, 1))
			var p pairTime
			fmt.Sscan(cols[0], &p.frame)
			p.micros = new(big.Int).Quo(v.Num(), v.Denom()).Uint64()
			pairs[k.kind] = append(pairs[k.kind], p)
		}
	}
	return pairs, rtts, lines.Err()
}

// nanoseconds reads a time in seconds.
func nanoseconds(seconds string) (int64, error) {
	v, ok := new(big.Rat).SetString(seconds)
	if !ok {
		return 0, fmt.Errorf("%q is no time", seconds)
	}
	v.Mul(v, big.NewRat(1_000_000_000, 1))
	return new(big.Int).Quo(v.Num(), v.Denom()).Int64(), nil
}

// turnarounds are the two distributions of one flow.
type turnarounds struct{ first, second jsonDistribution }

type jsonDistribution struct{ Limits, Counters []uint64 }

// readTurnarounds reads the flows by their FlowKind.
func readTurnarounds(lines string) (map[string]turnarounds, error) {
	all := map[string]turnarounds{}
	for line := range strings.Lines(lines) {
		var r struct {
			Record                               string
			FlowKind                             rune
			ToTurnaroundTime1, ToTurnaroundTime2 jsonDistribution
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, err
		}
		if r.Record == "flow" {
			all[string(r.FlowKind)] = turnarounds{r.ToTurnaroundTime1, r.ToTurnaroundTime2}
		}
	}
	return all, nil
}

// differs tells in what the distributions are not those of these pairs.
func (t turnarounds) differs(pairs []pairTime) string {
	if n := sum(t.first.Counters); n != uint64(len(pairs)) {
		return fmt.Sprintf("%d pairs, want %d", n, len(pairs))
	}
	for i, d := range []jsonDistribution{t.first, t.second} {
		want := make([]uint64, len(d.Counters))
		for _, p := range pairs {
			bucket, _ := slices.BinarySearch(d.Limits, p.micros)
			want[bucket]++
		}
		for b := range want {
			if d.Counters[b] != want[b] {
				limit := uint64(math.MaxUint64)
				if b < len(d.Limits) {
					limit = d.Limits[b]
				}
				return fmt.Sprintf("distribution %d: %d pairs up to %d microseconds, want %d", i+1, d.Counters[b], limit, want[b])
			}
		}
	}
	return ""
}

func sum(counters []uint64) (n uint64) {
	for _, c := range counters {
		n += c
	}
	return n
}

// pairExceptions holds the kinds and traces in which the pairs are not tshark's,
// and why.
var pairExceptions = map[string]string{
	"ndpi/dns_fragmented.pcap D":                 "tshark times a fragmented answer by its last fragment, the meter by its first",
	"ndpi/dnscrypt-v1-and-resolver-pings.pcap D": "time goes back; the meter counts such packets at the later time",
	"wireshark/communityid.pcap.gz I":            "each request was captured twice; tshark times from the second, the meter from the first",
	"wireshark/dns_port.pcap D":                  "time goes back; the meter counts such packets at the later time",
}
