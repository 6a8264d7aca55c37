package ident_test

import (
	"encoding/base64"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/meter/ident"
	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// fewTraces have between them packets of all protocols that Community IDs treat in a way
// of their own, fragments, and others.
var fewTraces = []string{
	"libpcap/filter/gateway_or_not.pcap", "ndpi/viber.pcap", "ndpi/dns_fragmented.pcap", "tcpdump/forces3.pcap", "zeek/cisco-fabric-path.pcap",
	"zeek/trunc/icmp-header-trunc.pcap",
}

// TestTshark compares the Community IDs of packets with tshark's: of those in a few traces,
// or in all. Where the two differ it knows why.
func TestTshark(t *testing.T) {
	dir := filepath.Join(tracetest.Require(t, "traces"), "traces")
	c := &comparison{tshark: tracetest.Require(t, "tshark"), equal: make(map[uint8]int), differ: make(map[string]int)}
	if tracetest.Long() {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				c.compare(t, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, reason := range excused {
			if c.differ[reason] == 0 {
				t.Errorf("no difference because %s", reason)
			}
		}
	} else {
		for _, name := range fewTraces {
			c.compare(t, filepath.Join(dir, name))
		}
	}
	t.Logf("by protocol, so many packets have equal Community IDs: %v; %d have none", c.equal, c.none)
	for _, reason := range slices.Sorted(maps.Keys(c.differ)) {
		t.Logf("%d differ: %s", c.differ[reason], reason)
	}
	for _, proto := range []uint8{1, 6, 17, 58, 132} {
		if c.equal[proto] == 0 {
			t.Errorf("no Community IDs of protocol %d", proto)
		}
	}
}

// comparison is that of Community IDs with tshark's.
type comparison struct {
	tshark string
	shapes match.Shapes
	equal  map[uint8]int // packets that have the same, by protocol
	none   int           // packets that have none, as tshark says
	differ map[string]int
}

// mostCompared is how many packets of a trace are compared at most.
const mostCompared = 20_000

func (c *comparison) compare(t *testing.T, name string) {
	src, err := format.Open(name)
	if err != nil {
		return // one of the traces that cannot be read
	}
	defer src.Close()
	packets, _ := tracetest.ReadAll(t, src)
	packets = packets[:min(len(packets), mostCompared)]
	said := c.ask(name)
	if len(said) > len(packets) {
		// It counts records of a pcapng file that are no packets.
		said = slices.DeleteFunc(said, func(line string) bool { return line == "\tdata" })
	}
	shown := 0
	for i := range min(len(packets), len(said)) {
		id, protocols, _ := strings.Cut(said[i], "\t")
		var p match.Packet
		packet.Decode(&p, packets[i].Link, packets[i].Data, packets[i].Wire)
		got := c.communityOf(&p)
		switch {
		case got == id && got == "":
			c.none++
			continue
		case got == id:
			c.equal[p.Key.TransType()]++
			continue
		}
		reason := why(&p, got, id, protocols)
		if c.differ[reason]++; reason == "" {
			if shown++; shown <= 3 {
				t.Errorf("%s: packet %d: %q, tshark has %q: %s", name, i+1, got, id, protocols)
			}
		}
	}
}

// ask returns what tshark has of each packet of a trace: its Community ID and its
// protocols.
func (c *comparison) ask(name string) []string {
	out, err := exec.Command(c.tshark, "-n", "-r", name, "-c", "20000", "-T", "fields", "-e", "communityid", "-e", "frame.protocols",
		"--enable-protocol", "communityid", "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE").Output()
	if err != nil && len(out) == 0 {
		return nil // a trace that only we can read
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// communityOf returns the Community ID of the flow that a packet would begin, "" if it has
// none.
func (c *comparison) communityOf(p *match.Packet) string {
	key := match.FlowKey{Shape: c.shapes.Intern(1, p.PeerLen, p.AdjacentLen, []match.Saved{
		{Attr: attr.SourcePeerAddress, Mask: attr.Ones(attr.MaxAddress)}, {Attr: attr.DestPeerAddress, Mask: attr.Ones(attr.MaxAddress)},
		{Attr: attr.SourceTransType, Mask: attr.Ones(1)},
		{Attr: attr.SourceTransAddress, Mask: attr.Ones(2)}, {Attr: attr.DestTransAddress, Mask: attr.Ones(2)},
	})}
	for _, s := range key.Shape.Saved {
		copy(key.Value(s.Attr), p.Key[s.Attr.Info().Offset:])
	}
	id, ok := ident.CommunityOf(&key, false)
	if !ok {
		return ""
	}
	return "1:" + base64.StdEncoding.EncodeToString(id[:])
}

// Why Community IDs differ from tshark's.
const (
	innermost = "it names the innermost datagram, we the outermost"
	fragments = "it leaves the ports out of fragments but the first"
	damaged   = "it goes by headers that are not there, or not right"
	portless  = "it has none of IPv6 datagrams of protocols without ports"
	behind    = "it has the protocol behind an authentication header"
	routed    = "it has the end of a source route for destination"
	fabric    = "it has another of a datagram behind a header of FabricPath than of the same one without"
	unknown   = "the decoder does not know a header before IP"
)

var excused = []string{innermost, fragments, damaged, portless, behind, routed, fabric, unknown}

// why returns why the Community ID of a packet differs from tshark's, "" if there is no
// reason.
func why(p *match.Packet, got, said, protocols string) string {
	layers := 0
	for layer := range strings.SplitSeq(protocols, ":") {
		if layer == "ip" || layer == "ipv6" {
			layers++
		}
	}
	switch {
	case layers > 1:
		return innermost
	case p.PeerLen == 0 && layers == 1:
		return unknown
	case p.Flags&match.Fragment != 0:
		return fragments
	case p.Flags&(match.Cut|match.Malformed) != 0 || shortTransport(p) || said == "" && strings.HasSuffix(protocols, ":ip"):
		return damaged
	case p.PeerLen == 16 && said == "":
		return portless
	case strings.Contains(protocols, ":ah:"):
		return behind
	case strings.Contains(protocols, "ipv6.routing") || hasOptions(p):
		return routed
	case strings.Contains(protocols, ":cfp:"):
		return fabric
	}
	return ""
}

// shortTransport reports whether a header of UDP or ICMP says that it is shorter than such
// headers are, or one of ICMP was not captured whole: its type and code suffice us.
func shortTransport(p *match.Packet) bool {
	if p.Flags&match.HasTransport == 0 {
		return false
	}
	header, proto := p.Data[p.Transport:], p.Key.TransType()
	return p.TransportOctets < 8 || proto == 17 && len(header) >= 6 && header[4] == 0 && header[5] < 8 ||
		(proto == 1 || proto == 58) && len(header) < 8
}

// hasOptions reports whether it is an IPv4 datagram with options.
func hasOptions(p *match.Packet) bool {
	const protocol, addresses = 9, 12
	for words := 6; words <= 15 && p.PeerLen == 4 && 4*words <= int(p.Transport); words++ {
		header := p.Data[int(p.Transport)-4*words:]
		if header[0] == 0x40|byte(words) && header[protocol] == p.Key.TransType() && string(header[addresses:addresses+4]) == string(p.Key.Peer(attr.Source)[:4]) {
			return true
		}
	}
	return false
}
