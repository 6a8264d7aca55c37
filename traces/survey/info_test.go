package survey_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/traces/survey"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestInfo tells of packets with known times, lengths and interfaces.
func TestInfo(t *testing.T) {
	frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(58).Bytes()
	ng := new(tracetest.NG).Section(true)
	ng.Interface(traces.LinkEthernet, 60, ng.Option(2, []byte("eth0\x00")...), ng.Resolution(9)).
		Interface(traces.LinkIPv4, 0, ng.Resolution(0x80|20)).
		Interface(traces.LinkEthernet, 0)
	for _, second := range []uint64{100, 103, 101, 104, 117, 102} {
		ng.Packet(0, second*1e9, frame[:60], uint32(len(frame)))
	}
	ng.Packet(1, 118<<20, frame[14:], uint32(len(frame)-14))
	ng.Dropped(0, 7)

	src, err := format.NewReader(bytes.NewReader(append(ng.Bytes(), 1, 2, 3)), "t")
	if err != nil {
		t.Fatal(err)
	}
	info := survey.NewInfo(context.Background(), src, 3*time.Second)
	if info.Damage == nil || !strings.Contains(info.Damage.Error(), "truncated: 3 of 12 octets") {
		t.Errorf("damage %v", info.Damage)
	}
	info.Damage = nil
	want := survey.Info{
		Description: traces.Description{Format: "pcapng", Detail: "big-endian", Interfaces: []traces.Interface{
			{Number: 1, Name: "eth0", Link: traces.LinkEthernet, Snap: 60, Unit: "1 ns"},
			{Number: 2, Link: traces.LinkIPv4, Unit: "2^-20 s"},
			{Number: 3, Link: traces.LinkEthernet, Unit: "1 µs"},
		}},
		Stats:   traces.Stats{Records: 12, Skipped: 5, Cut: 6, Lost: 7, Bytes: uint64(len(ng.Bytes()) + 3)},
		Packets: 7, Octets: 686, Captured: 446, Longest: 86,
		First: 100e9, Last: 118e9, Early: 2, EarlyMost: 15 * time.Second,
		Gaps: 2, LongestGap: 13 * time.Second, GapAt: 104e9,
	}
	rows := []survey.Traffic{
		{Interface: want.Interfaces[0], Packets: 6, Octets: 600, Captured: 360},
		{Interface: want.Interfaces[1], Packets: 1, Octets: 86, Captured: 86},
		{Interface: want.Interfaces[2]},
	}
	if !slices.Equal(info.Traffic, rows) {
		t.Errorf("traffic\n%+v\nwant\n%+v", info.Traffic, rows)
	}
	var got, wanted bytes.Buffer
	want.Traffic = rows
	info.WriteText(&got, "t")
	want.WriteText(&wanted, "t")
	info.WriteJSON(&got, "t")
	want.WriteJSON(&wanted, "t")
	if got.String() != wanted.String() || !slices.Equal(info.Interfaces, want.Interfaces) {
		t.Errorf("%s\n%+v\nwant\n%s", got.String(), info.Interfaces, wanted.String())
	}
	if line := got.String(); !json.Valid([]byte(line[strings.Index(line, "{"):])) {
		t.Errorf("not JSON: %s", line)
	}
}

// TestInfoOfNothing wants no times of a trace without packets.
func TestInfoOfNothing(t *testing.T) {
	src, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{})), "t")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	info := survey.NewInfo(context.Background(), src, 0)
	info.WriteText(&text, "t")
	if info.Packets != 0 || info.Gaps != 0 || strings.Contains(text.String(), "first") {
		t.Errorf("%s", text.String())
	}
}
