package acceptance

import (
	"slices"
	"strings"
)

// An example is what a program in ruleset/examples is to count in a trace: its flows,
// by the values of some attributes.
type example struct {
	trace, keys string
	flows       func(packets []seen, f flows)
}

const sample = "traces/testdata/sample.pcap"

// Networks that the examples call ours, and partners'.
var (
	insiders = []string{"10.0.0.0/8", "2001:db8:100::/40"}
	partners = []string{"198.51.100.0/24", "2001:db8:80::/48"}
)

// eachWay counts packets by the key that of returns of the packet as it comes or, if
// that is "", changed over.
func eachWay(of func(p seen) string) func([]seen, flows) {
	return func(packets []seen, f flows) {
		for _, p := range packets {
			if k := of(p); k != "" {
				f.of(k).add(0, p.octets)
			} else if k := of(p.back()); k != "" {
				f.of(k).add(1, p.octets)
			}
		}
	}
}

// bothEnds counts packets by a key that has both ends alike: the first packet of a
// flow says which way it goes, unless there is a key of one way only.
func bothEnds(of func(p seen) string) func([]seen, flows) {
	return func(packets []seen, f flows) {
		for _, p := range packets {
			switch k, back := of(p), of(p.back()); {
			case k == "" && back == "":
			case k == "" || f[k] == nil && f[back] != nil:
				f.of(back).add(1, p.octets)
			default:
				f.of(k).add(0, p.octets)
			}
		}
	}
}

// asItComes counts packets by a key, one way.
func asItComes(of func(p seen) string) func([]seen, flows) {
	return func(packets []seen, f flows) {
		for _, p := range packets {
			if k := of(p); k != "" {
				f.of(k).add(0, p.octets)
			}
		}
	}
}

// withValues counts as another, and has values for distributions.
func withValues(count func([]seen, flows), values func([]seen, flows)) func([]seen, flows) {
	return func(packets []seen, f flows) {
		count(packets, f)
		values(packets, f)
	}
}

func tcpOrUDP(p seen) bool { return p.protocol == 6 || p.protocol == 17 }

func oneOf(port int, ports ...int) bool { return slices.Contains(ports, port) }

// listens reports whether the destination is a server of TCP: its port is low, and
// the source's is not.
func listens(p seen) bool { return p.protocol == 6 && p.destPort < 32768 && p.sourcePort >= 32768 }

// serverOf returns the key of a server's flow.
func serverOf(p seen) string {
	if !listens(p) {
		return ""
	}
	return key(p.dest, p.destPort)
}

// webServer returns the address of a web server.
func webServer(p seen) string {
	if p.protocol != 6 || !oneOf(p.destPort, 80, 443) {
		return ""
	}
	return p.dest
}

// portOf returns the port of a server of TCP.
func portOf(p seen) string {
	if !listens(p) {
		return ""
	}
	return key(p.destPort)
}

// outsider returns the address of who speaks TCP to us.
func outsider(p seen) string {
	if p.protocol != 6 || in(p.source, insiders...) || !in(p.dest, insiders...) {
		return ""
	}
	return p.source
}

// group returns the number of the group of applications of a packet.
func group(p seen) string {
	of := func(port int) int {
		switch {
		case !tcpOrUDP(p):
			return 0
		case oneOf(port, 80, 443, 8080, 8443):
			return 1
		case oneOf(port, 53, 853, 5353):
			return 2
		case oneOf(port, 25, 587, 465, 143, 993, 110, 995):
			return 3
		case oneOf(port, 5060, 5061) || p.dscp == 46:
			return 4
		}
		return 0
	}
	switch {
	case of(p.destPort) > 0:
		return key(of(p.destPort))
	case of(p.sourcePort) > 0:
		return ""
	}
	return "9"
}

// service returns the family and port of a service, one of some.
func service(protocol bool, ports ...int) func(p seen) string {
	return func(p seen) string {
		port := 0
		switch {
		case p.family == 0:
			return ""
		case tcpOrUDP(p) && oneOf(p.destPort, ports...):
			port = p.destPort
		case tcpOrUDP(p) && oneOf(p.sourcePort, ports...):
			return ""
		}
		if protocol {
			transport := "-"
			if tcpOrUDP(p) {
				transport = key(p.protocol)
			}
			return key(p.family, transport, portName(port))
		}
		return key(p.family, port)
	}
}

// portName is a port, or "-" where none was saved.
func portName(port int) string {
	if port == 0 {
		return "-"
	}
	return key(port)
}

// knownPort returns the protocol and the well-known port of the destination.
func knownPort(p seen) string {
	if !oneOf(p.protocol, 6, 17) {
		return ""
	}
	switch low, other := p.destPort < 1024, p.sourcePort < 1024; {
	case low && !other:
		return key(p.protocol, p.destPort)
	case other && !low:
		return ""
	}
	return key(p.protocol, 0)
}

// tariff returns one of our networks and the tariff of the other end.
func tariff(p seen) string {
	if !in(p.source, insiders...) {
		return ""
	}
	class := 3
	if in(p.dest, insiders...) {
		class = 1
	} else if in(p.dest, partners...) {
		class = 2
	}
	return key(network(p.source, 24, 48), class)
}

// customer returns the first network of the customer that has sent a packet.
func customer(p seen) string {
	for _, c := range []string{
		"10.1.0.0/22", "2001:db8:101::/48", "10.1.4.0/24", "10.1.8.0/21", "2001:db8:103::/48", "10.2.0.0/16", "10.3.0.0/24",
	} {
		if in(p.source, c) {
			first, _, _ := strings.Cut(c, "/")
			return first
		}
	}
	return ""
}

// ofOurs returns the kinds of our network and of the other end, of which the network
// is told if it is not ours.
func ofOurs(p seen) string {
	kind := func(a string) (string, string) {
		switch {
		case in(a, "192.0.2.0/24", "2001:db8:1::/48"):
			return "1", "-"
		case in(a, "198.51.100.0/24", "2001:db8:2::/48"):
			return "2", "-"
		}
		return "-", network(a, 24, 48)
	}
	source, _ := kind(p.source)
	dest, other := kind(p.dest)
	if source == "-" || p.family == 0 {
		return ""
	}
	return key(p.family, source, dest, other)
}

// betweenOurs counts by ofOurs: of two networks of ours the first packet says which
// way a flow goes.
func betweenOurs(packets []seen, f flows) {
	for _, p := range packets {
		switch k, back := ofOurs(p), ofOurs(p.back()); {
		case back != "" && (k == "" || f[k] == nil && f[back] != nil):
			f.of(back).add(1, p.octets)
		case k != "":
			f.of(k).add(0, p.octets)
		}
	}
}

// echo returns the ends of a ping: that of the packet that asks or answers.
func echo(p seen) string {
	if p.protocol == 1 && p.sourcePort == 8 || p.protocol == 58 && p.sourcePort == 128 {
		return key(p.source, p.dest)
	}
	return ""
}

// echoed counts pings and their replies.
func echoed(packets []seen, f flows) {
	for _, p := range packets {
		switch {
		case echo(p) != "":
			f.of(echo(p)).add(0, p.octets)
		case p.protocol == 1 && p.sourcePort == 0 || p.protocol == 58 && p.sourcePort == 129:
			f.of(key(p.dest, p.source)).add(1, p.octets)
		}
	}
}
