package feed

import (
	"encoding/binary"
	"net"
	"os"
	"strconv"
	"strings"
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

// droppedBy returns how many datagrams the socket has dropped so far, also behind the
// last one that came.
func droppedBy(c *net.UDPConn) (dropped uint64, known bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var st syscall.Stat_t
	if e := raw.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &st) }); e != nil || err != nil {
		return 0, false
	}
	for _, name := range []string{"/proc/self/net/udp", "/proc/self/net/udp6"} {
		text, _ := os.ReadFile(name)
		for line := range strings.Lines(string(text)) {
			const inode, last = 9, 12 // and what was dropped, proc(5)
			if f := strings.Fields(line); len(f) > last && f[inode] == strconv.FormatUint(st.Ino, 10) {
				n, err := strconv.ParseUint(f[last], 10, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
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
