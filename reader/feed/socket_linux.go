package feed

import (
	"encoding/binary"
	"net"
	"syscall"
)

const (
	soRxqOvfl     = 40 // SO_RXQ_OVFL of socket(7)
	soRcvbufForce = 33 // SO_RCVBUFFORCE
)

// prepare asks a socket to keep so many octets, and to tell what it drops. It returns how
// many it keeps.
func prepare(c *net.UDPConn, octets int) (kept int) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		s := int(fd)
		if syscall.SetsockoptInt(s, syscall.SOL_SOCKET, soRcvbufForce, octets) != nil {
			syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF, octets)
		}
		syscall.SetsockoptInt(s, syscall.SOL_SOCKET, soRxqOvfl, 1)
		kept, _ = syscall.GetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	})
	return kept / 2 // the kernel doubles it, for what it needs itself
}

// droppedIn returns how many datagrams the socket has dropped so far, as the control
// message of one tells.
func droppedIn(control []byte) (uint32, bool) {
	if len(control) == 0 {
		return 0, false
	}
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == soRxqOvfl && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}
