package meter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/ruleset/match"

	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// rules reads a rule file.
func rules(t *testing.T, text string) *ruleset.RuleSet {
	t.Helper()
	rs, warnings, err := ruleset.ParseRules("test.rules", []byte(text))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	return rs
}

// flowDiary is a sink that writes down the flows of each collection.
type flowDiary struct {
	m     *Meter
	lines []string
}

func (d *flowDiary) Collect(c Collection) error {
	line := fmt.Sprintf("%d:", (c.To-c.Start)/1e9)
	d.m.Flows(func(f *match.Flow) error {
		line += fmt.Sprintf(" %d/%d until %d %v", f.ToPDUs, f.FromPDUs, (f.LastTime-c.Start)/1e9, f.Counters)
		return nil
	})
	d.lines = append(d.lines, line)
	return nil
}

func (d *flowDiary) Damage(error)                    {}
func (d *flowDiary) BackInTime(string, int64, int64) {}

// diaryOf meters packets, in batches of random lengths.
func diaryOf(t *testing.T, cfg Config, packets []traces.Packet, seed uint64) ([]string, Stats) {
	t.Helper()
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := &flowDiary{m: m}
	if err := m.Run(context.Background(), &memory{packets, rand.New(rand.NewPCG(seed, 1))}, d); err != nil {
		t.Fatal(err)
	}
	return d.lines, m.Stats()
}

// TestStreamsEndLater meters a flow whose streams end when no packet comes any
// more: it belongs to the collections in which they do, and its record is
// recovered only when all was read.
func TestStreamsEndLater(t *testing.T) {
	rs := rules(t, `
  Null & 0 = 0: GotoAct, Next;
  SourcePeerAddress & 255.255.255.255 = 0: PushPktToAct, Next;
  FlowTime & 1.3.0!1000 = 2: PushPktToAct, Next;
  Null & 0 = 0: Count, 0;
`)
	// A flow with streams that end after 5 and 20 s, and another one, of ICMP
	// without streams, that moves the clock.
	packets := at(0, 1, 1)
	clock := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("192.0.2.9", "192.0.2.2"))[0]
	other := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("192.0.2.1", "192.0.2.2").UDP(3, 4))[0]
	other.Time = packets[2].Time
	packets[2] = other
	for s := range int64(40) {
		clock.Time = packets[0].Time + (s+2)*1e9
		packets = append(packets, clock)
	}
	cfg := Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: 10, Interval: 10 * time.Second, InactivityTimeout: 12 * time.Second}
	lines, stats := diaryOf(t, cfg, packets, 1)
	want := []string{
		"10: 3/0 until 1 [[1 0 0]] 8/0 until 9 [[0 0 0]]",
		"20: 3/0 until 1 [[1 1 0]] 18/0 until 19 [[0 0 0]]",
		"30: 28/0 until 29 [[0 0 0]]",
		"40: 38/0 until 39 [[0 0 0]]",
		"41: 40/0 until 41 [[0 0 0]]",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if stats.Recovered != 1 || stats.Streams.Active != 0 || stats.Streams.Created != 2 {
		t.Errorf("%+v", stats)
	}
}

// TestStreamsEndBetweenPackets leaves a stream idle until it ends, with no packet
// to tell: the collection at the end of the interval has it.
func TestStreamsEndBetweenPackets(t *testing.T) {
	rs := rules(t, `
  Null & 0 = 0: GotoAct, Next;
  FlowTime & 1.3.0!1000 = 2: PushPktToAct, Next;
  Null & 0 = 0: Count, 0;
`)
	cfg := Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: 10, Interval: 10 * time.Second, InactivityTimeout: time.Minute}
	lines, _ := diaryOf(t, cfg, at(0, 1, 30), 1)
	want := []string{
		"10: 2/0 until 1 [[0 0 0]]", "20: 2/0 until 1 [[0 1 0]]", "30:", "30: 3/0 until 30 [[1 1 0]]",
	}
	if !slices.Equal(lines, want) {
		t.Errorf("%q, want %q", lines, want)
	}
}

// TestOneStreamInTwoFlows meters DNS between two servers by rules that test
// the destination port and do not save the source's: both directions match as
// they come, and make a flow each. Either has half of the stream: no pairs, and
// its question lost.
func TestOneStreamInTwoFlows(t *testing.T) {
	rs := rules(t, `
  DestTransAddress & 255.255 = 53: PushRuleToAct, count;
  Null & 0 = 0: NoMatch, 0;
count:
  SourcePeerAddress & 255.255.255.255 = 0: PushPktToAct, Next;
  DestPeerAddress & 255.255.255.255 = 0: PushPktToAct, Next;
  ToTurnaroundTime & 1.3.1!2 = 2.dns: PushPktToAct, Next;
  FromTurnaroundTime & 1.3.1!2 = 2.dns: PushPktToAct, Next;
  ToLostPDUs & 1.0.0!1 = 2.dns: PushPktToAct, Next;
  Null & 0 = 0: Count, 0;
`)
	question, answer := make([]byte, 12), make([]byte, 12)
	question[1], answer[1], answer[2] = 7, 7, 0x80
	frame := func(src, dst string, port int, payload []byte) traces.Packet {
		return tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(src, dst).UDP(port, 53).Raw(0, payload))[0]
	}
	there, back := frame("192.0.2.1", "192.0.2.2", 53, question), frame("192.0.2.2", "192.0.2.1", 53, answer)
	asked := frame("192.0.2.1", "192.0.2.2", 4000, question)
	answered := tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("192.0.2.2", "192.0.2.1").UDP(53, 4000).Raw(0, answer))[0]
	there.Time, back.Time, asked.Time, answered.Time = 1e9, 1e9+1e6, 2e9, 2e9+1e6
	end := there
	end.Time = 10e9
	lines, stats := diaryOf(t, Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: 10}, []traces.Packet{there, back, asked, answered, end}, 1)
	want := []string{"9: 3/1 until 9 [[1 0 0] [0 0 0] [2 1 0]] 1/0 until 0 [[0 0 0] [0 0 0] [1 0 0]]"}
	if !slices.Equal(lines, want) || stats.Streams.Active != 0 {
		t.Errorf("%q, %+v\nwant %q", lines, stats.Streams, want)
	}
}

// TestStreamsWhateverTheBatch meters random packets in different batches.
func TestStreamsWhateverTheBatch(t *testing.T) {
	rs := rules(t, `
  Null & 0 = 0: GotoAct, Next;
  SourcePeerAddress & 255.0.0.0 = 0: PushPktToAct, Next;
  FlowTime & 2.3.1!10000 = 6: PushPktToAct, Next;
  ToFlowPDUs & 2.0.1!100 = 6: PushPktToAct, Next;
  FromTCPRate & 2.0.1!10000 = 6: PushPktToAct, Next;
  ToTurnaroundTime & 2.3.1!10000 = 6: PushPktToAct, Next;
  ToTurnaroundTime1 & 2.3.1!10000 = 6.tcp_data: PushPktToAct, Next;
  ToLostPDUs & 1.0.0!3 = 4.tcp_syn: PushPktToAct, Next;
  ToPDURate & 1.0.0!10 = 11.1: PushPktToAct, Next;
  Null & 0 = 0: Count, 0;
`)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 5))
		cfg := Config{
			RuleSets: []*ruleset.RuleSet{rs, finest()}, MaxFlows: 1 + r.IntN(300),
			Interval: time.Duration(1+r.IntN(10)) * time.Second, InactivityTimeout: time.Duration(r.IntN(10)) * time.Second,
		}
		cfg.Streams.MaxStreams = 1 + r.IntN(100)
		packets := randomTrace(r, 400)
		lines, stats := diaryOf(t, cfg, packets, 1)
		again, stats2 := diaryOf(t, cfg, packets, 2)
		if !slices.Equal(lines, again) || !reflect.DeepEqual(stats, stats2) {
			t.Fatalf("seed %d: other batches, other flows:\n%s\n%s", seed, strings.Join(lines, "\n"), strings.Join(again, "\n"))
		}
		if stats.Streams.Created == 0 || stats.Streams.Active != 0 {
			t.Errorf("%+v", stats.Streams)
		}
	}
}
