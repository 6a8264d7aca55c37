package netflow

import (
	"encoding/binary"
	"net"
	"syscall"
)

// rxqOverflow is SO_RXQ_OVFL (socket(7)), the option that has the kernel tell with
// each datagram how many it has dropped since the socket was opened, as 32 bits.
const rxqOverflow = 40

// prepare asks for a large buffer, beyond what the system allows everybody if we
// may, and for the number of dropped datagrams. It returns the buffer's size in
// octets, as much as there is in use.
func prepare(u *net.UDPConn) (size int) {
	raw, err := u.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		if syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, socketBuffer) != nil {
			syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, socketBuffer)
		}
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, rxqOverflow, 1)
		size, _ = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	})
	return size
}

// droppedBefore returns how many datagrams were dropped, as control messages tell;
// false if they do not.
func droppedBefore(oob []byte) (n uint32, ok bool) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	for _, m := range messages {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == rxqOverflow && len(m.Data) >= 4 {
			return binary.NativeEndian.Uint32(m.Data), true
		}
	}
	return 0, false
}
