//go:build !linux

package netflow

import "net"

// prepare asks for a large buffer, as much of it as the system allows.
func prepare(u *net.UDPConn) (size int) {
	u.SetReadBuffer(socketBuffer)
	return 0
}

// droppedBefore knows nothing.
func droppedBefore([]byte) (n uint32, ok bool) { return 0, false }
