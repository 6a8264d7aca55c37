package netflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/ipfix"
	"rtfm/traces/tracetest"
)

// unwrap is an Unwrap of frames.
func unwrap(p *traces.Packet) (netip.AddrPort, []byte, int) {
	return packet.Datagram(p.Link, p.Data, p.Wire)
}

// TestInfo tells of datagrams of every version, and of what is wrong with them.
func TestInfo(t *testing.T) {
	from := func(router string, port int, b []byte) tracetest.Frame {
		return tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(router, "10.0.0.9").UDP(port, 2055).Raw(0, b)
	}
	template := octets(2, ipfix.OctetDeltaCount, 4, ipfix.PacketDeltaCount, 4)
	record := func(octetCount, pdus uint32) []byte { return octets(octetCount, pdus) }
	packets := tracetest.Packets(
		from("10.0.0.1", 1, []byte("not that")),
		from("10.0.0.1", 1, v5Datagram(1, 0, 0, 2, 2)),
		from("10.0.0.1", 2, v5Datagram(2, 5, 0, 1, 1)), // 3 records are missing
		from("10.0.0.1", 3, v9Datagram(1, 0, 7, set(256, record(100, 1), record(200, 2)), set(258, record(1, 1)))),
		from("10.0.0.1", 3, v9Datagram(2, 1, 7, set(0, 256, template), set(256, record(100, 1), record(200, 2), record(9, 0)))),
		from("10.0.0.1", 3, v9Datagram(3, 4, 7, set(256, record(300, 3)), set(258, record(1, 1)))), // 2 datagrams are missing
		from("10.0.0.1", 3, v9Datagram(4, 2, 7, set(256, record(400, 4)))),                         // that is one of them
		from("10.0.0.2", 1, ipfixMessage(0, 7, set(2, 300, template), set(300, record(5000, 50)))),
		from("10.0.0.2", 2, ipfixMessage(0, 7, set(300, record(5000, 50)), octets(300, 50, uint32(0)))), // of another sequence
		from("10.0.0.2", 1, ipfixMessage(1, 7, set(300, record(6000, 60)))),
	)
	for i := range packets {
		packets[i].Time = int64(i) * 1e9
	}
	// The datagram of the last one is captured whole, but not what fills up the frame.
	packets[0].Wire++
	packets[len(packets)-1].Wire++
	trace, err := format.NewReader(bytes.NewReader(append(tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 1, 2, 3)), "t.pcap")
	if err != nil {
		t.Fatal(err)
	}
	info := NewInfo(context.Background(), trace, unwrap, 2*time.Second)
	var damage *format.Error
	if !errors.As(info.Damage, &damage) || damage.Record != 11 {
		t.Errorf("damage %v", info.Damage)
	}
	if info.Format != "pcap" || info.Records != 10 || info.Packets != 9 || info.Cut != 1 || info.First != 1e9 || info.Last != 9e9 || info.Gaps != 0 || len(info.Traffic) != 1 {
		t.Errorf("%+v", info)
	}
	want := &Exports{Others: 1, Exporters: []Exporter{
		{Address: "10.0.0.1", Version: 5, Domain: 258, ExportCounts: ExportCounts{Datagrams: 2, Records: 3, PDUs: 6, Octets: 600, Lost: 3, Gaps: 1}},
		{Address: "10.0.0.1", Version: 9, Domain: 7, Missing: []uint16{256, 258}, ExportCounts: ExportCounts{
			Datagrams: 4, Records: 5, Uncounted: 1, PDUs: 10, Octets: 1000, Lost: 1, Gaps: 1, Unread: 3}},
		{Address: "10.0.0.2:1", Version: 10, Domain: 7, ExportCounts: ExportCounts{Datagrams: 2, Records: 2, PDUs: 110, Octets: 11000}},
		{Address: "10.0.0.2:2", Version: 10, Domain: 7, Missing: []uint16{300}, ExportCounts: ExportCounts{Datagrams: 1, Unread: 1, Malformed: 1}},
	}}
	if !reflect.DeepEqual(info.Exports, want) {
		t.Errorf("%+v\nwant\n%+v", info.Exports, want)
	}
	var text, line strings.Builder
	if err := info.WriteText(&text, "t"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"\n  exports    NetFlow 5: 2 datagrams, 3 records of 6 packets and 600 octets, 3 records lost (gaps of the sequence numbers: 1)\n",
		"\n  exports    NetFlow 9: 4 datagrams, 5 records of 10 packets and 1000 octets, 1 records of no packets, " +
			"1 datagrams lost (gaps of the sequence numbers: 1), 3 sets of records before their templates\n",
		"\n  exports    IPFIX: 3 datagrams, 2 records of 110 packets and 11000 octets, 1 datagrams malformed, 1 sets of records before their templates\n",
		"\n  others     1 packets hold no export datagram\n",
		"\n  exporter   10.0.0.1, NetFlow 9 source 7: 4 datagrams,",
		" before their templates: 256, 258\n",
		"\n  exporter   10.0.0.2:1, IPFIX domain 7: 2 datagrams, 2 records of 110 packets and 11000 octets\n",
	} {
		if !strings.Contains(text.String(), s) {
			t.Errorf("no %q in\n%s", s, text.String())
		}
	}
	if err := info.WriteJSON(&line, "t"); err != nil {
		t.Fatal(err)
	}
	var back struct{ Exports *Exports }
	if err := json.Unmarshal([]byte(line.String()), &back); err != nil || !reflect.DeepEqual(back.Exports, want) {
		t.Errorf("%v: %+v of %s", err, back.Exports, line.String())
	}
}

// TestInfoBounds wants no more rows than there may be, and all counted.
func TestInfoBounds(t *testing.T) {
	s := &datagrams{unwrap: func(p *traces.Packet) (netip.AddrPort, []byte, int) { return netip.AddrPort{}, p.Data, len(p.Data) }, rows: make(map[domainID]int)}
	const n = maxDomains + 10
	for i := range uint32(n) {
		s.packet(&traces.Packet{Data: ipfixMessage(0, i, set(256+int(i%1000), uint32(0)))})
	}
	x := s.exports.Exporters
	if last := x[len(x)-1]; len(x) != maxDomains || last.Datagrams != 11 || len(last.Missing) != 11 {
		t.Errorf("%d exporters, the last of them %+v", len(x), last)
	}
	for i := range 100 {
		s.packet(&traces.Packet{Data: ipfixMessage(0, 0, set(300+i, uint32(0)))})
	}
	if x[0].Unread != 101 || len(x[0].Missing) != maxMissing {
		t.Errorf("%+v", x[0])
	}
}
