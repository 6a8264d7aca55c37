package filter

// proto is a protocol that is a word of its own.
type proto struct {
	number string // in the IP header, "" for IP itself
	family string // version of IP, "" for either
}

// protos are those words.
var protos = map[string]*proto{
	"ip": {"", "ip"}, "ip6": {"", "ip6"},
	"tcp": {"6", ""}, "udp": {"17", ""}, "sctp": {"132", ""},
	"icmp": {"1", "ip"}, "icmp6": {"58", "ip6"}, "igmp": {"2", "ip"}, "igrp": {"9", "ip"},
	"esp": {"50", ""}, "pim": {"103", ""}, "vrrp": {"112", "ip"}, "carp": {"112", "ip"},
}

// portProtos are the protocols whose ports `port` looks at.
var portProtos = []string{"tcp", "udp", "sctp"}

// keywords are the words of the language.
var keywords = []string{
	"and", "or", "not", "host", "net", "port", "portrange", "proto", "src", "dst", "mask", "ether", "vlan",
	"ip", "ip6", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "igrp", "esp", "pim", "vrrp", "carp",
}

// Why words of tcpdump cannot be asked of a meter.
const (
	noLength = "no attribute has the length of a packet"
	noLayer  = "what it carries is seen without it"
	noType   = "no attribute has the type of a frame; SRL's SourcePeerType tells what is IPX, AppleTalk, DECnet or CLNS"
	noWay    = "SRL's SourceInterface and DestInterface tell where a packet came in and went out"
)

// refused are those words.
var refused = map[string]string{
	"arp":       "no attribute tells ARP from others that are not IP; not ip and not ip6 is all of these",
	"rarp":      "no attribute tells RARP from others that are not IP; not ip and not ip6 is all of these",
	"gateway":   "it stands for names, which are not looked up; write ether host and not host",
	"broadcast": "write ether dst ff:ff:ff:ff:ff:ff, or dst host and the network's broadcast address",
	"multicast": "write dst net 224.0.0.0/4 or dst net ff00::/8",
	"less":      noLength, "greater": noLength, "len": noLength,
	"protochain": "proto finds a protocol behind extension headers already",
	"mpls":       noLayer, "pppoes": noLayer, "pppoed": noType,
	"geneve": "what a tunnel carries is not looked into", "vxlan": "what a tunnel carries is not looked into",
	"ah":      "write ip proto 51; in IPv6 it is a header that is looked behind",
	"inbound": noWay, "outbound": noWay, "on": noWay, "ifname": noWay, "ifindex": noWay,
	"link": "write ether host", "ppp": noType, "slip": noType, "fddi": "write ether host", "tr": "write ether host", "wlan": "write ether host",
	"aarp": noType, "atalk": noType, "decnet": noType, "iso": noType, "clnp": noType, "esis": noType, "isis": noType,
	"ipx": noType, "lat": noType, "moprc": noType, "mopdl": noType, "netbeui": noType, "stp": noType,
	"llc": noType, "type": noType, "subtype": noType, "dir": noType, "radio": noType,
}
