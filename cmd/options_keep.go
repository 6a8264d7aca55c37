package cmd

import (
	"net/netip"
	"strings"
)

// keptPrefixes is the value of --keep: networks, of IPv4 also without the octets of 0 at
// the end.
type keptPrefixes []netip.Prefix

// String implements pflag.Value.
func (k *keptPrefixes) String() string { return (*exporters)(k).String() }

// Type implements pflag.Value.
func (*keptPrefixes) Type() string { return "prefix" }

// Set implements pflag.Value.
func (k *keptPrefixes) Set(text string) error {
	if address, width, ok := strings.Cut(text, "/"); ok && !strings.Contains(address, ":") {
		text = address + strings.Repeat(".0", max(3-strings.Count(address, "."), 0)) + "/" + width
	}
	return (*exporters)(k).Set(text)
}
