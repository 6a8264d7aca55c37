package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// vector is a row of classify-features.srl, as JSON has it.
type vector struct {
	FirstPayloads struct {
		Octets, Directions, Gaps, Flags []int
	}
	ToPacketSize, FromPacketSize, ToInterarrivalTime, FromInterarrivalTime struct{ Counters []int }
	ToTCPFlags, FromTCPFlags                                               struct{ Fin, Syn, Rst, Psh, Ack, Urg, Ece, Cwr int }
	ToPDUs, FromPDUs, ToOctets, FromOctets                                 int
}

// classified returns what the program says of the flows of a trace, by both ends.
func classified(t *testing.T, trace string) map[string]vector {
	t.Helper()
	var out, errs bytes.Buffer
	if err := runIn(context.Background(), []string{"run", "-q", "--unordered", "--json", "-r", "ruleset/examples/classify-features.srl", trace}, nil, &out, &errs); err != nil {
		t.Fatalf("%s: %v: %s", trace, err, &errs)
	}
	all := make(map[string]vector)
	for d := json.NewDecoder(&out); d.More(); {
		var row struct {
			Record                               string
			SourcePeerAddress, DestPeerAddress   string
			SourceTransType                      int
			SourceTransAddress, DestTransAddress int
			vector
		}
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if row.Record == "flow" {
			all[fmt.Sprintln(row.SourceTransType, row.SourcePeerAddress, row.SourceTransAddress, row.DestPeerAddress, row.DestTransAddress)] = row.vector
		}
	}
	return all
}

// decoded is a packet as tshark decodes it.
type decoded struct {
	ns             int64
	octets, flags  int
	payload, proto int
	from, to       string
	portFrom, port string
}

func decodedBy(t *testing.T, tshark, trace string) (all []decoded) {
	t.Helper()
	args := []string{"-n", "-r", trace, "-T", "fields", "-E", "occurrence=f", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"}
	for _, f := range []string{
		"frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
		"tcp.len", "udp.length", "tcp.flags", "ip.proto", "ipv6.nxt",
	} {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	number := func(s string) int {
		n, _ := strconv.ParseInt(s, 0, 64)
		return int(n)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Split(lines.Text(), "\t")
		seconds, fraction, _ := strings.Cut(f[0], ".")
		d := decoded{
			ns: int64(number(seconds))*1e9 + int64(number("1"+fraction)-1e9), octets: number(f[1]), from: f[2] + f[4], to: f[3] + f[5], flags: number(f[12]),
		}
		switch f[13] + f[14] { // of the outermost header, if it is not one IP in another
		case "6":
			d.proto, d.portFrom, d.port, d.payload = 6, f[6], f[7], number(f[10])
		case "17":
			d.proto, d.portFrom, d.port, d.payload, d.flags = 17, f[8], f[9], number(f[11])-8, 0
		default:
			continue
		}
		all = append(all, d)
	}
	return all
}

// vectorsOf adds up what tshark has decoded, by the rules that README.md tells.
func vectorsOf(packets []decoded) map[string]vector {
	type state struct {
		vector
		last   [2]int64
		listed int64
	}
	flows := make(map[string]*state)
	bucket := func(v float64) (at int) {
		for limit := 16.0; at < 7 && v > limit; limit *= 2 {
			at++
		}
		return at
	}
	for _, p := range packets {
		key, way := fmt.Sprintln(p.proto, p.from, p.portFrom, p.to, p.port), 0
		if back := fmt.Sprintln(p.proto, p.to, p.port, p.from, p.portFrom); flows[key] == nil && flows[back] != nil {
			key, way = back, 1
		}
		s := flows[key]
		if s == nil {
			s = new(state)
			for _, h := range []*struct{ Counters []int }{&s.ToPacketSize, &s.FromPacketSize, &s.ToInterarrivalTime, &s.FromInterarrivalTime} {
				h.Counters = make([]int, 8)
			}
			flows[key] = s
		}
		pdus, octets, sizes, gaps, flags := &s.ToPDUs, &s.ToOctets, s.ToPacketSize.Counters, s.ToInterarrivalTime.Counters, &s.ToTCPFlags
		if way == 1 {
			pdus, octets, sizes, gaps, flags = &s.FromPDUs, &s.FromOctets, s.FromPacketSize.Counters, s.FromInterarrivalTime.Counters, &s.FromTCPFlags
		}
		*pdus++
		*octets += p.octets
		sizes[bucket(float64(p.octets))]++
		if *pdus > 1 {
			gaps[bucket(float64((p.ns-s.last[way])/1000)/1000)]++
		}
		s.last[way] = p.ns
		for i, n := range []*int{&flags.Fin, &flags.Syn, &flags.Rst, &flags.Psh, &flags.Ack, &flags.Urg, &flags.Ece, &flags.Cwr} {
			*n += p.flags >> i & 1
		}
		if f := &s.FirstPayloads; p.payload > 0 && len(f.Octets) < 30 {
			gap := 0
			if len(f.Octets) > 0 {
				gap = int((p.ns - s.listed) / 1000)
			}
			s.listed = p.ns
			f.Octets, f.Directions, f.Gaps, f.Flags = append(f.Octets, p.payload), append(f.Directions, 1-2*way), append(f.Gaps, gap), append(f.Flags, p.flags&255)
		}
	}
	all := make(map[string]vector)
	for key, s := range flows {
		all[key] = s.vector
	}
	return all
}

// TestClassify compares the vectors of classify-features.srl, to the last number, with
// those that are made of what tshark decodes.
func TestClassify(t *testing.T) {
	t.Parallel()
	tshark := tracetest.Require(t, "tshark")
	ndpi := filepath.Join(tracetest.Require(t, "traces"), "traces", "ndpi")
	names := []string{sample, "traces/testdata/provider.pcap.gz"}
	more := []string{"443-firefox.pcap", "quic.pcap", "zoom.pcap"}
	if tracetest.Long() {
		more = append(more, "reddit.pcap", "netflix.pcap", "snapchat_call_v1.pcapng", "whatsappfiles.pcap")
	}
	for _, name := range more {
		names = append(names, filepath.Join(ndpi, name))
	}
	listed := 0
	for _, name := range names {
		got, want := classified(t, name), vectorsOf(decodedBy(t, tshark, name))
		if len(got) != len(want) {
			t.Errorf("%s: %d flows, want %d", name, len(got), len(want))
		}
		for key, w := range want {
			g := got[key]
			for _, f := range []*[]int{&g.FirstPayloads.Octets, &g.FirstPayloads.Directions, &g.FirstPayloads.Gaps, &g.FirstPayloads.Flags} {
				if len(*f) == 0 {
					*f = nil
				}
			}
			if !reflect.DeepEqual(g, w) {
				t.Errorf("%s: %s:\n%+v, want\n%+v", name, key, g, w)
				break
			}
			listed += len(w.FirstPayloads.Octets)
		}
	}
	if listed < 2000 {
		t.Errorf("only %d packets are listed", listed)
	}
}
