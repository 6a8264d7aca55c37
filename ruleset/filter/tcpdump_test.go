package filter

import (
	"encoding/binary"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// filters are what rtfm and tcpdump are asked.
var filters = []string{
	"ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "esp", "pim", "vrrp",
	"not ip", "not tcp", "ip or ip6", "tcp or udp or icmp", "! udp && ! tcp", "not (ip and tcp)",
	"port 80", "port 443 or 80", "port not 53", "not port 53", "tcp port 80", "udp port 53", "tcp and port 443", "src port 80", "dst port 53",
	"src or dst port 53", "src and dst port 5060", "tcp src port 80", "udp dst port 161", "tcp port http or https",
	"portrange 1024-65535", "tcp portrange 1-1023", "src portrange 5000-6000", "dst portrange 6000-5000", "portrange ftp-ssh", "port domain", "port (80 or 8080)",
	"net 10", "net 10.0.0.0/8", "src net 192.168", "dst net 192.168.0.0/16", "net 172.16.0.0 mask 255.240.0.0", "net 0.0.0.0/0", "net 224.0.0.0/4",
	"host 127.0.0.1", "src host 192.168.1.1", "dst 192.168.1.1", "src or dst host 10.0.0.1", "host 192.168.1.1 or 192.168.1.2 or 10.0.0.1",
	"src and dst net 10", "ip host 10.0.0.1", "src 0.0.0.0", "host 255.255.255.255",
	"ip6 host ::1", "net fe80::/10", "dst net ff00::/8", "src net 2001:db8::/32 or dst net 2001::/16",
	"ip proto 47", "ip6 proto 58", "proto 17", "ip proto \\tcp", "proto ospf or proto gre", "ip proto 1 or ip6 proto 58",
	"vlan", "vlan 100", "not vlan",
	"ether host ff:ff:ff:ff:ff:ff", "ether dst 01:00:5e:00:00:fb", "ether src 00:00:00:00:00:00", "ether proto \\ip", "ether proto 0x86dd", "ether proto \\ip and not udp",
	"tcp and (port 80 or port 443) and not src net 10", "udp and not port 53 and not port 123 and not net 224.0.0.0/4",
	"host 10.0.0.1 or tcp and port 80", "port 80 and host 192.168.1.1 or 192.168.1.2", "(ip and tcp) or (ip6 and udp)",
	"not (port 80 or 443) and tcp", "icmp or (udp and src port 53 and net 192.168)", "ip and not net 10 and not net 192.168 and not net 127",
}

// asked is a filter as both have it.
type asked struct {
	text    string
	program *pme.Program
	bpf     map[traces.LinkType]bpf
}

// links are the link types whose frames are compared, by pcap's names. Of others
// libpcap knows less than the meter's decoder.
var links = map[traces.LinkType]string{
	traces.LinkEthernet: "EN10MB", traces.LinkRaw: "RAW", traces.LinkLinuxSLL: "LINUX_SLL",
}

// ask compiles the filters for both.
func ask(t *testing.T, filters []string) (all []*asked) {
	tcpdump := tracetest.Require(t, "tcpdump")
	for _, text := range filters {
		a := &asked{text, compiled(t, text), map[traces.LinkType]bpf{}}
		for link, name := range links {
			if !strings.Contains(text, "ether ") && !strings.Contains(text, "vlan") || link == traces.LinkEthernet {
				a.bpf[link] = compileBPF(t, tcpdump, name, text)
			}
		}
		all = append(all, a)
	}
	return all
}

// passes asks the filter of a packet.
func passes(program *pme.Program, p *match.Packet) bool {
	var k match.FlowKey
	key := p.Key
	switch v := program.Match(p, &key, false, &k); v {
	case pme.Success:
		return true
	case pme.Ignore:
		return false
	default:
		panic(v.String())
	}
}

// compiled compiles a filter.
func compiled(t testing.TB, text string) *pme.Program {
	t.Helper()
	rs, _, err := Compile(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p, err := pme.Compile(rs, 1, new(match.Shapes))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

// TestTcpdump holds filters to what libpcap makes of them, packet by packet of
// all traces. Packets on which they differ must be of the kinds that the package
// comment names, and those behind tags of IEEE 802.1Q give what libpcap says of
// them without.
func TestTcpdump(t *testing.T) {
	all := ask(t, filters)
	root := filepath.Join(tracetest.Require(t, "traces"), "traces")
	compared, passed, differ := 0, 0, map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := format.Open(path)
		if err != nil {
			return nil // no trace
		}
		defer src.Close()
		var b traces.Batch
		var p match.Packet
		for range 4 { // batches: long traces are more of the same
			if src.ReadBatch(&b) != nil {
				return nil
			}
			for i := range b.Packets {
				from := &b.Packets[i]
				packet.Decode(&p, from.Link, from.Data, from.Wire)
				frame, tagged := untagged(from)
				for _, a := range all {
					prog := a.bpf[from.Link]
					if prog == nil || tagged && strings.Contains(a.text, "vlan") {
						continue
					}
					want, outside := prog.passes(frame, from.Wire)
					got := passes(a.program, &p)
					if compared++; got {
						passed++
					}
					if got == want {
						continue
					}
					kind := unusual(frame, from.Link, &p)
					if outside {
						kind = "cut"
					}
					if differ[kind]++; kind == "" {
						t.Errorf("%s: packet %d: %s: %v, want %v", path, i+1, a.text, got, want)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d compared, %d passed, different %v", compared, passed, differ)
	if compared < 1_000_000 || passed < compared/10 {
		t.Errorf("%d compared, %d passed", compared, passed)
	}
}

// TestDifferences has a packet for each line of the table of differences in the
// package comment, and of what is the same though one might think otherwise.
func TestDifferences(t *testing.T) {
	tcpdump := tracetest.Require(t, "tcpdump")
	eth := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02")
	web := func(f tracetest.Frame) []byte {
		return f.IPv4("10.0.0.1", "10.0.0.2").TCP(1234, 80, tracetest.SYN).Payload(10).Bytes()
	}
	over := func(extension uint8) []byte {
		return eth.IPv6("2001:db8::1", "2001:db8::2").Ext(extension, make([]byte, 6)...).TCP(1234, 80, tracetest.SYN).Bytes()
	}
	arp := append(eth.Bytes()[:12], 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2)
	malformed := web(eth)
	malformed[14] = 0x42 // a header of 8 octets
	for _, tc := range []struct {
		filter        string
		frame         []byte
		tcpdump, here bool
	}{
		{"port 80", web(eth), true, true},
		{"port 80", web(eth.VLAN(5)), false, true},
		{"vlan and port 80", web(eth.VLAN(5)), true, true},
		{"port 80", web(eth.MPLS(16)), false, true},
		{"port 80", web(eth.PPPoE(1)), false, true},
		{"vlan", web(eth.VLAN(5)), true, true},
		{"vlan", web(eth.VLAN(0)), true, false},
		{"vlan 5", web(eth.QinQ(5).VLAN(6)), true, true},
		{"vlan 5 or vlan 6", web(eth.VLAN(6)), false, true}, // the second is the inner one's
		{"ip6 and tcp", over(0), false, true},
		{"port 80", over(0), false, true},
		{"ip6 and tcp", eth.IPv6("2001:db8::1", "2001:db8::2").Fragment6(0, true, 7).TCP(1234, 80, 0).Bytes(), true, true},
		{"port 80", eth.IPv6("2001:db8::1", "2001:db8::2").Fragment6(0, true, 7).TCP(1234, 80, 0).Bytes(), false, true},
		{"host 10.0.0.1", arp, true, false},
		{"portrange 0-79", eth.IPv4("10.0.0.1", "10.0.0.2").UDP(0, 80).Payload(2).Bytes(), true, false},
		{"portrange 0-80", eth.IPv4("10.0.0.1", "10.0.0.2").UDP(0, 80).Payload(2).Bytes(), true, true},
		{"port http", eth.IPv4("10.0.0.1", "10.0.0.2").UDP(99, 80).Payload(2).Bytes(), false, true},
		{"not port 80", web(eth)[:20], false, true},
		{"tcp", malformed, true, false},
		// A packet is not tried the other way round.
		{"src port 80", web(eth), false, false},
		{"src host 10.0.0.1", web(eth), true, true},
		{"src host 10.0.0.2", web(eth), false, false},
	} {
		var p match.Packet
		packet.Decode(&p, traces.LinkEthernet, tc.frame, uint32(len(tc.frame)))
		if here := passes(compiled(t, tc.filter), &p); here != tc.here {
			t.Errorf("%s: %v for % x", tc.filter, here, tc.frame)
		}
		prog := compileBPF(t, tcpdump, links[traces.LinkEthernet], tc.filter)
		if is, _ := prog.passes(tc.frame, uint32(len(tc.frame))); is != tc.tcpdump {
			t.Errorf("%s: tcpdump says %v for % x", tc.filter, is, tc.frame)
		}
	}
}

// untagged returns a frame without its tags of IEEE 802.1Q, and whether it had
// any.
func untagged(p *traces.Packet) (frame []byte, tagged bool) {
	frame = p.Data
	for p.Link == traces.LinkEthernet && len(frame) >= 18 {
		if typ := binary.BigEndian.Uint16(frame[12:]); typ != 0x8100 && typ != 0x88a8 && typ != 0x9100 {
			break
		}
		frame, tagged = append(append([]byte{}, frame[:12]...), frame[16:]...), true
	}
	return frame, tagged
}

// unusual says why a frame may be seen otherwise by tcpdump, "" if there is no
// reason.
func unusual(frame []byte, link traces.LinkType, p *match.Packet) string {
	at, typ := 0, uint16(0)
	switch {
	case p.Flags&(match.Cut|match.Malformed) != 0:
		return "cut or malformed"
	case link == traces.LinkEthernet:
		at, typ = 14, binary.BigEndian.Uint16(frame[12:])
	case link == traces.LinkLinuxSLL:
		at, typ = 16, binary.BigEndian.Uint16(frame[14:])
	case len(frame) > 0:
		typ = map[byte]uint16{4: 0x0800, 6: 0x86dd}[frame[0]>>4]
	}
	switch {
	case typ == 0x0800:
		return ""
	case typ == 0x86dd && len(frame) > at+6 && strings.IndexByte("\x00\x2b\x2c\x33\x3c\x87\x8b\x8c", frame[at+6]) >= 0:
		return "extension header"
	case typ == 0x86dd:
		return ""
	case typ == 0x0806 || typ == 0x8035:
		return "ARP"
	}
	return "another frame"
}

// TestTcpdumpItself holds the machine of this test, which runs what tcpdump
// compiles, to tcpdump.
func TestTcpdumpItself(t *testing.T) {
	tcpdump := tracetest.Require(t, "tcpdump")
	path := filepath.Join("..", "..", "traces", "testdata", "sample.pcap")
	some := []string{"tcp", "src port 80", "net 10 or not udp", "portrange 1024-65535", "ip6 and not tcp", "vlan or icmp"}
	for _, a := range ask(t, some) {
		src, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for b := new(traces.Batch); src.ReadBatch(b) == nil; {
			for i := range b.Packets {
				if is, _ := a.bpf[b.Packets[i].Link].passes(b.Packets[i].Data, b.Packets[i].Wire); is {
					n++
				}
			}
		}
		src.Close()
		out, err := exec.Command(tcpdump, "--count", "-nr", path, a.text).Output()
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Fields(string(out))[0]; want != strconv.Itoa(n) {
			t.Errorf("%s: %d packets, tcpdump has %s", a.text, n, want)
		}
	}
}
