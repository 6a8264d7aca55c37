//go:build !linux

package feed

import "net"

// prepare asks a socket to keep so many octets. How many it keeps is not known.
func prepare(c *net.UDPConn, octets int) int {
	c.SetReadBuffer(octets)
	return 0
}

// droppedBy knows nothing of what sockets drop.
func droppedBy(*net.UDPConn) (uint64, bool) { return 0, false }

// droppedIn knows nothing of what sockets drop.
func droppedIn([]byte) (uint32, bool) { return 0, false }
