package acceptance

// examples are what the programs in ruleset/examples are to count.
var examples = map[string]example{
	"all-flows": {sample, "SourcePeerAddress DestPeerAddress SourceTransType SourceTransAddress DestTransAddress", bothEnds(func(p seen) string {
		return key(p.source, p.dest, p.protocol, p.sourcePort, p.destPort)
	})},
	"application-groups": {provider, "FlowKind", eachWay(group)},
	"autonomous-systems": {"traces/testdata/netflow.pcap", "SourceASN DestASN", bothEnds(func(p seen) string { return key(p.sourceASN, p.destASN) })},
	"bit-rates": {sample, "SourcePeerAddress", eachWay(func(p seen) string {
		if !in(p.source, "192.0.2.0/24", "2001:db8:1::/48") {
			return ""
		}
		return p.source
	})},
	"classify-features": {provider, "SourcePeerAddress DestPeerAddress SourceTransType SourceTransAddress DestTransAddress", bothEnds(func(p seen) string {
		if p.family == 0 || !tcpOrUDP(p) {
			return ""
		}
		return key(p.source, p.dest, p.protocol, p.sourcePort, p.destPort)
	})},
	"customer-connections": {provider, "SourcePeerAddress DestPeerAddress SourceTransType SourceTransAddress DestTransAddress", bothEnds(func(p seen) string {
		if customer(p) == "" {
			return ""
		}
		return key(p.source, p.dest, p.protocol, p.sourcePort, p.destPort)
	})},
	"customers": {provider, "SourcePeerAddress", eachWay(customer)},
	"dns-response": {provider, "DestPeerAddress", eachWay(func(p seen) string {
		if p.protocol != 17 || p.destPort != 53 {
			return ""
		}
		return p.dest
	})},
	"dscp": {provider, "FlowKind DSCodePoint", asItComes(func(p seen) string {
		switch {
		case p.family == 0:
			return ""
		case in(p.source, insiders...):
			return key(1, p.dscp)
		}
		return key(2, p.dscp)
	})},
	"foreign-name-servers": {provider, "SourcePeerAddress DestPeerAddress DestTransAddress", eachWay(func(p seen) string {
		if !tcpOrUDP(p) || !oneOf(p.destPort, 53, 853) || p.dest == "198.51.100.53" {
			return ""
		}
		return key(p.source, p.dest, p.destPort)
	})},
	"host": {provider, "SourcePeerAddress DestPeerAddress SourceTransType DestTransAddress", eachWay(func(p seen) string {
		if p.source != "10.1.9.31" {
			return ""
		}
		return key(p.source, p.dest, p.protocol, p.destPort)
	})},
	"in-and-out": {provider, "SourcePeerAddress", eachWay(func(p seen) string {
		if !in(p.source, insiders...) || in(p.dest, insiders...) {
			return ""
		}
		return p.source
	})},
	"inside-tunnels": {provider, "TunnelID SourcePeerAddress DestPeerAddress InnerSourcePeerAddress InnerDestPeerAddress", bothEnds(func(p seen) string {
		if p.protocol != 47 && p.vni == 0 {
			return ""
		}
		return key(p.vni, p.source, p.dest, p.lastSource, p.lastDest)
	})},
	"ipv6-share": {provider, "SourcePeerType DestTransAddress", eachWay(service(false, 80, 443, 53, 25, 123, 993))},
	"matrix": {provider, "SourcePeerAddress DestPeerAddress", bothEnds(func(p seen) string {
		if p.family == 0 {
			return ""
		}
		return key(network(p.source, 24, 48), network(p.dest, 24, 48))
	})},
	"multicast": {sample, "SourcePeerAddress DestPeerAddress SourceTransType", asItComes(func(p seen) string {
		if !in(p.dest, "224.0.0.0/4", "ff00::/8") {
			return ""
		}
		return key(p.source, p.dest, p.protocol)
	})},
	"networks":     {sample, "SourcePeerType SourceKind DestKind DestPeerAddress", betweenOurs},
	"packet-sizes": {sample, "SourceTransType DestTransAddress", packetSizes},
	"pings":        {provider, "SourcePeerAddress DestPeerAddress", echoed},
	"remote-access": {sample, "SourcePeerAddress DestPeerAddress DestTransAddress", eachWay(func(p seen) string {
		if p.protocol != 6 || !in(p.dest, "198.51.100.0/24") || !oneOf(p.destPort, 22, 23, 3389, 5900, 5985, 5986) {
			return ""
		}
		return key(p.source, p.dest, p.destPort)
	})},
	"scans":               {provider, "SourcePeerAddress", withValues(eachWay(outsider), attempts)},
	"server-distance":     {provider, "DestPeerAddress DestTransAddress", withValues(eachWay(serverOf), handshakes)},
	"server-packet-sizes": {provider, "DestPeerAddress", withValues(eachWay(webServer), sizesByServer)},
	"services":            {sample, "SourcePeerType SourceTransType DestTransAddress", eachWay(service(true, 80, 443, 53, 25, 123, 22))},
	"stations": {sample, "SourceAdjacentAddress DestAdjacentAddress SourcePeerType", bothEnds(func(p seen) string {
		return key(p.sourceMAC, p.destMAC, p.family)
	})},
	"stream-sizes": {provider, "DestTransAddress", withValues(eachWay(portOf), streams)},
	"tariffs":      {provider, "SourcePeerAddress DestClass", eachWay(tariff)},
	"tunnels": {provider, "SourcePeerAddress DestPeerAddress SourceTransType", eachWay(func(p seen) string {
		if p.protocol == 47 || p.protocol == 17 && p.destPort == 4789 {
			return key(p.source, p.dest, p.protocol)
		}
		return ""
	})},
	"unreachable": {sample, "DestPeerAddress SourceTransAddress DestTransAddress", asItComes(func(p seen) string {
		if p.protocol != 1 || !oneOf(p.sourcePort, 3, 11, 12) {
			return ""
		}
		return key(p.dest, p.sourcePort, p.destPort)
	})},
	"vlans": {provider, "VLANid Priority", asItComes(func(p seen) string { return key(p.vlan, p.priority) })},
	"voice": {provider, "SourcePeerAddress DestPeerAddress SourceTransAddress DestTransAddress", intervals},
	"web-protocols": {provider, "SourcePeerType SourceTransType DestTransAddress", eachWay(func(p seen) string {
		if !tcpOrUDP(p) || !oneOf(p.destPort, 80, 443) {
			return ""
		}
		return key(p.family, p.protocol, p.destPort)
	})},
	"web-turnaround": {sample, "SourcePeerType DestPeerAddress", eachWay(func(p seen) string {
		if p.protocol != 6 || !oneOf(p.destPort, 80, 443) {
			return ""
		}
		return key(p.family, network(p.dest, 24, 48))
	})},
	"well-known-ports": {provider, "SourceTransType DestTransAddress", eachWay(knownPort)},
}

// packetSizes has the sizes of packets by application.
func packetSizes(packets []seen, f flows) {
	of := service(true, 80, 443, 53, 25, 123, 22)
	for _, p := range packets {
		way, k := 0, of(p)
		if p.family == 0 {
			continue
		} else if k == "" {
			way, k = 1, of(p.back())
		}
		k = k[2:]
		f.of(k).add(way, p.octets)
		f.of(k).value([]string{"ToPacketSize", "FromPacketSize"}[way], p.octets)
	}
}

// sizesByServer has the sizes of web servers' packets.
func sizesByServer(packets []seen, f flows) {
	for _, p := range packets {
		if k := webServer(p); k != "" {
			f.of(k).value("ToPacketSize", p.octets)
		} else if k := webServer(p.back()); k != "" {
			f.of(k).value("FromPacketSize", p.octets)
		}
	}
}

const synFlag, ackFlag = 0x02, 0x10 // of TCP

// handshakes has the times from SYN to SYN+ACK, in microseconds.
func handshakes(packets []seen, f flows) {
	for _, p := range packets {
		if k := serverOf(p.back()); k != "" && p.flags&(synFlag|ackFlag) == synFlag|ackFlag {
			f.of(k).value("ToTurnaroundTime1", int(p.answered*1e6+0.5))
		}
	}
}

// attempts has, of each connection, how many of its SYNs have no SYN+ACK.
func attempts(packets []seen, f flows) {
	type attempt struct {
		from string
		lost int
	}
	all := make(map[int]*attempt)
	for _, p := range packets {
		if p.protocol != 6 {
			continue
		}
		a := all[p.stream]
		if a == nil {
			from := outsider(p)
			if from == "" {
				from = outsider(p.back())
			}
			a = &attempt{from: from}
			all[p.stream] = a
		}
		switch p.flags & (synFlag | ackFlag) {
		case synFlag:
			if outsider(p) != "" {
				a.lost++
			}
		case synFlag | ackFlag:
			a.lost = 0
		}
	}
	for _, a := range all {
		if a.from == "" {
			continue
		}
		f.of(a.from).value("ToLostPDUs", a.lost)
	}
}

// streams has the octets of each connection.
func streams(packets []seen, f flows) {
	all := make(map[int]*flowSum)
	ports := make(map[int]string)
	for _, p := range packets {
		way, k := 0, portOf(p)
		if k == "" {
			way, k = 1, portOf(p.back())
		}
		if k == "" {
			continue
		}
		if all[p.stream] == nil {
			all[p.stream] = &flowSum{}
		}
		all[p.stream].add(way, p.octets)
		ports[p.stream] = k
	}
	for i, s := range all {
		f.of(ports[i]).value("ToFlowOctets", s.octets[0])
		f.of(ports[i]).value("FromFlowOctets", s.octets[1])
	}
}

// intervals has the times between packets of a call, in microseconds.
func intervals(packets []seen, f flows) {
	count := bothEnds(func(p seen) string {
		if p.protocol != 17 || p.dscp != 46 {
			return ""
		}
		return key(p.source, p.dest, p.sourcePort, p.destPort)
	})
	count(packets, f)
	last := make(map[string]float64)
	for _, p := range packets {
		if p.protocol != 17 || p.dscp != 46 {
			continue
		}
		name, k := "ToInterarrivalTime", key(p.source, p.dest, p.sourcePort, p.destPort)
		if f[k] == nil {
			name, k = "FromInterarrivalTime", key(p.dest, p.source, p.destPort, p.sourcePort)
		}
		if before := last[k+name]; before > 0 {
			f.of(k).value(name, int((p.at-before)*1e6+0.5))
		}
		last[k+name] = p.at
	}
}
