package format_test

import (
	"bytes"
	"io"
	"reflect"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestERF reads one record of each type. The types and their layouts are those
// of Endace's document.
func TestERF(t *testing.T) {
	frame := []byte("0123456789abcdef")
	ppp := []byte{0xff, 0x03, 0x00, 0x21, 0x45}
	cisco := []byte{0x8f, 0x00, 0x08, 0x00, 0x45}
	relay := []byte{0x18, 0x41, 0x03, 0xcc, 0x45}
	snap := []byte{0xaa, 0xaa, 0x03, 0, 0, 0, 0x08, 0x00}
	behind := func(n int, b []byte) []byte { return append(bytes.Repeat([]byte{0xee}, n), b...) }
	cell := func(n int, b []byte) []byte {
		return append(append(bytes.Repeat([]byte{0xee}, n), 0, 0xa0, 6, 0x70), b...)
	}
	const time = 1_500_000_000_123_456_789

	for _, c := range []struct {
		name string
		rec  tracetest.Record
		want traces.Packet // without Time; Data nil stands for the whole record
		none bool          // no packet
		lost uint64
	}{
		{name: "ETH", rec: tracetest.Record{Type: 2, Wire: 20, Body: behind(2, frame), Lost: 3}, want: traces.Packet{Data: frame, Wire: 16, FCS: 4, Link: 1}, lost: 3},
		{name: "ETH with its check sequence", rec: tracetest.Record{Type: 2, Wire: 16, Body: behind(2, frame)}, want: traces.Packet{Data: frame[:12], Wire: 12, FCS: 4, Link: 1}},
		{name: "ETH cut", rec: tracetest.Record{Type: 2, Wire: 1518, Body: behind(2, frame)}, want: traces.Packet{Data: frame, Wire: 1514, FCS: 4, Link: 1}},
		{name: "ETH shorter than its check sequence", rec: tracetest.Record{Type: 2, Wire: 3, Body: behind(2, nil)}, want: traces.Packet{Data: []byte{}, Wire: 0, FCS: 3, Link: 1}},
		{name: "COLOR_ETH", rec: tracetest.Record{Type: 11, Wire: 20, Body: behind(2, frame), Lost: 3}, want: traces.Packet{Data: frame, Wire: 16, FCS: 4, Link: 1}},
		{name: "DSM_COLOR_ETH", rec: tracetest.Record{Type: 16, Wire: 20, Body: behind(2, frame), Lost: 3}, want: traces.Packet{Data: frame, Wire: 16, FCS: 4, Link: 1}},
		{name: "COLOR_HASH_ETH", rec: tracetest.Record{Type: 20, Wire: 20, Body: behind(2, frame), Lost: 3}, want: traces.Packet{Data: frame, Wire: 16, FCS: 4, Link: 1}},
		{name: "extension headers", rec: tracetest.Record{Type: 2, Wire: 20, Body: behind(2, frame), Ext: [][8]byte{{3, 1}, {4, 2}, {5, 3}}}, want: traces.Packet{Data: frame, Wire: 16, FCS: 4, Link: 1}},
		{name: "padding", rec: tracetest.Record{Type: 1, Wire: 5, Body: append(ppp[:5:5], 0, 0, 0)}, want: traces.Packet{Data: ppp, Wire: 5, Link: 50}},
		{name: "interface 3", rec: tracetest.Record{Type: 1, Flags: 0xbe, Wire: 5, Body: ppp}, want: traces.Packet{Data: ppp, Wire: 5, Link: 50, Interface: 3}},
		{name: "interface 8", rec: tracetest.Record{Type: 1, Flags: 0x43, Wire: 5, Body: ppp}, want: traces.Packet{Data: ppp, Wire: 5, Link: 50, Interface: 8}},
		{name: "HDLC_POS, PPP", rec: tracetest.Record{Type: 1, Wire: 40, Body: ppp, Lost: 65535}, want: traces.Packet{Data: ppp, Wire: 40, Link: 50}, lost: 65535},
		{name: "HDLC_POS, Cisco", rec: tracetest.Record{Type: 1, Wire: 40, Body: cisco}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}},
		{name: "HDLC_POS, frame relay", rec: tracetest.Record{Type: 1, Wire: 40, Body: relay}, want: traces.Packet{Data: relay, Wire: 40, Link: 107}},
		{name: "HDLC_POS, compressed PPP", rec: tracetest.Record{Type: 1, Wire: 40, Body: []byte{0x21, 0x45}}, want: traces.Packet{Data: []byte{0x21, 0x45}, Wire: 40, Link: 50}},
		{name: "COLOR_HDLC_POS", rec: tracetest.Record{Type: 10, Wire: 40, Body: cisco, Lost: 3}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}},
		{name: "DSM_COLOR_HDLC_POS", rec: tracetest.Record{Type: 15, Wire: 40, Body: cisco, Lost: 3}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}},
		{name: "COLOR_HASH_POS", rec: tracetest.Record{Type: 19, Wire: 40, Body: cisco, Lost: 3}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}},
		{name: "MC_HDLC", rec: tracetest.Record{Type: 5, Wire: 40, Body: behind(4, cisco), Lost: 3}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}, lost: 3},
		{name: "COLOR_MC_HDLC_POS", rec: tracetest.Record{Type: 17, Wire: 40, Body: behind(4, cisco), Lost: 3}, want: traces.Packet{Data: cisco, Wire: 40, Link: 104}},
		{name: "AAL5", rec: tracetest.Record{Type: 4, Wire: 12, Body: behind(4, snap)}, want: traces.Packet{Data: snap, Wire: 12, Link: 100}},
		{name: "MC_AAL5", rec: tracetest.Record{Type: 9, Wire: 12, Body: behind(8, snap)}, want: traces.Packet{Data: snap, Wire: 12, Link: 100}},
		{name: "ATM, first cell", rec: tracetest.Record{Type: 3, Wire: 52, Body: cell(0, snap)}, want: traces.Packet{Data: snap, Wire: 52, Link: 100}},
		{name: "ATM, later cell", rec: tracetest.Record{Type: 3, Wire: 52, Body: cell(0, frame)}, none: true},
		{name: "MC_ATM", rec: tracetest.Record{Type: 7, Wire: 52, Body: cell(4, snap)}, want: traces.Packet{Data: snap, Wire: 52, Link: 100}},
		{name: "IPV4", rec: tracetest.Record{Type: 22, Wire: 20, Body: frame}, want: traces.Packet{Data: frame, Wire: 20, Link: 228}},
		{name: "IPV6", rec: tracetest.Record{Type: 23, Wire: 20, Body: frame}, want: traces.Packet{Data: frame, Wire: 20, Link: 229}},
		{name: "INFINIBAND", rec: tracetest.Record{Type: 21, Wire: 20, Body: frame}, want: traces.Packet{Data: frame, Wire: 20, Link: 247}},
		{name: "MC_RAW", rec: tracetest.Record{Type: 6, Wire: 20, Body: behind(4, frame)}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "MC_RAW_CHANNEL", rec: tracetest.Record{Type: 8, Wire: 20, Body: behind(4, frame)}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "MC_AAL2", rec: tracetest.Record{Type: 12, Wire: 20, Body: behind(4, frame)}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "AAL2", rec: tracetest.Record{Type: 18, Wire: 20, Body: behind(4, frame)}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "RAW_LINK", rec: tracetest.Record{Type: 24, Wire: 20, Body: frame}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "INFINIBAND_LINK", rec: tracetest.Record{Type: 25, Wire: 20, Body: frame}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "META", rec: tracetest.Record{Type: 27, Wire: 16, Body: frame, Lost: 9}, none: true},
		{name: "PAD", rec: tracetest.Record{Type: 48, Body: frame, Lost: 9}, none: true},
		{name: "OPA_SNC", rec: tracetest.Record{Type: 28, Wire: 20, Body: frame}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "OPA_9B", rec: tracetest.Record{Type: 29, Wire: 20, Body: frame}, want: traces.Packet{Wire: 20, Link: 197}},
		{name: "TCP_FLOW_COUNTER", rec: tracetest.Record{Type: 14, Wire: 16, Body: frame, Lost: 9}, none: true},
		{name: "IP_COUNTER", rec: tracetest.Record{Type: 13, Wire: 16, Body: frame, Lost: 9}, none: true},
	} {
		c.rec.Time = time
		b := c.rec.Bytes()
		want := traces.Stats{Records: 2, Lost: c.lost, Bytes: uint64(2 * len(b))}
		var packets []traces.Packet
		if c.none {
			want.Skipped = 2
		} else {
			p := c.want
			p.Time = time
			if p.Interface == 0 {
				p.Interface = 1
			}
			if p.Data == nil {
				p.Data = b
			}
			packets = []traces.Packet{p, p}
			if c.lost > 0 {
				want.Lost *= 2
				want.PerInterface = []traces.InterfaceStats{{Number: p.Interface, Lost: want.Lost}}
			}
		}
		src, err := format.NewReader(bytes.NewReader(append(b[:len(b):len(b)], b...)), "f")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Errorf("%s: %v", c.name, err)
		}
		tracetest.Same(t, c.name, got, packets)
		if len(got) > 0 && got[0].FCS != c.want.FCS {
			t.Errorf("%s: FCS %d, want %d", c.name, got[0].FCS, c.want.FCS)
		}
		st := src.Stats()
		st.Cut = 0 // TestFormatsAgree compares it
		if !reflect.DeepEqual(st, want) {
			t.Errorf("%s: %+v, want %+v", c.name, st, want)
		}
	}
}

func TestERFTimes(t *testing.T) {
	for stamp, want := range map[uint64]int64{
		0: 0, 1 << 32: 1e9, 1<<32 | 1<<31: 15e8, 1: 0, 2: 0, 3: 1, 4: 1, 1<<32 - 1: 1e9, 1<<64 - 1: 1 << 32 * 1e9,
	} {
		rec := tracetest.Record{Type: 1, Wire: 4, Body: []byte("0123")}.Bytes()
		for i := range 8 {
			rec[i] = byte(stamp >> (8 * i))
		}
		got, err := readAll(t, bytes.NewReader(rec))
		if err != io.EOF || len(got) != 1 || got[0].Time != want {
			t.Errorf("%#x: %v, want %d; error %v", stamp, got, want, err)
		}
	}
}

func TestERFDamage(t *testing.T) {
	body := []byte("\xff\x03cdefghijklmnop")
	rec := tracetest.Record{Type: 1, Wire: 16, Body: body}.Bytes()
	five := bytes.Repeat(rec, 5)
	var want []traces.Packet
	for range 5 {
		want = append(want, traces.Packet{Data: body, Wire: 16, Link: 50, Interface: 1})
	}
	short := append([]byte(nil), rec...)
	short[11] = 15
	chain := tracetest.Record{Type: 22, Wire: 16, Ext: [][8]byte{{1}, {2}}}.Bytes()
	chain[24] |= 0x80 // a third extension header follows
	eth := tracetest.Record{Type: 2, Wire: 16, Body: []byte{0}}.Bytes()
	other := tracetest.Record{Type: 99, Body: body}.Bytes()
	stats := traces.Stats{Records: 5}
	run(t, []vector{
		{name: "cut", file: append(five[:160:160], rec[:20]...), want: want, stats: stats, err: "f: erf: record 6 at offset 0xa0: truncated: 20 of 32 octets"},
		{name: "header cut", file: append(five[:160:160], rec[:7]...), want: want, stats: stats, err: "f: erf: record 6 at offset 0xa0: truncated: 7 of 16 octets"},
		{name: "short", file: append(five[:160:160], short...), want: want, stats: stats, err: "f: erf: record 6 at offset 0xa0: corrupt: length 15 is less than its header, 16"},
		{name: "extension headers beyond the end", file: append(five[:160:160], chain...), want: want, stats: stats, err: "f: erf: record 6 at offset 0xa0: corrupt: length 32 is less than its headers"},
		{name: "no room for Ethernet's padding", file: append(five[:160:160], eth...), want: want, stats: stats, err: "f: erf: record 6 at offset 0xa0: corrupt: length 17 is less than its headers, 18"},
		{name: "unknown type", file: append(five[:160:160], other...), want: want, stats: traces.Stats{Records: 6, Skipped: 1}},
		{name: "unknown type first", file: append(other, five...), err: "f: begins with 00 00 00 00 00 00 00 00: not a trace of a known format"},
	})
}
