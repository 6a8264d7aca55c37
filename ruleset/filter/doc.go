// Package filter makes rules of a filter of packets: an expression of SRL, or
// the words of tcpdump.
//
// A filter is asked of each packet as it is. Its rules count a packet that
// passes and ignore all others, so that none is tried with source and
// destination changed over, which is what rulesets do with packets that do not
// match. `src host 10.0.0.1` holds for what that host has sent and for nothing
// else.
//
// # The words of tcpdump
//
// They are those of pcap-filter(7) as far as a meter has attributes for them:
//
//	[ip | ip6] [src | dst | src or dst | src and dst] host ADDRESS
//	[ip | ip6] [DIRECTION] net NETWORK            10, 10.1, 10.1/16, 10.1.0.0 mask 255.255.0.0, 2001:db8::/32
//	[tcp | udp | sctp] [DIRECTION] port NUMBER    or a name that SRL has for it
//	[tcp | udp | sctp] [DIRECTION] portrange FIRST-LAST
//	[ip | ip6] proto NUMBER                       or a name
//	ether [DIRECTION] host ADDRESS;  ether proto ip, ether proto ip6
//	ip  ip6  tcp  udp  sctp  icmp  icmp6  igmp  igrp  esp  pim  vrrp  carp
//	vlan [NUMBER]
//
// with `and`, `or`, `not`, &&, || and !, of which `and` and `or` bind alike, from
// left to right, and parentheses. A value without a word before it has the words
// of the one before: `port 80 or 443`. What cannot be asked of a meter's
// attributes is refused by its name, and so are names of hosts: nothing is
// looked up.
//
// # What differs
//
// tcpdump looks at fixed places of a frame, a meter at what its decoder has
// found. TestDifferences has a packet for each line.
//
//	packet                               tcpdump                         here
//	behind a VLAN tag, MPLS, PPPoE       unseen until vlan, mpls, pppoes seen
//	tag with VLAN 0 (priority only)      vlan                            no vlan
//	second VLAN tag                      vlan 5 and vlan 6               refused: VLANid is that of the first
//	vlan 5 or vlan 6                     the second is an inner tag      either
//	ports behind IPv6 extension headers  unseen                          seen
//	protocol behind them                 behind a fragment header only   seen
//	ARP of an address                    host, net                       neither
//	port 0 in a portrange                port 0                          none: so are ports that are not known
//	port by a name                       of the protocols that have it   of tcp, udp and sctp
//	octets that were not captured        pass no filter, not even not    are 0
//	IP header that contradicts itself    as it stands                    no IP
package filter
