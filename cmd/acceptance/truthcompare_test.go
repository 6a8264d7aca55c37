package acceptance

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A traceTotals is what an outside tool counted in one trace.
type traceTotals struct {
	path          string // below the folder of traces
	fileType      string // as capinfos or libtrace names it
	packets       uint64
	octets        uint64 // on the wire, in ERF records with the FCS
	chronological bool
}

// readTotals reads a table of traces, one a line under a line of column names.
// Lines of traces that the tool could not read are left out.
func readTotals(r io.Reader) ([]traceTotals, error) {
	var all []traceTotals
	err := readTable(r, func(field func(string) string) error {
		if field("filetype") == "" || field("packets") == "" {
			return nil
		}
		packets, err1 := strconv.ParseUint(field("packets"), 10, 64)
		octets, err2 := strconv.ParseUint(field("wire_bytes"), 10, 64)
		all = append(all, traceTotals{
			path: field("path"), fileType: field("filetype"),
			packets: packets, octets: octets, chronological: field("chronological") == "True",
		})
		return errors.Join(err1, err2)
	})
	return all, err
}

// readTable calls row for every line of a table after the first, which names
// the columns; field returns the value in the named one.
func readTable(r io.Reader, row func(field func(string) string) error) error {
	var columns map[string]int
	s := bufio.NewScanner(r)
	for s.Scan() {
		values := strings.Split(s.Text(), "\t")
		if columns == nil {
			columns = map[string]int{}
			for i, name := range values {
				columns[name] = i
			}
			continue
		}
		err := row(func(name string) string {
			if i, ok := columns[name]; ok && i < len(values) {
				return values[i]
			}
			return ""
		})
		if err != nil {
			return fmt.Errorf("table line %q: %w", s.Text(), err)
		}
	}
	return s.Err()
}

// An endpoint is an address with a port, 0 for protocols compared without.
type endpoint struct {
	addr netip.Addr
	port uint16
}

func (e endpoint) compare(o endpoint) int {
	return cmp.Or(e.addr.Compare(o.addr), cmp.Compare(e.port, o.port))
}

// A flowKey tells bidirectional flows apart; low is the lesser endpoint.
type flowKey struct {
	low, high endpoint
	protocol  uint8
}

func (k flowKey) String() string {
	return fmt.Sprintf("%d %s %d - %s %d", k.protocol, k.low.addr, k.low.port, k.high.addr, k.high.port)
}

// A pathCount is what a flow counted in one direction.
type pathCount struct {
	pdus, frameOctets, ipOctets uint64
}

func (c *pathCount) add(o pathCount) {
	c.pdus += o.pdus
	c.frameOctets += o.frameOctets
	c.ipOctets += o.ipOctets
}

// An ipFlow is a bidirectional flow between two endpoints. Its source is that
// of its first packet. Times are nanoseconds since 1970.
type ipFlow struct {
	source, dest endpoint
	protocol     uint8
	to, from     pathCount
	first, last  int64
}

// withPorts reports whether flows of a protocol are compared by their ports: those
// of TCP, UDP and UDP-Lite are. Others are summed over their ports or types.
func withPorts(protocol uint8) bool {
	return protocol == 6 || protocol == 17 || protocol == 136
}

// A flowSet holds flows by their keys.
type flowSet map[flowKey]ipFlow

// add puts a flow into the set, which must come after those already there that
// began at the same time. Flows of one key become one, in the direction of the
// earliest.
func (set flowSet) add(f ipFlow) {
	if !withPorts(f.protocol) {
		f.source.port, f.dest.port = 0, 0
	}
	key := flowKey{f.source, f.dest, f.protocol}
	if f.source.compare(f.dest) > 0 {
		key.low, key.high = f.dest, f.source
	}
	have, ok := set[key]
	if !ok {
		set[key] = f
		return
	}
	if f.first < have.first {
		have, f = f, have
	}
	if f.source != have.source {
		f.to, f.from = f.from, f.to
	}
	have.to.add(f.to)
	have.from.add(f.from)
	have.last = max(have.last, f.last)
	set[key] = have
}

// readTruthFlows reads a compressed table of the flows of one trace. ERF octets
// in it include the FCS, four octets a packet, which fcs tells to take away.
func readTruthFlows(path string, fcs uint64) (flowSet, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	set := flowSet{}
	err = readTable(text, func(field func(string) string) error {
		f, err := truthFlow(field)
		f.to.frameOctets -= fcs * f.to.pdus
		f.from.frameOctets -= fcs * f.from.pdus
		set.add(f)
		return err
	})
	return set, err
}

// truthFlow returns the flow in one line of a table of flows.
func truthFlow(field func(string) string) (ipFlow, error) {
	var errs []error
	number := func(name string, bits int) uint64 {
		n, err := strconv.ParseUint(field(name), 10, bits)
		errs = append(errs, err)
		return n
	}
	address := func(name string) netip.Addr {
		a, err := netip.ParseAddr(field(name))
		errs = append(errs, err)
		return a
	}
	time := func(name string) int64 {
		if field(name) == "" {
			return 0 // not known, and the trace not chronological
		}
		ns, err := parseTime(field(name))
		errs = append(errs, err)
		return ns
	}
	f := ipFlow{
		source:   endpoint{address("src"), uint16(number("sport", 16))},
		dest:     endpoint{address("dst"), uint16(number("dport", 16))},
		protocol: uint8(number("proto", 8)),
		to:       pathCount{number("toPDUs", 64), number("to_frame_octets", 64), number("to_ip_octets", 64)},
		from:     pathCount{number("fromPDUs", 64), number("from_frame_octets", 64), number("from_ip_octets", 64)},
		first:    time("first"),
		last:     time("last"),
	}
	return f, errors.Join(errs...)
}

// parseTime returns the nanoseconds of a decimal number of seconds.
func parseTime(s string) (int64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err1 := strconv.ParseInt(whole, 10, 64)
	ns, err2 := strconv.ParseInt((fraction + "000000000")[:max(9, len(fraction))], 10, 64)
	if strings.HasPrefix(whole, "-") {
		ns = -ns
	}
	return seconds*1e9 + ns, errors.Join(err1, err2)
}

// readMeteredFlows reads the IP flows of one collection out of the JSON lines
// that the meter wrote while it counted the octets of frames, and out of those
// of a second run that counted the octets of IP datagrams.
func readMeteredFlows(frames, datagrams io.Reader) (flowSet, error) {
	byFrame, err1 := readJSONFlows(frames)
	byDatagram, err2 := readJSONFlows(datagrams)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if len(byFrame) != len(byDatagram) {
		return nil, fmt.Errorf("%d flows when counting frames, %d when counting datagrams", len(byFrame), len(byDatagram))
	}
	set := flowSet{}
	for i, r := range byFrame {
		if r.PeerType != 1 && r.PeerType != 2 {
			continue
		}
		f, err := r.flow()
		if err != nil {
			return nil, err
		}
		f.to.ipOctets, f.from.ipOctets = byDatagram[i].ToOctets, byDatagram[i].FromOctets
		set.add(f)
	}
	return set, nil
}

// A jsonFlow is a flow record as the meter writes it, as far as it is compared.
type jsonFlow struct {
	Record         string `json:"record"`
	FlowIndex      int
	PeerType       int    `json:"SourcePeerType"`
	SourceAddress  string `json:"SourcePeerAddress"`
	DestAddress    string `json:"DestPeerAddress"`
	Protocol       uint8  `json:"SourceTransType"`
	SourcePort     uint16 `json:"SourceTransAddress"`
	DestPort       uint16 `json:"DestTransAddress"`
	ToPDUs         uint64
	ToOctets       uint64
	FromPDUs       uint64
	FromOctets     uint64
	FirstTimeNs    int64
	LastActiveTime int64 `json:"LastActiveTimeNs"`
}

// flow returns the record as a flow that counted frames.
func (r jsonFlow) flow() (ipFlow, error) {
	source, err1 := netip.ParseAddr(r.SourceAddress)
	dest, err2 := netip.ParseAddr(r.DestAddress)
	return ipFlow{
		source:   endpoint{source, r.SourcePort},
		dest:     endpoint{dest, r.DestPort},
		protocol: r.Protocol,
		to:       pathCount{pdus: r.ToPDUs, frameOctets: r.ToOctets},
		from:     pathCount{pdus: r.FromPDUs, frameOctets: r.FromOctets},
		first:    r.FirstTimeNs,
		last:     r.LastActiveTime,
	}, errors.Join(err1, err2)
}

// readJSONFlows returns the flow records among JSON lines, in the order in
// which the flows were made.
func readJSONFlows(r io.Reader) ([]jsonFlow, error) {
	var flows []jsonFlow
	d := json.NewDecoder(r)
	for d.More() {
		var f jsonFlow
		if err := d.Decode(&f); err != nil {
			return nil, err
		}
		if f.Record == "flow" {
			flows = append(flows, f)
		}
	}
	slices.SortFunc(flows, func(a, b jsonFlow) int { return cmp.Compare(a.FlowIndex, b.FlowIndex) })
	return flows, nil
}

// The aspects under which a trace is compared with the truth.
const (
	aspectTotals = "totals"    // packets and octets
	aspectFlows  = "flows"     // which flows, their direction, PDUs and frame octets
	aspectIP     = "ip octets" // octets of IP datagrams
	aspectTimes  = "times"     // first and last time
)

// compareFlows says for each aspect of flows what first differs between the
// flows of a trace and those metered; an aspect without difference is absent.
func compareFlows(truth, metered flowSet, times bool) map[string]string {
	faults := map[string]string{}
	note := func(aspect, format string, args ...any) {
		if faults[aspect] == "" {
			faults[aspect] = fmt.Sprintf(format, args...)
		}
	}
	for _, key := range sortedKeys(truth) {
		want := truth[key]
		got, ok := metered[key]
		if !ok {
			note(aspectFlows, "%v: not metered", key)
			continue
		}
		if got.source != want.source {
			note(aspectFlows, "%v: source is %v, want %v", key, got.source, want.source)
			continue
		}
		for _, path := range []struct {
			name      string
			got, want pathCount
		}{{"to", got.to, want.to}, {"from", got.from, want.from}} {
			if path.got.pdus != path.want.pdus || path.got.frameOctets != path.want.frameOctets {
				note(aspectFlows, "%v %s: %d PDUs, %d octets, want %d, %d",
					key, path.name, path.got.pdus, path.got.frameOctets, path.want.pdus, path.want.frameOctets)
			}
			if path.got.ipOctets != path.want.ipOctets {
				note(aspectIP, "%v %s: %d octets, want %d", key, path.name, path.got.ipOctets, path.want.ipOctets)
			}
		}
		if times && (got.first != want.first || got.last != want.last) {
			note(aspectTimes, "%v: first %d last %d, want %d, %d", key, got.first, got.last, want.first, want.last)
		}
	}
	for _, key := range sortedKeys(metered) {
		if _, ok := truth[key]; !ok {
			note(aspectFlows, "%v: metered, but not there", key)
		}
	}
	return faults
}

// sortedKeys returns the keys of a set in a fixed order.
func sortedKeys(set flowSet) []flowKey {
	return slices.SortedFunc(maps.Keys(set), func(a, b flowKey) int {
		return cmp.Or(a.low.compare(b.low), a.high.compare(b.high), cmp.Compare(a.protocol, b.protocol))
	})
}

func TestParseTime(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want int64
	}{
		{"1.5", 1_500_000_000},
		{"1095292801.000721395", 1_095_292_801_000_721_395},
		{"7", 7_000_000_000},
		{"-7.25", -7_250_000_000},
		{"0.000001", 1000},
	} {
		if got, err := parseTime(tc.in); got != tc.want || err != nil {
			t.Errorf("parseTime(%s) = %d, %v, want %d", tc.in, got, err, tc.want)
		}
	}
	if _, err := parseTime("None"); err == nil {
		t.Error("parseTime(None) gives no error")
	}
}

func TestReadTotals(t *testing.T) {
	const table = "path\tfiletype\tlinktype\tpackets\twire_bytes\tchronological\n" +
		"a/b.pcap\tpcap\tether\t3\t180\tFalse\n" +
		"c.xyz\t\t\t0\t0\t\n" +
		"d.wtf\tWAG\t802.11\t\t\n"
	got, err := readTotals(strings.NewReader(table))
	want := []traceTotals{{"a/b.pcap", "pcap", 3, 180, false}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// Records of three flows, of which the ICMP ones become one, since types are
// not compared, and the flow that is not IP none.
const meteredFrames = `{"record":"head"}
{"record":"flow","FlowIndex":3,"SourcePeerType":1,"SourcePeerAddress":"192.0.2.1","DestPeerAddress":"192.0.2.2","SourceTransType":1,"SourceTransAddress":3,"DestTransAddress":1,"ToPDUs":2,"ToOctets":200,"FromPDUs":0,"FromOctets":0,"FirstTimeNs":5,"LastActiveTimeNs":9}
{"record":"flow","FlowIndex":2,"SourcePeerType":1,"SourcePeerAddress":"192.0.2.2","DestPeerAddress":"192.0.2.1","SourceTransType":1,"SourceTransAddress":8,"DestTransAddress":0,"ToPDUs":1,"ToOctets":98,"FromPDUs":1,"FromOctets":98,"FirstTimeNs":5,"LastActiveTimeNs":6}
{"record":"flow","FlowIndex":4,"SourcePeerType":2,"SourcePeerAddress":"2001:db8::2","DestPeerAddress":"2001:db8::1","SourceTransType":6,"SourceTransAddress":80,"DestTransAddress":4000,"ToPDUs":1,"ToOctets":74,"FromPDUs":0,"FromOctets":0,"FirstTimeNs":7,"LastActiveTimeNs":7}
{"record":"flow","FlowIndex":5,"SourcePeerType":0,"SourcePeerAddress":"","DestPeerAddress":"","ToPDUs":1,"ToOctets":60,"FirstTimeNs":8,"LastActiveTimeNs":8}
{"record":"end"}
`

const truthTable = "src\tdst\tproto\tsport\tdport\ttoPDUs\tfromPDUs\tto_frame_octets\tfrom_frame_octets\tto_ip_octets\tfrom_ip_octets\tfirst\tlast\n" +
	"192.0.2.2\t192.0.2.1\t1\t0\t0\t1\t3\t102\t310\t84\t242\t0.000000005\t0.000000009\n" +
	"2001:db8::2\t2001:db8::1\t6\t80\t4000\t1\t0\t78\t0\t60\t0\t0.000000007\t0.000000007\n"

// writeTruth writes a table of flows as the collection has them.
func writeTruth(t *testing.T, table string) string {
	path := t.TempDir() + "/flows.tsv.gz"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(file)
	_, err = io.WriteString(z, table)
	if err := errors.Join(err, z.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCompareFlows(t *testing.T) {
	datagrams := strings.NewReplacer(`"ToOctets":200`, `"ToOctets":158`, `Octets":98`, `Octets":84`, `"ToOctets":74`, `"ToOctets":60`).Replace(meteredFrames)
	for _, tc := range []struct {
		name     string
		old, new string // what to change in the truth
		aspect   string // under which the change shows
		times    bool
	}{
		{name: "equal", times: true},
		{name: "PDUs", old: "\t1\t3\t", new: "\t1\t4\t", aspect: aspectFlows},
		{name: "frame octets", old: "\t78\t", new: "\t79\t", aspect: aspectFlows},
		{name: "port", old: "\t4000\t", new: "\t4001\t", aspect: aspectFlows},
		{name: "protocol", old: "\t6\t80\t", new: "\t17\t80\t", aspect: aspectFlows},
		{name: "direction", old: "2001:db8::2\t2001:db8::1\t6\t80\t4000", new: "2001:db8::1\t2001:db8::2\t6\t4000\t80", aspect: aspectFlows},
		{name: "flow gone", old: "192.0.2.2\t", new: "192.0.2.7\t", aspect: aspectFlows},
		{name: "ip octets", old: "\t242\t", new: "\t243\t", aspect: aspectIP},
		{name: "first", old: "05\t", new: "04\t", aspect: aspectTimes, times: true},
		{name: "last", old: "09\n", new: "10\n", aspect: aspectTimes, times: true},
		{name: "times of a trace without order", old: "09\n", new: "10\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			truth, err := readTruthFlows(writeTruth(t, strings.Replace(truthTable, tc.old, tc.new, 1)), 4)
			if err != nil {
				t.Fatal(err)
			}
			metered, err := readMeteredFlows(strings.NewReader(meteredFrames), strings.NewReader(datagrams))
			if err != nil {
				t.Fatal(err)
			}
			got := slices.Collect(maps.Keys(compareFlows(truth, metered, tc.times)))
			if tc.aspect == "" && len(got) != 0 || tc.aspect != "" && !slices.Equal(got, []string{tc.aspect}) {
				t.Errorf("differences in %q, want in %q", got, tc.aspect)
			}
		})
	}
	metered, err := readMeteredFlows(strings.NewReader(meteredFrames), strings.NewReader(datagrams))
	if err != nil {
		t.Fatal(err)
	}
	if got := compareFlows(flowSet{}, metered, true); got[aspectFlows] == "" {
		t.Errorf("flows that the truth has not: differences %v, want some in %s", got, aspectFlows)
	}
}
