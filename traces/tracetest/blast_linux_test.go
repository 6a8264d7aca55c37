package tracetest

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestBlast receives what is sent, evenly and as fast as possible: all of it, in
// order, with the right flows and checksums.
func TestBlast(t *testing.T) {
	Network(t)
	const n = 300
	for _, b := range []Blast{{Hosts: 1, Ports: 1}, {Hosts: 3, Ports: 5, Rate: 100_000}, {Hosts: 65_536, Ports: 60_000}, {Hosts: 7, Ports: 7, Octets: 1514}} {
		fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0x0300) // ETH_P_ALL in network order
		if err != nil {
			t.Fatal(os.NewSyscallError("socket", err))
		}
		defer syscall.Close(fd)
		if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: 0x0300, Ifindex: Index(t, "eb")}); err != nil {
			t.Fatal(os.NewSyscallError("bind", err))
		}
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 4<<20); err != nil { // each takes a page
			t.Fatal(os.NewSyscallError("setsockopt", err))
		}
		b.Send(t, "ea", "eb", n)
		got := make([]byte, 2048)
		for i := range n {
			size, _, err := syscall.Recvfrom(fd, got, syscall.MSG_DONTWAIT)
			if err != nil {
				t.Fatalf("%+v: packet %d: %v", b, i, err)
			}
			if want := b.Frame(i); !bytes.Equal(got[:size], want) {
				t.Fatalf("%+v: packet %d is\n%x, want\n%x", b, i, got[:size], want)
			}
		}
	}
	// More than can wait anywhere.
	const many = 200_000
	before := packetsAt(t, "eb")
	Blast{Hosts: 1, Ports: 1}.Send(t, "ea", "eb", many)
	if got := packetsAt(t, "eb") - before; got != many {
		t.Errorf("%d packets have come, %d were sent", got, many)
	}
}

// packetsAt returns how many packets an interface has received.
func packetsAt(t *testing.T, name string) int {
	t.Helper()
	text := Run(t, "ip -s -o link show "+name)
	_, received, _ := strings.Cut(text, "RX:")
	_, numbers, _ := strings.Cut(received, `\`)
	n, err := strconv.Atoi(strings.Fields(numbers)[1])
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return n
}
