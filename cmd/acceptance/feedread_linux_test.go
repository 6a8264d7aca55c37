package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"rtfm/traces/feed"
	"rtfm/traces/ipfix"
	"rtfm/traces/tracetest"
)

// fiveTuples is a ruleset of the flows of IP that nfdump and tshark know.
const fiveTuples = `if SourcePeerType == (IPv4, IPv6) {
	save SourcePeerAddress; save DestPeerAddress; save SourceTransType; save SourceTransAddress; save DestTransAddress; count;
}
format SourceTransType " " SourcePeerAddress " " SourceTransAddress " " DestPeerAddress " " DestTransAddress " " ToPDUs " " ToOctets " " FromPDUs " " FromOctets;`

// fiveTupleRules returns a file of fiveTuples.
func fiveTupleRules(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "rules.srl")
	if err := os.WriteFile(name, []byte(fiveTuples), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// fed meters a trace with options and returns a file of its feed, "" if it is no trace.
func fed(t *testing.T, rules, trace string, options ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "feed")
	args := append([]string{"run", "-q", "-r", rules, "--feed", "file:" + name}, options...)
	if status := runMain(append(args, trace), nil, io.Discard, io.Discard); status == 1 || !fileThere(name) || size(name) == 0 {
		return ""
	}
	return name
}

// TestFeedIsFlowRecords has rtfm meter what it has told of traces as flow records: the
// flows, with their packets and octets, are those of the traces, and nothing is said.
func TestFeedIsFlowRecords(t *testing.T) {
	t.Parallel()
	traces, every := filepath.Join(tracetest.Require(t, "traces"), "traces"), 15
	if tracetest.Long() {
		every = 1
	}
	rules, flows := fiveTupleRules(t), 0
	for i, path := range filesBelow(t, traces) {
		if i%every != 0 {
			continue
		}
		path, octets := filepath.Join(traces, path), []string{"ip", "frame"}[i/every%2]
		file := fed(t, rules, path, "--octets", octets, "--feed-idle", "5")
		if file == "" {
			continue
		}
		var out, again, stderr strings.Builder
		_ = runIn(context.Background(), []string{"run", "-q", "--nemac", "-r", rules, "--octets", octets, path}, nil, &out, io.Discard)
		want := flowsByEnds(out.String())
		_ = runIn(context.Background(), []string{"run", "-q", "--nemac", "-r", rules, "netflow:" + file}, nil, &again, &stderr)
		if s := stderr.String(); s != "" && !strings.Contains(s, "time goes back") { // behind 2106
			t.Errorf("%s: %s", path, s)
		}
		got := flowsByEnds(again.String())
		if flows += len(want); !maps.Equal(got, want) {
			t.Errorf("%s: %d flows, want %d:\n%s", path, len(got), len(want), differentFlows(got, want))
		}
	}
	if flows < 150 {
		t.Errorf("only %d flows", flows)
	}
}

// messagesOf returns the messages of a file.
func messagesOf(t *testing.T, name string) (all [][]byte) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for from := bytes.NewReader(b); ; {
		m, err := feed.ReadMessage(from, nil)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
}

// TestFeedNfdump has nfcapd receive a feed: nfdump and rtfm must tell the same flows.
func TestFeedNfdump(t *testing.T) {
	nfcapd, nfdump := tracetest.Require(t, "nfcapd"), tracetest.Require(t, "nfdump")
	rules := fiveTupleRules(t)
	file := fed(t, rules, "traces/testdata/sample.pcap", "--octets", "ip")
	want, sum := dumped(t, nfdump, collected(t, nfcapd, messagesOf(t, file)), true)
	if got := oneWay(t, true, rules, file); len(got) < 100 || !maps.Equal(got, want) {
		t.Errorf("%d flows, nfdump tells of %d:\n%s", len(got), len(want), differentFlows(got, want))
	}
	// To nfdump all records are flows, also those that count nothing.
	if got := exportSum(t, file); got[0] < 200 || got[1] != sum[1] || got[2] != sum[2] {
		t.Errorf("records, packets and octets %d, nfdump tells of %d", got, sum)
	}
}

// sharkLines is a feed.Handler that writes down records as tshark shows them, a line each
// of the fields that are compared.
type sharkLines struct {
	frames, digest bool
	lines          []string
}

func (s *sharkLines) Begin(uint32)      {}
func (s *sharkLines) Missing(uint32)    { s.lines = append(s.lines, "missing") }
func (s *sharkLines) Shape(*feed.Shape) {}
func (s *sharkLines) Stats(t *feed.Stats) {
	s.add("observation_time_nanoseconds", sharkTime(t.Time), "permanent_packets", t.Packets, "ignore_packets", t.Ignored,
		"drop_total_packets", t.Lost, "notsent_flows", t.DroppedMessages)
}

// add writes down names and values.
func (s *sharkLines) add(fields ...any) {
	var line strings.Builder
	for i := 0; i < len(fields); i += 2 {
		fmt.Fprintf(&line, "%v=%v ", fields[i], fields[i+1])
	}
	s.lines = append(s.lines, line.String())
}

// octets returns tshark's name for the field of octets, whose name is this one of IP.
func (s *sharkLines) octets(ip string) string {
	if s.frames {
		return "layer2_octet_delta_count"
	}
	return ip
}

func sharkTime(ns int64) string {
	return time.Unix(0, ns).UTC().Format("Jan _2, 2006 15:04:05.000000000 UTC")
}

func (s *sharkLines) Packet(p *feed.Packet) {
	direction := 0
	if p.Backward {
		direction = 1
	}
	s.add("flow_id", p.Flow, "observation_time_nanoseconds", sharkTime(p.Time), s.octets("ip_total_length"), p.Octets,
		"tcpflags", fmt.Sprintf("0x%02x", p.TCPFlags), "direction", direction)
	if s.digest {
		s.lines[len(s.lines)-1] += fmt.Sprintf("digest_hash_value=%d ", p.Digest)
	}
}

func (s *sharkLines) New(n *feed.New) {
	s.add(append(append([]any{"flow_id", n.Flow, "selector_id", n.Shape.RuleSet}, sharkTuple(n)...), "abstimestart", sharkTime(n.First))...)
}

func (s *sharkLines) End(e *feed.End) {
	octets := s.octets("octets")
	fields := []any{
		"flow_id", e.Flow, "selector_id", e.Shape.RuleSet, "abstimestart", sharkTime(e.First), "abstimeend", sharkTime(e.Last),
		"flow_end_reason", e.Reason, "packets", e.PDUs[0], octets, e.Octets[0], "packets", e.PDUs[1], octets, e.Octets[1],
	}
	tuple := sharkTuple(&e.New)
	kind, code := tuple[5], tuple[9]
	switch e.Shape.ICMP {
	case ipfix.ICMPTypeCodeIPv4:
		fields = append(fields, "icmp_type_code_ipv4", fmt.Sprintf("0x%02x%02x", kind, code))
	case ipfix.ICMPTypeCodeIPv6:
		fields = append(fields, "icmp_ipv6_type", kind, "icmp_ipv6_code", code)
	}
	s.add(append(fields, tuple...)...)
}

// sharkTuple returns tshark's fields for a key of fiveTuples.
func sharkTuple(n *feed.New) []any {
	size, suffix := 4, ""
	if len(n.Key) > 4+4+5 {
		size, suffix = 16, "v6"
	}
	address := func(at int) netip.Addr { a, _ := netip.AddrFromSlice(n.Key[at : at+size]); return a }
	port := func(at int) uint16 { return binary.BigEndian.Uint16(n.Key[at:]) }
	return []any{
		"srcaddr" + suffix, address(0), "protocol", n.Key[size], "srcport", port(size + 1),
		"dstaddr" + suffix, address(size + 3), "dstport", port(2*size + 3),
	}
}

// sharkField has a field of a record in tshark's JSON.
var sharkField = regexp.MustCompile(`^ +"cflow\.([a-z_0-9]+)": "(.*)",?$`)

// TestFeedTshark has tshark read feeds of all forms: it shows the same records, and finds
// nothing malformed or odd.
func TestFeedTshark(t *testing.T) {
	t.Parallel()
	tshark, rules := tracetest.Require(t, "tshark"), fiveTupleRules(t)
	for _, options := range []string{"--octets ip", "--octets frame --feed-id 32", "--octets ip --feed-digest"} {
		file := fed(t, rules, "traces/testdata/sample.pcap", strings.Fields(options)...)
		want := &sharkLines{frames: strings.Contains(options, "frame"), digest: strings.Contains(options, "digest")}
		x := feed.Reader{Ordered: true}
		for _, m := range messagesOf(t, file) {
			if err := x.Message(m, want); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(tshark, "-n", "-r", file, "-T", "json").Output()
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(string(out), "_ws."); i >= 0 { // malformed or expert
			t.Errorf("%s: tshark says\n%s", options, out[i:min(i+500, len(out))])
		}
		got := sharkRecords(string(out), want.lines)
		for i := range want.lines {
			if i == len(got) || got[i] != want.lines[i] {
				t.Fatalf("%s: record %d of %d, tshark has %d:\n%s\nwant\n%s", options, i, len(want.lines), len(got), got[i:min(i+1, len(got))], want.lines[i])
			}
		}
		if len(got) != len(want.lines) || len(got) < 2500 {
			t.Errorf("%s: tshark shows %d records of %d", options, len(got), len(want.lines))
		}
	}
}

// sharkRecords returns the records in tshark's JSON as sharkLines has them: of the fields
// that stand in the lines, in their order.
func sharkRecords(text string, lines []string) (records []string) {
	known := map[string]bool{}
	for _, line := range lines {
		for f := range strings.FieldsSeq(line) {
			if name, _, ok := strings.Cut(f, "="); ok {
				known[name] = true
			}
		}
	}
	var record strings.Builder
	end := func() {
		if record.Len() > 0 && !strings.HasPrefix(record.String(), "selector_id") { // SHAPE
			records = append(records, record.String())
		}
		record.Reset()
	}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		line := s.Text()
		if m := sharkField.FindStringSubmatch(line); m != nil && known[m[1]] {
			fmt.Fprintf(&record, "%s=%s ", m[1], m[2])
		} else if strings.Contains(line, `"Flow `) {
			end()
		}
	}
	end()
	return records
}
