package tracetest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"rtfm/traces"
)

// Provider returns the packets of traces/testdata/provider.pcap.gz: twelve minutes
// at the edge of a small provider, between its customers and the Internet. The
// customers have a VLAN each, or a label of MPLS, and speak IPv4 and IPv6; there
// are web, video, names, mail, telephony, backups, tunnels, a scan of ports, and
// servers near and far. All addresses are private or set aside for documentation.
//
//	10.1.0.0/22    bakery    VLAN 101, with 2001:db8:101::/48
//	10.1.4.0/24    clinic    VLAN 102
//	10.1.8.0/21    school    VLAN 103, with 2001:db8:103::/48
//	10.2.0.0/16    library   VLAN 104
//	10.3.0.0/24    town hall no VLAN, MPLS label 300
//
// Packets are cut to 100 octets. It is the same each time.
func Provider() []traces.Packet {
	p := provider{rand: rand.New(rand.NewPCG(1, 101)), port: 40000}
	p.web()
	p.names()
	p.voice()
	p.backup()
	p.others()
	slices.SortStableFunc(p.packets, func(a, b traces.Packet) int { return int(a.Time/1000 - b.Time/1000) })
	return p.packets
}

// providerStart is when the trace begins.
var providerStart = time.Date(2026, 11, 23, 7, 58, 30, 0, time.UTC)

type provider struct {
	rand    *rand.Rand
	packets []traces.Packet
	port    int // of the last client
}

// seconds returns a time within the trace.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// send adds a packet at a time after the trace's beginning: its link headers are
// those of the customer that has sent or gets it.
func (p *provider) send(at time.Duration, from, to string, dscp uint8, inner func(Frame) Frame) {
	const router, gateway = "02:00:00:00:00:01", "02:00:00:00:00:02"
	a, b := netip.MustParseAddr(from), netip.MustParseAddr(to)
	customer, f := a, Eth(gateway, router)
	if p.vlan(a) < 0 {
		customer, f = b, Eth(router, gateway)
	}
	switch vlan := p.vlan(customer); {
	case vlan > 0 && dscp == 46:
		f = f.VLAN(5<<13 | vlan)
	case vlan > 0:
		f = f.VLAN(vlan)
	default:
		f = f.MPLS(300)
	}
	if a.Is4() {
		f = f.IPv4(from, to, IP{TOS: dscp << 2, TTL: 60, ID: uint16(len(p.packets))})
	} else {
		f = f.IPv6(from, to, IP{TOS: dscp << 2, TTL: 60})
	}
	b2 := inner(f).Bytes()
	p.packets = append(p.packets, traces.Packet{
		Time: providerStart.Add(at).UnixNano() / 1000 * 1000, Data: b2[:min(len(b2), 100)], Wire: uint32(len(b2)),
		Link: traces.LinkEthernet, Interface: 1,
	})
}

// vlan returns the VLAN of a customer, 0 of one without, -1 of who is none.
func (p *provider) vlan(a netip.Addr) int {
	for _, c := range []struct {
		network string
		vlan    int
	}{
		{"10.1.0.0/22", 101}, {"2001:db8:101::/48", 101}, {"10.1.4.0/24", 102}, {"10.1.8.0/21", 103},
		{"2001:db8:103::/48", 103}, {"10.2.0.0/16", 104}, {"10.3.0.0/24", 0},
	} {
		if netip.MustParsePrefix(c.network).Contains(a) {
			return c.vlan
		}
	}
	return -1
}

// A connection of TCP to a server.
type connection struct {
	client, server string
	port           int
	dscp           uint8
	far            float64 // seconds to the server and back
	request, reply int     // octets
	lost           int     // how many segments of the reply are sent again
}

// tcp adds a connection that begins at a time, and returns when it ends.
func (p *provider) tcp(at time.Duration, c connection) time.Duration {
	p.port++
	port := p.port
	mine, theirs := uint32(port)<<12, uint32(port)<<14
	out := func(flags uint8, n int) {
		seq, ack := mine, theirs
		p.send(at, c.client, c.server, c.dscp, func(f Frame) Frame { return f.TCP(port, c.port, flags, seq, ack).Payload(n) })
		mine += uint32(n)
	}
	back := func(flags uint8, n int) {
		seq, ack := theirs, mine
		p.send(at, c.server, c.client, c.dscp, func(f Frame) Frame { return f.TCP(c.port, port, flags, seq, ack).Payload(n) })
		theirs += uint32(n)
	}
	way := func() { at += seconds(c.far * (1 + 0.2*p.rand.Float64())) }
	near := func() { at += seconds(0.0004 + 0.0002*p.rand.Float64()) }
	theirs--
	p.send(at, c.client, c.server, c.dscp, func(f Frame) Frame { return f.TCP(port, c.port, SYN, mine-1).Payload(0) })
	way()
	p.send(at, c.server, c.client, c.dscp, func(f Frame) Frame { return f.TCP(c.port, port, SYN|ACK, theirs, mine).Payload(0) })
	theirs++
	near()
	out(ACK, 0)
	near()
	out(ACK|PSH, c.request)
	way()
	for left, i := c.reply, 0; left > 0; i++ {
		n := min(left, 1400)
		back(ACK, n)
		if c.lost > 0 && i%4 == 1 {
			c.lost--
			theirs -= uint32(n) // the packet before did not arrive
			at += seconds(0.2 + c.far)
			back(ACK, n)
		}
		if left -= n; i%2 == 1 || left == 0 {
			near()
			out(ACK, 0)
		}
		at += seconds(0.0002)
	}
	out(FIN|ACK, 0)
	way()
	mine++
	back(FIN|ACK, 0)
	theirs++
	near()
	out(ACK, 0)
	return at
}

// udp adds a datagram with n octets of data.
func (p *provider) udp(at time.Duration, from string, fromPort int, to string, toPort int, dscp uint8, n int) {
	p.send(at, from, to, dscp, func(f Frame) Frame { return f.UDP(fromPort, toPort).Payload(n) })
}

// web adds connections to web servers near and far, of IPv4 and IPv6, and video
// over QUIC.
func (p *provider) web() {
	clients := []string{"10.1.0.20", "10.1.1.21", "10.1.8.30", "10.1.9.31", "10.2.5.40", "10.3.0.50", "10.1.4.9"}
	servers := []connection{
		{server: "198.51.100.80", port: 443, far: 0.012}, {server: "198.51.100.81", port: 443, far: 0.013},
		{server: "203.0.113.10", port: 443, far: 0.085, lost: 1}, {server: "203.0.113.11", port: 80, far: 0.120},
	}
	for at := seconds(2); at < seconds(700); at += seconds(6 + 8*p.rand.Float64()) {
		c := servers[p.rand.IntN(len(servers))]
		c.client = clients[p.rand.IntN(len(clients))]
		c.request, c.reply = 300+p.rand.IntN(300), []int{900, 4000, 12000, 30000}[p.rand.IntN(4)]
		if p.rand.IntN(3) > 0 {
			c.lost = 0
		}
		p.tcp(at, c)
	}
	for at := seconds(5); at < seconds(700); at += seconds(12 + 14*p.rand.Float64()) {
		client := []string{"2001:db8:101::20", "2001:db8:103::30", "2001:db8:103::31"}[p.rand.IntN(3)]
		p.tcp(at, connection{client: client, server: "2001:db8:80::80", port: 443, far: 0.011, request: 400, reply: 2000 + p.rand.IntN(16000)})
	}
	for at := seconds(380); at < seconds(500); at += seconds(1) { // a film
		p.udp(at, "10.1.9.31", 51443, "203.0.113.44", 443, 0, 60)
		for i := range 3 {
			p.udp(at+seconds(0.03+float64(i)/1000), "203.0.113.44", 443, "10.1.9.31", 51443, 34, 1228)
		}
	}
}

// names adds questions to name servers, one of which is slow and answers not all.
func (p *provider) names() {
	id := uint16(0)
	ask := func(at time.Duration, client, server string, far float64, answered bool) {
		id++
		port := 20000 + int(id)
		head := binary.BigEndian.AppendUint16(nil, id)
		question := []byte("\x03www\x07example\x04test\x00\x00\x01\x00\x01")
		query := append(append(head, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0), question...)
		p.send(at, client, server, 0, func(f Frame) Frame { return f.UDP(port, 53).Raw(0, query) })
		if !answered {
			return
		}
		answer := append(append(head, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0), question...)
		answer = append(answer, "\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc6\x33\x64\x50"...)
		p.send(at+seconds(far), server, client, 0, func(f Frame) Frame { return f.UDP(53, port).Raw(0, answer) })
	}
	clients := []string{"10.1.0.20", "10.1.8.30", "10.2.5.40", "10.3.0.50"}
	for at := seconds(1); at < seconds(700); at += seconds(4 + 6*p.rand.Float64()) {
		client := clients[p.rand.IntN(len(clients))]
		if p.rand.IntN(3) > 0 {
			ask(at, client, "198.51.100.53", 0.002+0.004*p.rand.Float64(), true)
		} else {
			ask(at, client, "203.0.113.53", 0.060+0.140*p.rand.Float64(), p.rand.IntN(6) > 0)
		}
	}
}

// voice adds a call of the clinic, marked EF, and its signalling.
func (p *provider) voice() {
	const phone, gateway = "10.1.4.60", "203.0.113.60"
	p.udp(seconds(60), phone, 5060, gateway, 5060, 24, 620)
	p.udp(seconds(60.03), gateway, 5060, phone, 5060, 24, 480)
	for i := range 250 {
		at := seconds(62 + float64(i)*0.02)
		p.udp(at, phone, 16384, gateway, 17000, 46, 172)
		p.udp(at+seconds(0.004+0.002*p.rand.Float64()), gateway, 17000, phone, 16384, 46, 172)
	}
	p.udp(seconds(67.2), phone, 5060, gateway, 5060, 24, 410)
}

// backup adds what the clinic sends from 08:04 on, marked CS1, and mail.
func (p *provider) backup() {
	p.port++
	port := p.port
	seq := uint32(1)
	at := seconds(330)
	for range 240 {
		p.send(at, "10.1.4.9", "198.51.100.99", 8, func(f Frame) Frame { return f.TCP(port, 873, ACK, seq, 1).Payload(1400) })
		if seq += 1400; seq%2800 == 1 {
			p.send(at+seconds(0.011), "198.51.100.99", "10.1.4.9", 8, func(f Frame) Frame { return f.TCP(873, port, ACK, 1, seq).Payload(0) })
		}
		at += seconds(1 + 0.5*p.rand.Float64())
	}
	for i := range 6 {
		p.tcp(seconds(40+110*float64(i)), connection{client: "10.3.0.25", server: "203.0.113.25", port: 25, far: 0.03, request: 1300, reply: 200})
	}
}

// others adds tunnels, pings, clocks, a port that is closed, and a scan.
func (p *provider) others() {
	for i := range 60 {
		at := seconds(10 + 11*float64(i))
		p.send(at, "10.3.0.1", "203.0.113.200", 0, func(f Frame) Frame {
			return f.Raw(47, []byte{0, 0, 8, 0}).IPv4("192.168.7.2", "192.168.9.3").UDP(5000, 5001).Payload(400)
		})
		p.send(at+seconds(2), "10.2.0.1", "203.0.113.201", 0, func(f Frame) Frame {
			return f.UDP(51000, 4789).Raw(0, []byte{8, 0, 0, 0, 0, 0, 42, 0}).Eth("02:00:00:00:09:01", "02:00:00:00:09:02").
				IPv4("172.16.1.2", "172.16.1.3").TCP(3000, 5432, ACK, uint32(i)*300, 1).Payload(300)
		})
		if i%4 == 0 {
			p.udp(at+seconds(3), "10.3.0.50", 123, "198.51.100.123", 123, 0, 48)
			p.udp(at+seconds(3.008), "198.51.100.123", 123, "10.3.0.50", 123, 0, 48)
		}
		ping := seconds(0.011 + 0.003*p.rand.Float64())
		p.icmp(at, "10.1.0.20", "198.51.100.80", 8, i)
		if i%15 != 7 {
			p.icmp(at+ping, "198.51.100.80", "10.1.0.20", 0, i)
		}
	}
	for i := range 120 {
		at := seconds(400 + 0.05*float64(i))
		target := fmt.Sprintf("10.2.5.%d", 40+i%3)
		p.send(at, "192.0.2.66", target, 0, func(f Frame) Frame { return f.TCP(61000, 1+i, SYN, 77).Payload(0) })
		if i%3 == 0 {
			p.send(at+seconds(0.001), target, "192.0.2.66", 0, func(f Frame) Frame { return f.TCP(1+i, 61000, RST|ACK, 0, 78).Payload(0) })
		}
	}
}

// icmp adds an echo request or reply with 56 octets of data, of any number.
func (p *provider) icmp(at time.Duration, from, to string, kind byte, number int) {
	p.send(at, from, to, 0, func(f Frame) Frame {
		b := make([]byte, 64)
		b[0], b[5], b[7] = kind, 9, byte(number)
		binary.BigEndian.PutUint16(b[2:], checksum(b, 0))
		return f.Raw(1, b)
	})
}
