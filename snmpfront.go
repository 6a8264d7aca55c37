package main

import (
	"net"
	"net/netip"
)

// listenSNMP opens the socket at which SNMP is answered. An address of IPv4, 0.0.0.0
// too, is open to IPv4 only; [::] and no address are to both.
func listenSNMP(address string) (net.PacketConn, error) {
	network := "udp"
	if host, _, err := net.SplitHostPort(address); err == nil {
		if a, err := netip.ParseAddr(host); err == nil && a.Unmap().Is4() {
			network = "udp4"
		}
	}
	return net.ListenPacket(network, address)
}
