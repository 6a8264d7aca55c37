package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// The tasks of TestInStepStandby, in a flow table of so many flows: one with a
// standby ruleset, and one that stops when the table fills up.
const (
	standbyTable = 1000
	standbyMark  = 50 // percent
	stopMark     = 55
)

// standbyPacket is a packet in the trace of TestInStepStandby.
type standbyPacket struct {
	interval int
	id       int // of its source; its destination is one of seven
	octets   uint64
}

func (p standbyPacket) source() string { return fmt.Sprintf("10.0.%d.%d", p.id>>8, p.id&255) }
func (p standbyPacket) dest() string   { return fmt.Sprintf("192.0.2.%d", p.id%7) }

// standbyTrace makes a trace of intervals of ten seconds. In the first half of
// each comes one source only, while the meter recovers flows, in the second half
// more of them, to fill the flow table or not.
func standbyTrace(seed uint64) (trace []byte, packets []standbyPacket) {
	const perInterval = 2000
	r := rand.New(rand.NewPCG(2720, seed))
	var captured []traces.Packet
	for interval, sources := range []int{800, 100, 50, 900, 30, 700, 650, 20, 10, 400, 900, 5} {
		first := r.IntN(3000)
		for i := range perInterval {
			p := standbyPacket{interval: interval}
			if i >= perInterval/2 {
				p.id = first + r.IntN(sources)
			}
			frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(p.source(), p.dest()).UDP(1, 2).Payload(r.IntN(100))
			c := tracetest.Packets(frame)[0]
			c.Time += int64(interval*perInterval+i) * int64(10*time.Second/perInterval)
			p.octets = uint64(c.Wire)
			captured, packets = append(captured, c), append(packets, p)
		}
	}
	return tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, captured...), packets
}

// standbyModel counts packets as RFC 2720 has a meter with these tasks do it, and
// as the configuration file's description has its manager: the difference of
// packets and octets of each flow in each interval.
func standbyModel(packets []standbyPacket, width, floodMark int) (intervals []map[string][2]uint64, switched map[string]int) {
	active := map[string]int{} // by flow: the last interval in which it was active
	over := func(mark int) bool { return len(active)*100 > standbyTable*mark }
	receded := func(mark int) bool { return len(active)*400 < standbyTable*mark*3 }
	var standby, stopped, flood bool
	switched = map[string]int{}
	for i, p := range packets {
		if p.interval == len(intervals) {
			if i > 0 { // the manager has collected
				flood = flood && !receded(floodMark)
				standby = standby && (flood || !receded(standbyMark))
				stopped = stopped && (flood || !receded(stopMark))
			}
			intervals = append(intervals, map[string][2]uint64{})
		} else if p.id != 0 && packets[i-1].id == 0 {
			// What was collected, and idle for a second, is recovered by now.
			maps.DeleteFunc(active, func(_ string, last int) bool { return last < p.interval })
		}
		count := func(flow string) {
			active[flow] = p.interval
			counts := intervals[p.interval]
			counts[flow] = [2]uint64{counts[flow][0] + 1, counts[flow][1] + p.octets}
		}
		if flood {
			count("built in")
			continue
		}
		if standby {
			wide := standbyPacket{id: p.id &^ (1<<(32-width) - 1)}
			count(fmt.Sprintf("standby %s/%d", wide.source(), width))
		} else {
			count("current " + p.source())
		}
		if !stopped {
			count("other " + p.dest())
		}
		if over(standbyMark) && !standby {
			standby = true
			switched["standby"]++
		}
		if over(stopMark) && !stopped {
			stopped = true
			switched["stopped"]++
		}
		if over(floodMark) && floodMark > 0 {
			flood = true
			switched["flood"]++
		}
	}
	return intervals, switched
}

// TestInStepStandby has the flow table fill up while a trace is metered in step
// with a manager, again and again, so that tasks go to their standby rulesets or
// stop, or the meter only runs its built-in one, and return. The manager must
// write what the definition says, to the packet.
func TestInStepStandby(t *testing.T) {
	port := freePort(t)
	for _, tt := range []struct {
		width, floodMark int
		switched         string // how often the trace has the meter do what
	}{
		{24, 95, "map[standby:4]"},
		{31, 60, "map[flood:4 standby:4 stopped:4]"},
		{32, 0, "map[standby:4 stopped:4]"},
	} {
		for seed := range uint64(2) {
			name := fmt.Sprintf("standby /%d, flood at %d, %d", tt.width, tt.floodMark, seed)
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				trace, packets := standbyTrace(seed)
				for name, text := range map[string]string{
					"trace.pcap":  string(trace),
					"current.srl": "save SourcePeerAddress /32; count;",
					"standby.srl": fmt.Sprintf("save SourcePeerAddress /%d; save SourceTransType; count;", tt.width),
					"other.srl":   "save DestPeerAddress /32; count;",
					"config.yaml": fmt.Sprintf(`meters:
  - address: 127.0.0.1:%s
    snmp: {community: {env: RTFM_WRITE_COMMUNITY}}
    trace: true
    json: true
    output: flows
    inactivity-timeout: 1s
    flood-mark: %d
    tasks:
      - {rules: current.srl, standby: standby.srl, high-water-mark: %d}
      - {rules: other.srl, high-water-mark: %d}
`, port, tt.floodMark, standbyMark, stopMark),
				} {
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				meter := program(t, "meter", "-C", filepath.Join(dir, "trace.pcap"), "-T", "10", "-m", port, "-f", fmt.Sprint(standbyTable),
					"--feed", "file:"+filepath.Join(dir, "feed.ipfix"))
				ends(t, program(t, "manager", "--config", filepath.Join(dir, "config.yaml")))
				ends(t, meter)
				want, switched := standbyModel(packets, tt.width, tt.floodMark)
				if fmt.Sprint(switched) != tt.switched {
					t.Fatalf("the trace makes the meter switch %v, want %s", switched, tt.switched)
				}
				got := standbyFlows(t, filepath.Join(dir, "flows"), tt.width)
				if len(got) != len(want) {
					t.Fatalf("%d collections, want %d", len(got), len(want))
				}
				for i := range want {
					if !maps.Equal(got[i], want[i]) {
						var different strings.Builder
						for flow := range want[i] {
							if got[i][flow] != want[i][flow] {
								fmt.Fprintf(&different, "%s: %d, want %d\n", flow, got[i][flow], want[i][flow])
							}
						}
						t.Fatalf("collection %d: %d flows, want %d\n%s", i+1, len(got[i]), len(want[i]), different.String())
					}
				}
				standbyFeed(t, dir, want)
			})
		}
	}
}

// standbyFeed wants the meter's feed to tell of each packet once for each flow that has
// counted it, whatever rulesets came and went.
func standbyFeed(t *testing.T, dir string, want []map[string][2]uint64) {
	t.Helper()
	file := filepath.Join(dir, "feed.jsonl")
	succeed(t, "feed", "-F", file, filepath.Join(dir, "feed.ipfix"))
	var counted, told uint64
	for _, interval := range want {
		for _, n := range interval {
			counted += n[0]
		}
	}
	for line := range strings.Lines(readText(t, file)) {
		var f struct{ Received uint64 }
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		told += f.Received
	}
	if told != counted {
		t.Errorf("the feed tells of %d packets, %d were counted", told, counted)
	}
}

// standbyFlows returns the differences of packets and octets by flow that each
// collection of a file tells.
func standbyFlows(t *testing.T, name string, width int) (intervals []map[string][2]uint64) {
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r struct {
			Record            string
			FlowRuleSet       int
			SourcePeerAddress string
			SourceTransType   int
			DestPeerAddress   string
			DeltaToPDUs       *uint64
			DeltaFromPDUs     uint64
			DeltaToOctets     uint64
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch r.Record {
		case "start":
			intervals = append(intervals, map[string][2]uint64{})
		case "flow":
			flow := "current " + r.SourcePeerAddress
			switch {
			case r.FlowRuleSet == 1:
				flow = "built in"
			case r.DestPeerAddress != "":
				flow = "other " + r.DestPeerAddress
			case r.SourceTransType != 0:
				flow = fmt.Sprintf("standby %s/%d", r.SourcePeerAddress, width)
			}
			if r.DeltaToPDUs == nil || r.DeltaFromPDUs != 0 {
				t.Fatal(line)
			}
			if *r.DeltaToPDUs == 0 {
				continue
			}
			counts := intervals[len(intervals)-1]
			counts[flow] = [2]uint64{counts[flow][0] + *r.DeltaToPDUs, counts[flow][1] + r.DeltaToOctets}
		}
	}
	return intervals
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
