package filter

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestTree shows what filters in tcpdump's words become.
func TestTree(t *testing.T) {
	const v4, v6, either = "SourcePeerType == ipv4", "SourcePeerType == ipv6", "SourcePeerType == (ipv4, ipv6)"
	for _, tc := range []struct{ filter, want string }{
		{"tcp", "SourceTransType == 6 && " + either},
		{"src 10.0.0.1", "SourcePeerAddress == 10.0.0.1 && " + v4},
		{"src and dst net 10.1/16", "SourcePeerAddress == 10.1.0.0/16 && DestPeerAddress == 10.1.0.0/16 && " + v4},
		{"dst net 10", "DestPeerAddress == 10.0.0.0/8 && " + v4},
		{"dst net 10.0.0.0 mask 255.0.255.0", "DestPeerAddress == 10.0.0.0 & 255.0.255.0 && " + v4},
		{"dst or src net 2001:db8::/32", "(SourcePeerAddress == 2001:0db8:0000:0000:0000:0000:0000:0000/32 || DestPeerAddress == 2001:0db8:0000:0000:0000:0000:0000:0000/32) && " + v6},
		{"udp src port domain", "SourceTransAddress == 53 && SourceTransType == 17 && " + either},
		{"src port 7", "SourceTransAddress == 7 && SourceTransType == (6, 17, 132) && " + either},
		{"udp dst port vxlan", "DestTransAddress == 4789 && SourceTransType == 17 && " + either},
		{"src portrange 10-15", "SourceTransAddress == 10 .. 15 && SourceTransType == (6, 17, 132) && " + either},
		{"ether src 0:1:2:3:4:5", ""},
		{"ether src 00:01:02:03:04:ff", "SourceAdjacentAddress == 00-01-02-03-04-ff"},
		{"vlan 5", "VLANid == 5"},
		{"not vlan", "!!(VLANid == 0)"},
		{"ip6 proto gre", "SourceTransType == 47 && " + v6},
		{"ether proto \\ip", v4},
		// What stands beside each other is one list.
		{"src port 1 or 2 or src host 1.2.3.4 or src port 3", "SourceTransAddress == (1, 2, 3) && SourceTransType == (6, 17, 132) && " + either + " || SourcePeerAddress == 1.2.3.4 && " + v4},
		{"not src host 1.2.3.4 and not src host 1.2.3.5", "!(SourcePeerAddress == (1.2.3.4, 1.2.3.5) && " + v4 + ")"},
		{"src host 1.2.3.4 and not 1.2.3.5", "SourcePeerAddress == 1.2.3.4 && " + v4 + " && !(SourcePeerAddress == 1.2.3.5 && " + v4 + ")"},
		// And and or bind alike.
		{"vlan 1 or ip and ip6", "(VLANid == 1 || " + v4 + ") && " + v6},
		{"vlan 1 or (ip and ip6)", "VLANid == 1 || " + v4 + " && " + v6},
		{"ip AND\n!ip6", v4 + " && !(" + v6 + ")"},
	} {
		e, _, err := parse(tc.filter)
		if err != nil {
			if tc.want != "" {
				t.Errorf("%s: %v", tc.filter, err)
			}
			continue
		}
		text := (&srl.Program{Stmts: []srl.Stmt{&srl.If{Arms: []srl.Arm{{Cond: e, Then: &srl.Count{}}}}}}).String()
		got := strings.Join(strings.Fields(text), " ")
		if got = strings.TrimSuffix(strings.TrimPrefix(got, "if "), " count;"); got != tc.want {
			t.Errorf("%s:\n%s, want\n%s", tc.filter, got, tc.want)
		}
	}
}

// TestFaults has what is wrong with filters told.
func TestFaults(t *testing.T) {
	for _, tc := range []struct{ filter, want string }{
		{"", "filter:1:1: the filter is empty"},
		{"port 80 and", "filter:1:12: expected a word such as host, port or tcp, found the end of the filter"},
		{"port 80 443", "filter:1:9: expected and, or or the end of the filter, found 443"},
		{"(port 80", "filter:1:9: expected and, or or the ) for the ( at 1:1, found the end of the filter"},
		{"port 80)", "filter:1:8: expected and, or or the end of the filter, found )"},
		{"port 80 adn tcp", "filter:1:9: expected and, or or the end of the filter, found adn; did you mean and?"},
		{"hots 10.0.0.1", "filter:1:1: expected a word such as host, port or tcp, found hots; did you mean host?"},
		{"10.0.0.1", "filter:1:1: expected a word such as host, net or port before 10.0.0.1"},
		{"host example.com", "filter:1:6: example.com is no address, and names are not looked up: write the address itself"},
		{"host 10.0.0.300", "filter:1:6: 10.0.0.300 is no address"},
		{"host 10.1", "filter:1:6: 10.1 is no whole address: write net 10.1 for the network"},
		{"net 10.1.2.3/16", "filter:1:5: 10.1.2.3 has bits beyond its width: write 10.1.0.0/16"},
		{"net 10/33", "filter:1:8: expected a width of 0 to 32 bits behind the /, found 33"},
		{"ip host ::1", "filter:1:9: ::1 is no address of ip"},
		{"host 00:11:22:33:44:55", "filter:1:6: 00:11:22:33:44:55 is a MAC address: write ether host"},
		{"port 70000", `filter:1:6: no port 70000: numbers are 1 to 65535, and "rtfm srl names" has the names`},
		{"port 80-90", "filter:1:6: no port 80-90: a range stands behind portrange"},
		{"port 0", "filter:1:6: port 0 cannot be told from a port that a packet does not have, as in fragments"},
		{"tcp host 10.0.0.1", "filter:1:1: tcp has ports, no addresses: write tcp and host ..."},
		{"ip port 80", "filter:1:1: ip has no ports of its own: write ip and port ..."},
		{"src tcp", "filter:1:5: expected an address behind host, found tcp"},
		{"vlan 5 and vlan 6", "filter:1:8: vlan and vlan asks for the inner of two tags, which meters do not see: VLANid is that of the outer one"},
		{"vlan 0", "filter:1:6: vlan 0 cannot be told from packets without a tag"},
		{"tcp[13] & 2 != 0", `filter:1:1: tcp[...]: octets of headers cannot be tested, only attributes; "rtfm srl attributes" lists them`},
		{"udp and\nbroadcast", "filter:2:1: broadcast cannot be asked of a meter: write ether dst ff:ff:ff:ff:ff:ff, or dst host and the network's broadcast address"},
		{"ether broadcast", "filter:1:7: broadcast cannot be asked of a meter: write ether dst ff:ff:ff:ff:ff:ff, or dst host and the network's broadcast address"},
		{"arp", "filter:1:1: arp cannot be asked of a meter: no attribute tells ARP from others that are not IP; not ip and not ip6 is all of these"},
		{"greater 100", "filter:1:1: greater cannot be asked of a meter: no attribute has the length of a packet"},
		{"len > 100", "filter:1:1: len cannot be asked of a meter: no attribute has the length of a packet"},
		{"SourcePeerAdress == 10.1/16", `filter:1:1: no attribute "SourcePeerAdress"; did you mean SourcePeerAddress?`},
		{"SourcePeerAddress == 10.1/16 &&", "filter:1:32: expected an attribute or (, found the end of the expression"},
		{strings.Repeat("(", 300) + "tcp", "filter:1:201: nested more than 200 deep"},
		{strings.Repeat("!", 1000) + "tcp", "filter:1:201: nested more than 200 deep"},
		{strings.Repeat(" ", maxText) + "tcp", "filter:1:1: 1048579 octets are more than a filter may have, 1048576"},
	} {
		_, _, err := Compile(tc.filter)
		if err == nil {
			t.Errorf("%.40s: no error", tc.filter)
		} else if err.Error() != tc.want {
			t.Errorf("%.40s:\n%v, want\n%v", tc.filter, err, tc.want)
		}
	}
}

// TestLong compiles filters of very many values, which become lists, and of more
// tests than there may be.
func TestLong(t *testing.T) {
	var hosts, not, mixed []string
	for i := range 10_000 {
		hosts = append(hosts, fmt.Sprintf("host 10.0.%d.%d", i/256, i%256))
		not = append(not, fmt.Sprintf("not port %d", i+1))
		mixed = append(mixed, fmt.Sprintf("(host 10.0.%d.%d and port %d)", i/256, i%256, i+1))
	}
	frame := func(dest string, port int) (p match.Packet) {
		b := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("9.9.9.9", dest).UDP(50000, port).Payload(1).Bytes()
		packet.Decode(&p, traces.LinkEthernet, b, uint32(len(b)))
		return p
	}
	last, other := frame("10.0.39.15", 10_000), frame("10.0.39.16", 10_001)
	for _, tc := range []struct {
		filter      string
		last, other bool
	}{
		{strings.Join(hosts, " or "), true, false},
		{strings.Join(not, " and "), false, true},
	} {
		rs, _, err := Compile(tc.filter)
		if err != nil {
			t.Fatal(err)
		}
		if len(rs.Rules) > 20_000+10 {
			t.Errorf("%d rules", len(rs.Rules))
		}
		program := compiled(t, tc.filter)
		if passes(program, &last) != tc.last || passes(program, &other) != tc.other {
			t.Errorf("%.40s: wrong", tc.filter)
		}
	}
	if _, _, err := Compile(strings.Join(mixed, " or ")); err == nil || !strings.Contains(err.Error(), "tests, lists of one kind counting as one; 2500 is the most") {
		t.Error(err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, text := range filters {
		f.Add(text, uint16(80), []byte{10, 0, 0, 1})
	}
	f.Add("SourcePeerAddress == 10/8 && !(DestTransAddress == 1 .. 80)", uint16(1), []byte{6})
	f.Add("tcp[13] & 2 != 0", uint16(1), []byte{6})
	f.Fuzz(func(t *testing.T, text string, port uint16, frame []byte) {
		rs, _, err := Compile(text)
		if err != nil {
			return
		}
		if len(rs.Rules) > 64*len(text)+64 {
			t.Errorf("%d rules for %d octets", len(rs.Rules), len(text))
		}
		var p match.Packet
		packet.Decode(&p, traces.LinkEthernet, frame, uint32(len(frame)))
		passes(compiled(t, text), &p)
	})
}
