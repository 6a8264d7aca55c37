package packet

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestTshark asks tshark for the addresses and ports of the frames of decodeTests
// whose link types have no traces in any collection.
func TestTshark(t *testing.T) {
	tshark := tracetest.Require(t, "tshark")
	links := []traces.LinkType{traces.LinkPKTAP, traces.LinkIPoIB, traces.LinkWPAN, traces.LinkWPANNoFCS, traces.LinkWPANTAP}
	// What tshark does that Decode does not mean to do.
	others := map[string]string{
		"6LoWPAN, context":        "it takes contexts that it does not know for zeros",
		"6LoWPAN, first fragment": "it puts fragments together",
	}
	var packets []traces.Packet
	var names []string
	for _, test := range decodeTests {
		if _, differs := others[test.name]; differs || !slices.Contains(links, test.link) {
			continue
		}
		data := unhex(t, test.data)
		packets = append(packets, traces.Packet{
			Data: data, Wire: uint32(len(data)), Link: test.link, Interface: uint32(slices.Index(links, test.link)) + 1,
		})
		names = append(names, test.name)
	}
	if len(packets) < 30 {
		t.Fatalf("%d frames to compare", len(packets))
	}
	name := filepath.Join(t.TempDir(), "frames.pcapng")
	if err := os.WriteFile(name, tracetest.PCAPNG(false, packets...), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-r", name, "-T", "fields", "-E", "occurrence=f"}
	for _, f := range []string{"ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "udp.srcport", "udp.dstport", "icmpv6.type", "icmpv6.code", "ipv6.tclass"} {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(said) != len(packets) {
		t.Fatalf("tshark has %d frames of %d", len(said), len(packets))
	}
	for i, k := range packets {
		if got := asTshark(&k); got != said[i] {
			t.Errorf("%s: %q, tshark has %q", names[i], got, said[i])
		}
	}
}

// asTshark returns what Decode says of a frame, in fields as tshark writes them.
func asTshark(k *traces.Packet) string {
	var p match.Packet
	Decode(&p, k.Link, k.Data, k.Wire)
	var got [9]string
	for i, end := range []int{attr.Source, attr.Dest} {
		if addr, ok := netip.AddrFromSlice(p.Key.Peer(end)[:p.PeerLen]); ok && addr.Is6() {
			got[2+i] = addr.String()
		} else if ok {
			got[i] = addr.String()
		}
		port := fmt.Sprint(be16(p.Key.Trans(end)[:]))
		switch p.Key.TransType() {
		case protoUDP:
			got[4+i] = port
		case protoICMPv6:
			got[6+i] = port
		}
	}
	if p.Key.PeerType() == peerIPv6 {
		got[8] = fmt.Sprintf("0x%08x", value(&p, attr.DSCodePoint)<<2|value(&p, attr.ECNCodeBits))
	}
	return strings.Join(got[:], "\t")
}
