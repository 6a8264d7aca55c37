package netflow_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/traces/format"

	"rtfm/meter/packet"
	"rtfm/traces"
	"rtfm/traces/netflow"
	"rtfm/traces/tracetest"
)

func datagram(p *traces.Packet) (netip.AddrPort, []byte, int) {
	return packet.Datagram(p.Link, p.Data, p.Wire)
}

// export returns a datagram of NetFlow 5 with so many records, which count 1,
// 2, 3 and so on packets.
func export(sequence uint32, count int) []byte {
	b := make([]byte, 24+48*count)
	b[1], b[3] = 5, byte(count)
	binary.BigEndian.PutUint32(b[16:], sequence)
	for i := range count {
		b[24+48*i+19], b[24+48*i+38] = byte(i+1), 17
	}
	return b
}

// frame returns a packet that brings a datagram.
func frame(b []byte) tracetest.Frame {
	return tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").UDP(999, 2055).Raw(0, b)
}

// TestSource reads a trace in which there is all sorts of packets.
func TestSource(t *testing.T) {
	packets := tracetest.Packets(
		frame(export(0, 30)), frame([]byte("not that")), frame(nil),
		tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.1", "10.0.0.2").TCP(1, 2, tracetest.SYN),
		frame(export(32, 5)), // two are missing
	)
	trace := tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)
	inner, err := format.NewReader(bytes.NewReader(append(trace, 1, 2, 3)), "t.pcap")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	src := netflow.NewSource(inner, datagram, netflow.Config{Notify: func(s string) { told = append(told, s) }})
	defer src.Close()
	var sum uint64
	n := 0
	b := traces.NewBatch(7)
	for err = src.ReadBatch(b); err == nil; err = src.ReadBatch(b) {
		if len(b.Packets) == 0 || len(b.Packets) > 7 || len(b.Records) != len(b.Packets) || b.File != "t.pcap" {
			t.Fatalf("a batch of %d packets, %d records, of %q", len(b.Packets), len(b.Records), b.File)
		}
		for i, r := range b.Records {
			want := packets[0].Time
			if n >= 30 {
				want = packets[4].Time
			}
			if b.Packets[i].Time != want || r.Meter != [4]byte{10, 0, 0, 1} {
				t.Errorf("record %d at %d of %v", n, b.Packets[i].Time, r.Meter)
			}
			sum += r.PDUs
			n++
		}
	}
	var damage *format.Error
	if !errors.As(err, &damage) || damage.Record != 6 {
		t.Errorf("error %v", err)
	}
	if n != 35 || sum != 30*31/2+5*6/2 {
		t.Errorf("%d records that count %d packets", n, sum)
	}
	if st := src.Stats(); st.Records != 5 || st.Skipped != 3 || st.Lost != 2 || len(st.PerInterface) != 1 {
		t.Errorf("%+v", st)
	}
	if len(told) != 1 || !strings.Contains(told[0], "10.0.0.1:999: sequence number 32 ") {
		t.Errorf("told %q", told)
	}
}

// TestListen receives datagrams, until the context is done.
func TestListen(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	src, err := netflow.Listen(ctx, "127.0.0.1:0", netflow.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b traces.Batch
	before := time.Now().UnixNano()
	if err := src.ReadBatch(&b); err != nil || len(b.Packets) != 0 || b.Until <= before {
		t.Fatalf("%d packets until %d, %v: nothing has come", len(b.Packets), b.Until, err)
	}
	conn, err := net.Dial("udp", strings.TrimPrefix(b.File, "netflow://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, d := range [][]byte{[]byte("not that"), export(0, 2), export(2, 3)} {
		if _, err := conn.Write(d); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for n < 5 {
		if err := src.ReadBatch(&b); err != nil {
			t.Fatal(err)
		}
		n += len(b.Records)
		for i := range b.Packets {
			if at := b.Packets[i].Time; at <= before || at > time.Now().UnixNano() {
				t.Errorf("a record at %d", at)
			}
		}
	}
	if st := src.Stats(); st.Records != 3 || st.Skipped != 1 || st.Lost != 0 {
		t.Errorf("%+v", st)
	}
	cancel()
	for err == nil {
		err = src.ReadBatch(&b)
	}
	if err != io.EOF {
		t.Errorf("error %v at the end", err)
	}
}

// TestTshark compares the records of given traces with what tshark finds there.
func TestTshark(t *testing.T) {
	tshark := tracetest.Require(t, "tshark")
	dir := tracetest.Require(t, "traces")
	for _, name := range []string{"scapy/netflowv9.pcap"} {
		path := filepath.Join(dir, "traces", name)
		out, err := exec.Command(tshark, "-r", path, "-Y", "cflow.packets", "-T", "fields",
			"-e", "cflow.srcaddr", "-e", "cflow.dstaddr", "-e", "cflow.packets", "-e", "cflow.octets", "-e", "cflow.inputint", "-e", "cflow.outputint").Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for line := range strings.Lines(string(out)) {
			columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			for i := range strings.Split(columns[0], ",") {
				var record []string
				for _, c := range columns {
					record = append(record, strings.Split(c, ",")[i])
				}
				want = append(want, strings.Join(record, " "))
			}
		}
		inner, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		src := netflow.NewSource(inner, datagram, netflow.Config{})
		defer src.Close()
		var got []string
		var b traces.Batch
		for src.ReadBatch(&b) == nil {
			for i, r := range b.Records {
				ip := b.Packets[i].Data
				address := func(b []byte) string { return netip.AddrFrom4([4]byte(b)).String() }
				got = append(got, strings.Join([]string{address(ip[12:]), address(ip[16:]),
					strconv.FormatUint(r.PDUs, 10), strconv.FormatUint(r.Octets, 10),
					strconv.Itoa(int(r.Input)), strconv.Itoa(int(r.Output))}, " "))
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") || len(got) == 0 {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestPartial tells of export datagrams that a trace has not in one piece, and of
// nothing else that is not whole.
func TestPartial(t *testing.T) {
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	fragments := func(b []byte) (first, second tracetest.Frame) {
		udp := append([]byte{3, 231, 8, 7, byte((8 + len(b)) >> 8), byte(8 + len(b)), 0, 0}, b...)
		raw := func(part []byte, offset int, more bool) tracetest.Frame {
			return eth.IPv4("10.0.0.1", "10.0.0.2", tracetest.IP{ID: 7, Offset: offset, More: more}).Raw(17, part)
		}
		return raw(udp[:800], 0, true), raw(udp[800:], 800, false)
	}
	first, second := fragments(export(0, 30))
	other, _ := fragments(make([]byte, 1400))
	packets := tracetest.Packets(first, second, frame(export(30, 30)), frame(export(60, 30)), other, frame([]byte("not that, but cut")))
	for _, i := range []int{3, 5} { // not captured whole
		packets[i].Data = packets[i].Data[:len(packets[i].Data)-2]
	}
	inner, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{}, packets...)), "t.pcap")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	src := netflow.NewSource(inner, datagram, netflow.Config{Notify: func(s string) { told = append(told, s) }})
	defer src.Close()
	n := 0
	var b traces.Batch
	for err = src.ReadBatch(&b); err == nil; err = src.ReadBatch(&b) {
		n += len(b.Records)
	}
	if err != io.EOF || n != 30 || src.Stats().Skipped != 5 {
		t.Errorf("%d records, %+v, %v", n, src.Stats(), err)
	}
	if len(told) != 2 || !strings.Contains(told[0], "10.0.0.1:999: it was sent in fragments") || !strings.HasPrefix(told[1], "2 export datagrams were sent in fragments") {
		t.Errorf("told %q", told)
	}
}

// TestNoExports: a trace that has packets, but no export datagram, is not what it
// was taken for; one without packets is.
func TestNoExports(t *testing.T) {
	for _, c := range []struct {
		frames    []tracetest.Frame
		exporters []netip.Prefix
		want      error
	}{
		{nil, nil, io.EOF},
		{[]tracetest.Frame{frame([]byte("not that")), frame([]byte("nor this"))}, nil, netflow.ErrNoExports},
		{[]tracetest.Frame{frame(export(0, 1))}, []netip.Prefix{netip.MustParsePrefix("10.0.0.9/32")}, io.EOF},
	} {
		inner, err := format.NewReader(bytes.NewReader(tracetest.PCAP(tracetest.PCAPOptions{}, tracetest.Packets(c.frames...)...)), "t.pcap")
		if err != nil {
			t.Fatal(err)
		}
		src := netflow.NewSource(inner, datagram, netflow.Config{Exporters: c.exporters})
		var b traces.Batch
		err = src.ReadBatch(&b)
		if !errors.Is(err, c.want) {
			t.Errorf("%d packets: %v, want %v", len(c.frames), err, c.want)
		}
		if err != io.EOF && !strings.HasPrefix(err.Error(), "t.pcap: 2 packets: no packet holds an export datagram") {
			t.Errorf("%q", err)
		}
		src.Close()
	}
}
