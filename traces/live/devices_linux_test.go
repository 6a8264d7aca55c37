package live

import (
	"bytes"
	"encoding/binary"
	"net"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestRawIP captures at tunnels, whose packets have no link header: those that
// come in, those that are sent there as they are, and those that the kernel
// sends there. Of a hardware type that is not known the kernel tells the
// protocol, as if there had been a header.
func TestRawIP(t *testing.T) {
	for _, tt := range []struct {
		hatype uintptr
		link   traces.LinkType
	}{
		{unix.ARPHRD_NONE, traces.LinkRaw}, {unix.ARPHRD_RAWIP, traces.LinkRaw}, {unix.ARPHRD_TUNNEL, traces.LinkRaw},
		{unix.ARPHRD_TUNNEL6, traces.LinkRaw}, {unix.ARPHRD_SIT, traces.LinkRaw}, {unix.ARPHRD_PPP, traces.LinkLinuxSLL},
	} {
		tracetest.Network(t)
		tun := tracetest.NewTun(t, "tun0", tt.hatype)
		c := open(t, nil, "tun0")
		ip := func(f tracetest.Frame) []byte { return f.Bytes()[14:] }
		eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
		in := [][]byte{
			ip(eth.IPv4("10.9.0.2", "10.9.1.1").UDP(1, 2).Payload(100)), // nobody is there to answer
			ip(eth.IPv6("2001:db8::2", "2001:db8::1").UDP(1, 2).Payload(1000)),
		}
		out := [][]byte{
			ip(eth.IPv4("10.9.0.1", "10.9.0.2").UDP(2, 1).Payload(10)),
			ip(eth.IPv6("2001:db8::1", "2001:db8::2").UDP(2, 1)),
		}
		for _, b := range in {
			if _, err := tun.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		tracetest.NewSender(t, "tun0").Send(out...)
		conn, err := net.Dial("udp", "10.9.0.2:9")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("five.")); err != nil {
			t.Fatal(err)
		}
		// What goes out last is what can be read there last.
		var last []byte
		for b := make([]byte, 2000); !bytes.HasSuffix(last, []byte("five.")); {
			n, err := tun.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			last = bytes.Clone(b[:n])
		}
		want := append(append(in, out...), last)
		got := c.rest()
		if len(got) != len(want) || len(last) != 20+8+5 {
			t.Fatalf("type %d: %d packets, want %d, the last of %d octets", tt.hatype, len(got), len(want), len(last))
		}
		for i, p := range got {
			header, direction, pkttype := 0, traces.Incoming, unix.PACKET_HOST
			if i >= len(in) {
				direction, pkttype = traces.Outgoing, unix.PACKET_OUTGOING
			}
			if tt.link == traces.LinkLinuxSLL {
				header = headroom
				version, protocol := want[i][0]>>4, unix.ETH_P_IP
				if version == 6 {
					protocol = unix.ETH_P_IPV6
				}
				if be := binary.BigEndian; be.Uint16(p.Data) != uint16(pkttype) || be.Uint16(p.Data[2:]) != uint16(tt.hatype) || be.Uint16(p.Data[14:]) != uint16(protocol) {
					t.Errorf("type %d: packet %d has the header % x", tt.hatype, i, p.Data[:header])
				}
			}
			if !bytes.Equal(p.Data[header:], want[i]) || int(p.Wire) != header+len(want[i]) || p.Link != tt.link ||
				p.Direction != direction || p.Interface != uint32(tracetest.Index(t, "tun0")) {
				t.Errorf("type %d: packet %d is %+v, want % x, direction %d", tt.hatype, i, p, want[i], direction)
			}
		}
	}
}

// TestBridge captures at a bridge, promiscuous, and at both of its ports, which
// pass packets between stations behind them: they come in at one and go out at
// the other.
func TestBridge(t *testing.T) {
	tracetest.Network(t)
	tracetest.Run(t, "ip link add ec type veth peer name ed")
	tracetest.Run(t, "ip link add name br0 type bridge")
	for _, port := range []string{"eb", "ed"} {
		tracetest.Run(t, "ip link set "+port+" master br0")
	}
	tracetest.Up(t, "ec", "ed", "br0")
	stations := [2]string{"02:00:00:00:00:0a", "02:00:00:00:00:0c"}
	sent := [2][]byte{
		tracetest.Eth(stations[0], stations[1]).IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Bytes(),
		tracetest.Eth(stations[1], stations[0]).IPv4("10.0.0.2", "10.0.0.1").UDP(2, 1).Bytes(),
	}
	number := func(name string) uint32 { return uint32(tracetest.Index(t, name)) }
	c := open(t, nil, "eb", "ed", "br0")
	var got [2]map[uint32]traces.Direction
	for i, name := range []string{"ea", "ec"} {
		tracetest.NewSender(t, name).Send(sent[i])
		got[i] = map[uint32]traces.Direction{}
		others := func(p traces.Packet) bool { return !bytes.Equal(p.Data, sent[i]) } // of the kernel, to groups
		seen := c.read(func(ps []traces.Packet) bool { return len(slices.DeleteFunc(slices.Clone(ps), others)) >= 3 })
		for _, p := range slices.DeleteFunc(seen, others) {
			if int(p.Wire) != len(sent[i]) {
				t.Errorf("%+v of %d octets", p, len(sent[i]))
			}
			got[i][p.Interface] = p.Direction
		}
	}
	want := [2]map[uint32]traces.Direction{
		{number("eb"): traces.Incoming, number("ed"): traces.Outgoing, number("br0"): traces.Passing},
		{number("ed"): traces.Incoming, number("eb"): traces.Outgoing, number("br0"): traces.Passing},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
