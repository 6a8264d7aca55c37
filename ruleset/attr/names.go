package attr

import "strings"

// ValueName returns the value that a well-known name stands for in a rule on
// attribute a: address families for peer types, media for adjacent types,
// protocols for transport types, ports for transport addresses, and
// attribute names for the meter variables, which an Assign rule sets. Case is
// ignored, and '_' is the same as '-'.
func ValueName(a Attr, name string) (Value, bool) {
	if a.Info().Class == ClassVariable {
		if of, ok := ByName(name); ok {
			return AttrValue(of), true
		}
		return Value{}, false
	}
	table, size := valueNames(a)
	n, ok := table[strings.ReplaceAll(strings.ToLower(name), "_", "-")]
	return number(uint64(n), size), ok
}

// ValueNames returns the names that ValueName knows for attribute a, in no
// particular order; none when rules on a take numbers or addresses only.
func ValueNames(a Attr) []string {
	if a.Info().Class == ClassVariable {
		return TestableNames()
	}
	table, _ := valueNames(a)
	names := make([]string, 0, len(table))
	for n := range table {
		names = append(names, n)
	}
	return names
}

// TestableNames returns the names of the attributes that rules may test.
func TestableNames() []string {
	var names []string
	for i := range attributes {
		if in := &attributes[i]; in.Attr.Testable() {
			names = append(names, in.Name)
		}
	}
	return names
}

// valueNames returns the table of names for attribute a, and the size of the
// values in octets.
func valueNames(a Attr) (map[string]uint16, int) {
	switch a {
	case SourcePeerType, DestPeerType:
		return peerTypes, 1
	case SourceAdjacentType, DestAdjacentType:
		return adjacentTypes, 1
	case SourceTransType, DestTransType:
		return protocols, 1
	case SourceTransAddress, DestTransAddress:
		return ports, 2
	}
	return nil, 0
}

// peerTypes are address family numbers (RFC 2720, PeerType). Packets of other
// protocols have type 0; Dummy is what idle time was to the first meters, a
// type that no packet has.
var peerTypes = map[string]uint16{
	"other": 0,
	"ip":    1, "ipv4": 1,
	"ipv6": 2, "ip6": 2,
	"nsap": 3, "clns": 3,
	"ipx": 11, "novell": 11,
	"appletalk": 12, "ethertalk": 12,
	"decnet": 13,
	"dummy":  255,
}

// adjacentTypes are those of RFC 2720, AdjacentType, and further ifType
// numbers (IANAifType-MIB).
var adjacentTypes = map[string]uint16{
	"ip":        1,
	"nsap":      3,
	"ethernet":  7,
	"tokenring": 9,
	"ipx":       11,
	"appletalk": 12,
	"decnet":    13,
	"fddi":      15,
	"ppp":       23,
	"loopback":  24,
	"atm":       37,
	"ieee80211": 71,
	"hdlc":      118,
}

// protocols are IANA's protocol numbers.
var protocols = map[string]uint16{
	"icmp": 1, "igmp": 2, "ggp": 3, "ipip": 4, "tcp": 6, "egp": 8, "igp": 9,
	"udp": 17, "idp": 22, "dccp": 33, "ipv6": 41, "rsvp": 46, "gre": 47,
	"esp": 50, "ah": 51, "icmpv6": 58, "icmp6": 58, "ipv6-icmp": 58,
	"eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115,
	"sctp": 132, "udplite": 136, "udp-lite": 136, "mpls": 137,
}

// ports are IANA's port numbers of the services that rulesets ask for.
var ports = map[string]uint16{
	"echo": 7, "discard": 9, "daytime": 13, "chargen": 19,
	"ftp-data": 20, "ftpdata": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25,
	"time": 37, "whois": 43, "tacacs": 49, "domain": 53, "dns": 53,
	"bootps": 67, "bootpc": 68, "dhcp": 67, "tftp": 69, "gopher": 70, "finger": 79,
	"www": 80, "http": 80, "kerberos": 88, "pop2": 109, "pop3": 110, "pop": 110,
	"sunrpc": 111, "portmap": 111, "ident": 113, "auth": 113, "nntp": 119, "news": 119,
	"ntp": 123, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139,
	"imap": 143, "snmp": 161, "snmptrap": 162, "snmp-trap": 162, "bgp": 179,
	"irc": 194, "ldap": 389, "https": 443, "microsoft-ds": 445, "smb": 445,
	"isakmp": 500, "ike": 500, "rlogin": 513, "login": 513, "syslog": 514, "printer": 515,
	"rip": 520, "ripng": 521, "submission": 587, "ldaps": 636, "agentx": 705,
	"domain-s": 853, "rsync": 873, "imaps": 993, "pop3s": 995, "socks": 1080,
	"openvpn": 1194, "ms-sql": 1433, "radius": 1812, "radius-acct": 1813, "nfs": 2049,
	"squid": 3128, "mysql": 3306, "rdp": 3389, "sip": 5060, "sips": 5061, "mdns": 5353,
	"postgresql": 5432, "x11": 6000, "bittorrent": 6881, "http-alt": 8080,
}
