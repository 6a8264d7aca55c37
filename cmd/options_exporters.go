package cmd

import (
	"fmt"
	"net/netip"
)

// exporters is the value of an option that names exporters by their address, or
// all of a network by ADDRESS/WIDTH.
type exporters []netip.Prefix

// String implements pflag.Value.
func (e *exporters) String() string {
	if len(*e) == 0 {
		return ""
	}
	return fmt.Sprint([]netip.Prefix(*e))
}

// Type implements pflag.Value.
func (*exporters) Type() string { return "address" }

// Set implements pflag.Value.
func (e *exporters) Set(s string) error {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return fmt.Errorf("%q is neither an address nor ADDRESS/WIDTH", s)
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	addr := p.Addr().Unmap()
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return fmt.Errorf("%q: want the network as one of IPv4", s)
		}
		p = netip.PrefixFrom(addr, p.Bits()-96)
	}
	if p != p.Masked() {
		return fmt.Errorf("%q has bits of an address beyond its width; the network is %v", s, p.Masked())
	}
	*e = append(*e, p)
	return nil
}
