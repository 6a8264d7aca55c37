package tracetest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
)

// Address returns a loopback address for a program that listens at it, "udp" or
// "tcp", now or again and again while the test runs. Nobody else takes it: the
// other network's socket of the same port is held until the test ends, and with
// it Address goes to no other test of any process; and systems choose the ports
// of clients' sockets from 32768 on.
func Address(t testing.TB, network string) string {
	t.Helper()
	const first, last = 10_000, 32_767
	other := map[string]string{"udp": "tcp", "tcp": "udp"}[network]
	for range 10 * (last - first) {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(last-first+1))
		held, err := listen(other, address)
		if err != nil {
			continue
		}
		if !isFree(network, address) {
			held.Close()
			continue
		}
		t.Cleanup(func() { held.Close() })
		return address
	}
	t.Fatal("no port is free")
	return ""
}

// isFree reports whether one can listen at an address.
func isFree(network, address string) bool {
	// A process that is about to start another program has a copy of each socket.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	free, err := listen(network, address)
	if err != nil {
		return false
	}
	free.Close()
	return true
}

func listen(network, address string) (io.Closer, error) {
	if network == "udp" {
		return net.ListenPacket(network, address)
	}
	return net.Listen(network, address)
}
