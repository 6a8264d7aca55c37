package acceptance

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rtfm/traces/tracetest"
)

// TestLiveDevices meters two packets that go and one that comes back at a
// tunnel, at the loopback interface, and at a port of a bridge. They are one
// flow, with the interfaces that they have come in and gone out at, and with the
// octets that they have there.
func TestLiveDevices(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.srl")
	if err := os.WriteFile(rules, []byte(`if SourceTransType == udp save; else ignore;
		save SourcePeerAddress; save DestPeerAddress; save SourceInterface; save DestInterface; count;
		format SourceInterface " " DestInterface " " ToPDUs " " FromPDUs " " ToOctets " " FromOctets;`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		device string
		ends   func(t *testing.T) [2]func(payload int) // make the device, and send there and back
		header int                                     // octets of all headers of a packet
		want   string                                  // SourceInterface and DestInterface; N is the device's number
	}{
		{"tun0", tunnelEnds, 20 + 8, "0 N"},
		{"lo", loopbackEnds, 14 + 20 + 8, "N N"},
		{"eb", bridgeEnds, 14 + 20 + 8, "N 0"},
	} {
		t.Run(tt.device, func(t *testing.T) {
			tracetest.Network(t)
			ends := tt.ends(t)
			file := filepath.Join(t.TempDir(), "flows")
			p := startLive(t, 1, "run", "-i", tt.device, "-r", rules, "-F", file)
			ends[0](3)
			ends[0](50)
			ends[1](1000)
			p.endLive()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			number := fmt.Sprint(tracetest.Index(t, tt.device))
			want := fmt.Sprintf("%s 2 1 %d %d\n", strings.ReplaceAll(tt.want, "N", number), 3+50+2*tt.header, 1000+tt.header)
			if got := strings.Join(onlyFlows(t, string(text)), ""); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// tunnelEnds are a socket of this machine and a station behind a tunnel.
func tunnelEnds(t *testing.T) [2]func(payload int) {
	tun := tracetest.NewTun(t, "tun0", syscall.ARPHRD_NONE)
	here := udpSocket(t, "10.9.0.1:1")
	return [2]func(payload int){
		func(n int) { sendTo(t, here, "10.9.0.2:2", n) },
		func(n int) {
			frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.9.0.2", "10.9.0.1").UDP(2, 1).Payload(n).Bytes()
			if _, err := tun.Write(frame[14:]); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// loopbackEnds are two sockets of this machine.
func loopbackEnds(t *testing.T) [2]func(payload int) {
	a, b := udpSocket(t, "127.0.0.1:1"), udpSocket(t, "127.0.0.2:2")
	return [2]func(payload int){
		func(n int) { sendTo(t, a, "127.0.0.2:2", n) },
		func(n int) { sendTo(t, b, "127.0.0.1:1", n) },
	}
}

// bridgeEnds are stations behind two ports of a bridge, the first of them behind
// eb.
func bridgeEnds(t *testing.T) [2]func(payload int) {
	tracetest.Run(t, "ip link add ec type veth peer name ed")
	tracetest.Run(t, "ip link add name br0 type bridge")
	tracetest.Run(t, "ip link set eb master br0")
	tracetest.Run(t, "ip link set ed master br0")
	tracetest.Up(t, "ec", "ed", "br0")
	a, c := tracetest.NewSender(t, "ea"), tracetest.NewSender(t, "ec")
	return [2]func(payload int){
		func(n int) {
			a.Send(tracetest.Eth("02:00:00:00:00:0a", "02:00:00:00:00:0c").IPv4("10.0.0.1", "10.0.0.2").UDP(1, 2).Payload(n).Bytes())
		},
		func(n int) {
			c.Send(tracetest.Eth("02:00:00:00:00:0c", "02:00:00:00:00:0a").IPv4("10.0.0.2", "10.0.0.1").UDP(2, 1).Payload(n).Bytes())
		},
	}
}

// udpSocket returns a socket at an address of the test's namespace.
func udpSocket(t *testing.T, at string) net.PacketConn {
	conn, err := net.ListenPacket("udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// sendTo sends a datagram of so many octets.
func sendTo(t *testing.T, from net.PacketConn, to string, n int) {
	addr, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.WriteTo(make([]byte, n), addr); err != nil {
		t.Fatal(err)
	}
}
