package query

import (
	"net/netip"
	"strings"
	"testing"
)

// TestNetworks reads lists, and finds the smallest network of an address.
func TestNetworks(t *testing.T) {
	n, err := ReadNetworks(strings.NewReader("\ufeffnetwork,name\n# comment\n\n10.0.0.0/8\tall of ten\n10.1.0.0/16,\"Lab, \"\"east\"\"\"\n"+
		"West wing, 2001:db8::/32\r\n192.0.2.7\n10.2.0.0/16 all of ten\n"), "list")
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"10.0.0.1": "all of ten", "10.2.3.4": "all of ten", "10.1.2.3": `Lab, "east"`, "2001:db8::1": "West wing", "2001:db9::1": "",
		"192.0.2.7": "192.0.2.7/32", "192.0.2.8": "", "::ffff:10.1.2.3": "",
	} {
		if got := n.name(uint32(n.find(netip.MustParseAddr(addr).AsSlice()))); got != want {
			t.Errorf("%s is in %q, want %q", addr, got, want)
		}
	}
	for text, want := range map[string]string{
		"":                           "list: there are no networks in it",
		"a,b\n":                      "list: there are no networks in it",
		"10.0.0.0/8\nhost x\n":       `list:2: "host" is no network, such as 192.0.2.0/24`,
		"10.0.0.1/8\n":               "list:1: 10.0.0.1/8 has bits behind its width: 10.0.0.0/8 has not",
		"10.0.0.0/8 a\n10.0.0.0/8 b": "list:2: 10.0.0.0/8 is a already",
		"10.0.0.0/33":                `list:1: "10.0.0.0/33" is no network, such as 192.0.2.0/24`,
	} {
		if _, err := ReadNetworks(strings.NewReader(text), "list"); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestParseKeys reads keys as they print, and tells what is wrong with others.
func TestParseKeys(t *testing.T) {
	for text, want := range map[string]string{
		"host,PORT": "Host,Port", "SrcPort , Proto": "SourceTransAddress,SourceTransType", "DestPeerAddress/24/64": "DestPeerAddress/24/64",
		"Host/0": "Host/0", "flowindex,FlowRuleSet,meter": "FlowIndex,FlowRuleSet,Meter",
		"":                  "! want the name of an attribute, or Host",
		"Host,Host":         "! Host is there twice",
		"ToOctets":          "! ToOctets is not what flows can be added up by: that takes an attribute which they have saved, Host, FlowIndex, FlowRuleSet or Meter",
		"SourcePeer":        "! there is no attribute SourcePeer",
		"Host/33":           `! "Host/33": want a width of 0 to 32 bits for IPv4, and one for IPv6 behind a second /`,
		"Host/24/129":       `! "Host/24/129": want a width of 0 to 128 bits for IPv6`,
		"Host/1/2/3":        `! "Host/1/2/3" has more than two widths: want Host/24, or Host/24/64 for IPv6 too`,
		"SourceTransType/3": "! SourceTransType is no address of a host: it has neither widths nor lists of networks",
		"Host=":             "! want a file of networks behind Host=",
	} {
		keys, err := ParseKeys(text, nil)
		var names []string
		for _, k := range keys {
			names = append(names, k.String())
		}
		got := strings.Join(names, ",")
		if err != nil {
			got = "! " + err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
