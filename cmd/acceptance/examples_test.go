package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// A seen is a packet as tshark decodes it: addresses of the outermost headers, ""
// where there are none, and numbers, 0 where there are none.
type seen struct {
	octets, vlan, priority, protocol, sourcePort, destPort, dscp, flags, stream, transaction int
	at                                                                                       float64 // seconds since 1970
	answered                                                                                 float64 // seconds until this segment, which acknowledges another
	sourceMAC, destMAC, source, dest                                                         string
	vni                                                                                      int
	lastSource, lastDest                                                                     string // of the innermost IPv4 header
	family, sourceASN, destASN                                                               int
}

// seenFields are tshark's fields, in the order in which they are asked for.
var seenFields = []string{
	"frame.len", "frame.time_epoch", "eth.src", "eth.dst", "vlan.id", "vlan.priority", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
	"ip.proto", "ipv6.nxt", "ip.dsfield.dscp", "ipv6.tclass.dscp", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
	"icmp.type", "icmp.code", "icmpv6.type", "icmpv6.code", "tcp.flags", "tcp.stream", "tcp.analysis.ack_rtt", "dns.id", "ip.frag_offset", "vxlan.vni",
}

// seenBy returns the packets of a trace as tshark decodes them.
func seenBy(t *testing.T, tshark, trace string) []seen {
	t.Helper()
	args := []string{
		"-n", "-r", trace, "-T", "fields", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE",
	}
	for _, f := range seenFields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []seen
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		values := make(map[string]string)
		for i, v := range strings.Split(lines.Text(), "\t") {
			all := strings.Split(v, ",")
			values[seenFields[i]], values["last "+seenFields[i]] = all[0], all[len(all)-1]
		}
		all = append(all, seenIn(values))
	}
	return all
}

// recordsBy returns the records of NetFlow in a trace as tshark decodes them: each
// counts as the packets that it tells of, the first of which has all octets.
func recordsBy(t *testing.T, tshark, trace string) (all []seen) {
	t.Helper()
	fields := []string{"cflow.srcas", "cflow.dstas", "cflow.packets", "cflow.octets"}
	args := []string{"-n", "-r", trace, "-T", "fields"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		var columns [4][]string
		for i, values := range strings.Split(strings.TrimSpace(line), "\t") {
			columns[i] = strings.Split(values, ",")
		}
		for i := range columns[0] {
			var n [4]int
			for j := range n {
				n[j], _ = strconv.Atoi(columns[j][i])
			}
			p := seen{sourceASN: n[0], destASN: n[1], octets: n[3]}
			for range n[2] {
				all = append(all, p)
				p.octets = 0
			}
		}
	}
	return all
}

// seenIn returns the packet with these fields.
func seenIn(values map[string]string) seen {
	number := func(names ...string) int {
		for _, name := range names {
			if n, err := strconv.ParseInt(values[name], 0, 64); err == nil {
				return int(n)
			}
		}
		return 0
	}
	real := func(name string) float64 { f, _ := strconv.ParseFloat(values[name], 64); return f }
	p := seen{
		octets: number("frame.len"), vlan: number("vlan.id"), priority: number("vlan.priority"), at: real("frame.time_epoch"),
		sourceMAC: strings.ToUpper(strings.ReplaceAll(values["eth.src"], ":", "-")),
		destMAC:   strings.ToUpper(strings.ReplaceAll(values["eth.dst"], ":", "-")),
		source:    values["ip.src"] + values["ipv6.src"], dest: values["ip.dst"] + values["ipv6.dst"],
		protocol: number("ip.proto", "ipv6.nxt"), dscp: number("ip.dsfield.dscp", "ipv6.tclass.dscp"),
		flags: number("tcp.flags"), stream: number("tcp.stream"), answered: real("tcp.analysis.ack_rtt"), transaction: number("dns.id"),
		vni: number("vxlan.vni"), lastSource: values["last ip.src"], lastDest: values["last ip.dst"],
	}
	switch {
	case values["ip.src"] != "":
		p.family = 1
	case values["ipv6.src"] != "":
		p.family = 2
		if values["icmpv6.type"] != "" {
			p.protocol = 58 // behind other headers
		}
	}
	if number("ip.frag_offset") > 0 {
		return p
	}
	switch p.protocol {
	case 1:
		p.sourcePort, p.destPort = number("icmp.type"), number("icmp.code")
	case 6:
		p.sourcePort, p.destPort = number("tcp.srcport"), number("tcp.dstport")
	case 17:
		p.sourcePort, p.destPort = number("udp.srcport"), number("udp.dstport")
	case 58:
		p.sourcePort, p.destPort = number("icmpv6.type"), number("icmpv6.code")
	}
	return p
}

// back returns the packet with its ends changed over.
func (p seen) back() seen {
	p.source, p.dest, p.sourceMAC, p.destMAC = p.dest, p.source, p.destMAC, p.sourceMAC
	p.sourcePort, p.destPort = p.destPort, p.sourcePort
	p.sourceASN, p.destASN = p.destASN, p.sourceASN
	p.lastSource, p.lastDest = p.lastDest, p.lastSource
	return p
}

// in reports whether an address is in one of some networks.
func in(address string, networks ...string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(networks, func(n string) bool { return netip.MustParsePrefix(n).Contains(a) })
}

// network returns the network of an address, of so many bits of IPv4 and IPv6.
func network(address string, v4, v6 int) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "-"
	}
	if a.Is4() {
		v6 = v4
	}
	return netip.PrefixFrom(a, v6).Masked().Addr().String()
}

// key joins what tells a flow from others.
func key(parts ...any) string {
	for i, p := range parts {
		if p == "" {
			parts[i] = "-"
		}
	}
	return strings.Trim(strings.ReplaceAll(fmt.Sprintln(parts...), " ", "/"), "\n")
}

// A flowSum is what a flow comes to: packets and octets each way, and the counters of
// its distributions by their attributes.
type flowSum struct {
	pdus, octets [2]int
	values       map[string][]int // of seen packets: values that a distribution counts
}

func (s *flowSum) add(way, octets int) { s.pdus[way]++; s.octets[way] += octets }

func (s *flowSum) value(name string, v int) {
	if s.values == nil {
		s.values = make(map[string][]int)
	}
	s.values[name] = append(s.values[name], v)
}

// Flows are sums by key.
type flows map[string]*flowSum

func (f flows) of(key string) *flowSum {
	if f[key] == nil {
		f[key] = &flowSum{}
	}
	return f[key]
}

// TestExamples compares all flows of the programs in ruleset/examples with sums
// over the packets that tshark decodes.
func TestExamples(t *testing.T) {
	t.Parallel()
	tshark := tracetest.Require(t, "tshark")
	programs, err := filepath.Glob("ruleset/examples/*.srl")
	if err != nil || len(programs) < 25 {
		t.Fatal(err, programs)
	}
	index, err := os.ReadFile("ruleset/examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range [][]string{{"fmt", "-l"}, {"lint"}, {"test", "ruleset/examples"}} {
		args := append([]string{"srl"}, tool...)
		if tool[0] != "test" {
			args = append(args, programs...)
		}
		var out bytes.Buffer
		if status := runMain(args, nil, &out, &out); status != 0 {
			t.Errorf("rtfm srl %q: status %d: %s", tool, status, &out)
		}
	}
	packets := make(map[string][]seen)
	for _, p := range programs {
		name := strings.TrimSuffix(filepath.Base(p), ".srl")
		e, known := examples[name]
		if !known {
			t.Errorf("what does %s count?", name)
			continue
		}
		if q := question(t, p); !strings.Contains(string(index), "\n### "+q+"\n\n["+name+".srl]("+name+".srl). ") {
			t.Errorf("ruleset/examples/README.md does not have %s, %q", name, q)
		}
		trace := e.trace
		decode, prefix := seenBy, ""
		if e.trace == "traces/testdata/netflow.pcap" {
			decode, prefix = recordsBy, "netflow:"
		}
		if packets[trace] == nil {
			packets[trace] = decode(t, tshark, trace)
		}
		t.Run(name, func(t *testing.T) {
			want := make(flows)
			e.flows(packets[trace], want)
			compareExample(t, flowsOfRun(t, e.keys, "-r", p, prefix+trace), want)
		})
	}
}

// question returns the question with which a program begins.
func question(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	q, _, asked := strings.Cut(string(text), "?")
	if q = strings.ReplaceAll(strings.TrimPrefix(q, "# "), "\n# ", " "); !asked || strings.Contains(q, "\n") {
		t.Errorf("%s does not begin with a question", path)
	}
	return q + "?"
}

// compareExample compares the flows of a run with those that are wanted.
func compareExample(t *testing.T, got map[string]*ranFlow, want flows) {
	t.Helper()
	if len(want) == 0 {
		t.Error("no packet of the trace is counted")
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		f, w := got[k], want[k]
		if f == nil {
			t.Errorf("there is no flow %s of %v packets, %v octets", k, w.pdus, w.octets)
			continue
		}
		if f.pdus != w.pdus || f.octets != w.octets {
			t.Errorf("%s: %v packets, %v octets; tshark has %v and %v", k, f.pdus, f.octets, w.pdus, w.octets)
		}
		for name, d := range f.distributions {
			values, compared := w.values[name]
			if counters := bucketsOf(d.Limits, values); (compared || w.values != nil) && !slices.Equal(d.Counters, counters) {
				t.Errorf("%s: %s counts %v, tshark's values are %v", k, name, d.Counters, counters)
			}
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if want[k] == nil {
			t.Errorf("there is a flow %s of %v packets, tshark has none", k, got[k].pdus)
		}
	}
}

// bucketsOf returns how many values are within each limit but not the one before, and
// how many are beyond all.
func bucketsOf(limits, values []int) []int {
	counters := make([]int, len(limits)+1)
	for _, v := range values {
		i, _ := slices.BinarySearch(limits, v)
		counters[i]++
	}
	return counters
}

// A ranFlow is a flow of `rtfm run`.
type ranFlow struct {
	flowSum
	distributions map[string]distribution
}

type distribution struct{ Limits, Counters []int }

// flowsOfRun returns the flows of `rtfm run` by the attributes in keys.
func flowsOfRun(t *testing.T, keys string, args ...string) map[string]*ranFlow {
	t.Helper()
	var out, errs bytes.Buffer
	if status := runMain(append([]string{"run", "-q", "--json"}, args...), nil, &out, &errs); status != 0 {
		t.Fatalf("%q: status %d: %s", args, status, &errs)
	}
	all := make(map[string]*ranFlow)
	for lines := json.NewDecoder(&out); lines.More(); {
		var values map[string]json.RawMessage
		if err := lines.Decode(&values); err != nil {
			t.Fatal(err)
		}
		if string(values["record"]) != `"flow"` {
			continue
		}
		f := &ranFlow{distributions: make(map[string]distribution)}
		for i, name := range []string{"ToPDUs", "FromPDUs", "ToOctets", "FromOctets"} {
			json.Unmarshal(values[name], &[]*int{&f.pdus[0], &f.pdus[1], &f.octets[0], &f.octets[1]}[i])
		}
		for name, v := range values {
			var d distribution
			if json.Unmarshal(v, &d) == nil && d.Limits != nil {
				f.distributions[name] = d
			}
		}
		var parts []any
		for _, name := range strings.Fields(keys) {
			parts = append(parts, strings.Trim(string(values[name]), `"`))
		}
		k := key(parts...)
		if all[k] != nil {
			t.Fatalf("%q: two flows are %s", args, k)
		}
		all[k] = f
	}
	return all
}
