" Vim syntax file: SRL, the Simple Ruleset Language (RFC 2723) with rtfm's additions.
" Written from the language's tables by go test ./packaging/editors -update.
if exists("b:current_syntax")
  finish
endif
syntax case ignore
" Names of values have hyphens.
syntax iskeyword @,48-57,_,-
syntax keyword srlKeyword address call count define else endcall endsub exit
syntax keyword srlKeyword if ignore nomatch return save store subroutine variable
syntax keyword srlKeyword and file format include not or set statistics
syntax keyword srlAttribute Null FlowIndex FlowStatus FlowTimeMark SourceInterface SourceAdjacentType SourceAdjacentAddress SourceAdjacentMask
syntax keyword srlAttribute SourcePeerType SourcePeerAddress SourcePeerMask SourceTransType SourceTransAddress SourceTransMask DestInterface DestAdjacentType
syntax keyword srlAttribute DestAdjacentAddress DestAdjacentMask DestPeerType DestPeerAddress DestPeerMask DestTransType DestTransAddress DestTransMask
syntax keyword srlAttribute PDUScale OctetScale FlowRuleSet ToOctets ToPDUs FromOctets FromPDUs FirstTime
syntax keyword srlAttribute LastActiveTime SourceSubscriberID DestSubscriberID SessionID SourceClass DestClass FlowClass SourceKind
syntax keyword srlAttribute DestKind FlowKind MatchingStoD v1 v2 v3 v4 v5
syntax keyword srlAttribute Distributions ToPacketSize FromPacketSize ToInterarrivalTime FromInterarrivalTime ToTurnaroundTime FromTurnaroundTime ToBitRate
syntax keyword srlAttribute FromBitRate ToPDURate FromPDURate ToTurnaroundTime1 FromTurnaroundTime1 ToTurnaroundTime2 FromTurnaroundTime2 ToTurnaroundTime3
syntax keyword srlAttribute FromTurnaroundTime3 ToTurnaroundTime4 FromTurnaroundTime4 FlowTime ToFlowOctets FromFlowOctets ToFlowPDUs FromFlowPDUs
syntax keyword srlAttribute ToTCPSize FromTCPSize ToTCPTime FromTCPTime ToTCPRate FromTCPRate ToLostPDUs FromLostPDUs
syntax keyword srlAttribute MeterID SourceASN SourcePrefix DestASN DestPrefix DSCodePoint VLANid Priority
syntax keyword srlAttribute ECNCodeBits FirstTimeNs LastActiveTimeNs SavedAttributes Duplicate HopLimit TunnelID TunnelKind
syntax keyword srlAttribute MPLSLabel MPLSBottomLabel InnerVLANid VLANTags InnerSourcePeerType InnerSourcePeerAddress InnerSourcePeerMask InnerSourceTransType
syntax keyword srlAttribute InnerSourceTransAddress InnerSourceTransMask InnerDestPeerType InnerDestPeerAddress InnerDestPeerMask InnerDestTransType InnerDestTransAddress InnerDestTransMask
syntax keyword srlAttribute FlowID CommunityID ToSizeStats FromSizeStats ToGapStats FromGapStats ToPayloadStats FromPayloadStats
syntax keyword srlAttribute ToTurnaroundStats FromTurnaroundStats ToWindowStats FromWindowStats ToHopLimitRange FromHopLimitRange ToIPIDRange FromIPIDRange
syntax keyword srlAttribute ToTCPFlags FromTCPFlags ToRetransmittedPDUs FromRetransmittedPDUs ToRetransmittedOctets FromRetransmittedOctets ToOutOfOrderPDUs FromOutOfOrderPDUs
syntax keyword srlAttribute ToSequenceGaps FromSequenceGaps ToMissingOctets FromMissingOctets ToZeroWindows FromZeroWindows ToResets FromResets
syntax keyword srlAttribute FirstPackets FirstPayloads DeltaToPDUs DeltaFromPDUs DeltaToOctets DeltaFromOctets DeltaToPDURate DeltaFromPDURate
syntax keyword srlAttribute DeltaToBitRate DeltaFromBitRate
syntax keyword srlWord Host SrcHost DstHost Net SrcNet DstNet Addr SrcAddr
syntax keyword srlWord DstAddr Address SrcAddress DstAddress PeerAddress SrcPeerAddress DstPeerAddress Port
syntax keyword srlWord SrcPort DstPort TransAddress SrcTransAddress DstTransAddress MAC SrcMAC DstMAC
syntax keyword srlWord AdjacentAddress SrcAdjacentAddress DstAdjacentAddress Interface SrcInterface DstInterface ASN SrcASN
syntax keyword srlWord DstASN Src Source SrcIP SourceIP Dst Dest Destination
syntax keyword srlWord DstIP DestIP SPort DPort Protocol Proto TransType Family
syntax keyword srlWord PeerType VLAN DSCP TTL
syntax keyword srlName certification-path-advertisement certification-path-solicitation duplicate-address-confirmation inverse-neighbor-advertisement multicast-router-advertisement inverse-neighbor-solicitation multicast-router-solicitation multicast-router-termination
syntax keyword srlName mobile-prefix-advertisement mobile-prefix-solicitation duplicate-address-request host-precedence-violation node-information-response destination-unreachable extended-echo-request6 neighbor-advertisement
syntax keyword srlName node-information-query extended-echo-request neighbor-solicitation address-mask-request extended-echo-reply6 fragmentation-needed internetwork-control protocol-unreachable
syntax keyword srlName router-advertisement source-host-isolated source-policy-failed tos-host-unreachable address-unreachable cassandra-internode elasticsearch-nodes extended-echo-reply
syntax keyword srlName information-request rabbitmq-management reassembly-timeout6 router-solicitation source-route-failed tos-net-unreachable unknown-next-header address-mask-reply
syntax keyword srlName home-agent-request hop-limit-exceeded irdp-advertisement parameter-problem6 reassembly-timeout router-renumbering admin-prohibited6 information-reply
syntax keyword srlName irdp-solicitation minecraft-bedrock parameter-problem port-unreachable6 precedence-cutoff timestamp-request tos-host-redirect admin-prohibited
syntax keyword srlName excellent-effort home-agent-reply host-unreachable port-unreachable tos-net-redirect host-prohibited net-unreachable network-control
syntax keyword srlName rsvp-e2e-ignore timestamp-reply http-rpc-epmap missing-option ms-sql-browser net-prohibited packet-too-big time-exceeded6
syntax keyword srlName unknown-option dhcp-failover dhcpv6-client dhcpv6-server echo-request6 elasticsearch host-redirect smart-install
syntax keyword srlName source-quench time-exceeded alertmanager beyond-scope bfd-multihop docker-swarm echo-request host-unknown
syntax keyword srlName kerberos-adm microsoft-ds mikrotik-api mldv2-report net-redirect openflow-old reject-route ttl-exceeded
syntax keyword srlName unreachable6 ws-discovery zabbix-agent bad-pointer best-effort cockroachdb dhcp-client dhcp-server
syntax keyword srlName echo-reply6 ethernet-ip frame-relay ipsec-nat-t lotus-notes net-unknown netbios-dgm netbios-ssn
syntax keyword srlName ptp-general radius-acct submissions unreachable vmware-auth voice-admit vxlan-linux xmpp-client
syntax keyword srlName xmpp-server background bad-header bad-length bittorrent citrix-cgp citrix-ica docker-tls
syntax keyword srlName echo-reply ha-cluster infiniband ipv6-nonxt ipv6-route kubernetes mld-report netbios-ns
syntax keyword srlName pcanywhere postgresql prometheus radius-coa submission syslog-tls teamviewer traceroute
syntax keyword srlName appletalk cassandra etcd-peer ethertalk ftps-data https-alt ieee80211 ike-nat-t
syntax keyword srlName ipv6-frag ipv6-icmp ipv6-opts ipx-in-ip jetdirect memcached minecraft mld-query
syntax keyword srlName ptp-event redirect6 snmp-trap snmptraps syncthing tailscale teamspeak tokenring
syntax keyword srlName vxlan-gpe wireguard xbox-live zookeeper activemq asf-rmcp bfd-echo collectd
syntax keyword srlName critical diameter docker-s domain-s ethereum ethernet firebird ftp-data
syntax keyword srlName gnutella h323-ras http-alt ieee1394 influxdb iso-tsap kerberos ldaps-gc
syntax keyword srlName loopback min-ipv4 mld-done mobility ms-sql-m no-route openflow photuris
syntax keyword srlName postgres rabbitmq redirect rtsp-alt snmptrap udp-lite zerotier aggfrag
syntax keyword srlName bitcoin chargen couchdb daytime default discard dropbox edonkey
syntax keyword srlName etherip ftpdata iso-tp4 kpasswd kubelet ldap-gc mongodb nat-pmp
syntax keyword srlName netconf netflow not-ect openvpn portmap printer rpcbind telnets
syntax keyword srlName udplite xns-idp agentx arcnet bacnet bootpc bootps consul
syntax keyword srlName decnet dhcpv6 docker domain erspan finger geneve gopher
syntax keyword srlName icmpv6 iec104 ipcomp iperf3 ipfixs isakmp iso-ip kibana
syntax keyword srlName klogin kshell mobile modbus ms-sql mumble novell nts-ke
syntax keyword srlName opc-ua oracle puppet radius radsec rlogin statsd sunrpc
syntax keyword srlName svrloc syslog tacacs telnet teredo tunnel winbox winrms
syntax keyword srlName zabbix amqps ayiya chaos coaps dicom dummy eigrp
syntax keyword srlName encap epmap gtp-c gtp-u http3 https icmp6 ident
syntax keyword srlName imaps iperf ipfix iscsi kafka ldaps llmnr login
syntax keyword srlName manet mqtts msrpc mysql neo4j nntps ntalk nvgre
syntax keyword srlName other pcoip ping6 pop3s redis rexec ripng rsync
syntax keyword srlName sflow sgsap shell shim6 smtps snmps socks squid
syntax keyword srlName steam stomp stuns swarm turns vault video vines
syntax keyword srlName voice vxlan whois winrm xdmcp IPv4 IPv6 af11
syntax keyword srlName af12 af13 af21 af22 af23 af31 af32 af33
syntax keyword srlName af41 af42 af43 amqp auth ax25 biff carp
syntax keyword srlName clns coap dccp dhcp dnp3 echo ect0 ect1
syntax keyword srlName epmd etcd exec fddi ftps grpc h323 hdlc
syntax keyword srlName hsrp http icmp idrp ifmp igmp imap ipip
syntax keyword srlName iplt ipmi ipv6 ircd ircs irtp isis isns
syntax keyword srlName l2tp larp ldap m2ua m3ua mdns mgcp mpls
syntax keyword srlName mqtt msdp narp nats news ngap nntp nrpe
syntax keyword srlName nsap olsr ospf ping plex pnni pop2 pop3
syntax keyword srlName pptp qotd quic rohc rspf rsvp rtcp rtmp
syntax keyword srlName rtsp s1ap sccp sctp sdrp sips skip slip
syntax keyword srlName smtp snmp ssdp stun talk tftp time tinc
syntax keyword srlName turn tzsp uucp vmtp vrrp wesp wifi x2ap
syntax keyword srlName xmpp adb afp aim atm bfd bgp cbt
syntax keyword srlName cs0 cs1 cs2 cs3 cs4 cs5 cs6 cs7
syntax keyword srlName ddp dns doq dot dsr egp epp esp
syntax keyword srlName fcm ftp gcm ggp git gre gtp hip
syntax keyword srlName hkp hmp iax idp igp ike ip6 ipp
syntax keyword srlName ipx irc k8s ldp lpd mtp nfs nsh
syntax keyword srlName ntp pcp pgm pim pop ppp pup rdp
syntax keyword srlName rfb rip rmi rpl rsh rtp sip sit
syntax keyword srlName slp smb ssh stp svn tcp tor udp
syntax keyword srlName vnc who wsd www x11 xtp ah be
syntax keyword srlName bk ca ce df ee ef fc ic
syntax keyword srlName il ip le nc st va vi vo
syntax match srlNumber "\<\d[0-9a-f.:!]*\(-\x\+\)*\(/\d\+\)\?"
syntax match srlOperator ":=\|==\|!=\|<=\|>=\|&&\|||\|\.\.\|[=<>!&]"
syntax region srlText start=+"+ skip=+\\.+ end=+"+ oneline
syntax match srlCharacter "'\(\\.[^']*\|[^'\\]\)'"
syntax match srlComment "#.*$" contains=@Spell
syntax region srlComment start="/\*" end="\*/" contains=@Spell
highlight default link srlKeyword Statement
highlight default link srlAttribute Identifier
highlight default link srlWord Identifier
highlight default link srlName Constant
highlight default link srlNumber Number
highlight default link srlOperator Operator
highlight default link srlText String
highlight default link srlCharacter Character
highlight default link srlComment Comment
syntax sync fromstart
setlocal commentstring=#\ %s
let b:current_syntax = "srl"
