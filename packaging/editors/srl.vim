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
syntax keyword srlAttribute FirstPackets FirstPayloads Censored DeltaToPDUs DeltaFromPDUs DeltaToOctets DeltaFromOctets DeltaToPDURate
syntax keyword srlAttribute DeltaFromPDURate DeltaToBitRate DeltaFromBitRate
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
syntax keyword srlName loopback min-ipv4 mld-done mobility ms-sql-m no-route openflow original
syntax keyword srlName photuris postgres rabbitmq redirect rtsp-alt snmptrap switched udp-lite
syntax keyword srlName zerotier aggfrag bitcoin chargen couchdb daytime default discard
syntax keyword srlName dropbox edonkey etherip ftpdata iso-tp4 kpasswd kubelet ldap-gc
syntax keyword srlName mongodb nat-pmp netconf netflow not-ect openvpn portmap printer
syntax keyword srlName rpcbind telnets udplite xns-idp agentx arcnet bacnet bootpc
syntax keyword srlName bootps consul decnet dhcpv6 docker domain erspan finger
syntax keyword srlName geneve gopher icmpv6 iec104 ipcomp iperf3 ipfixs isakmp
syntax keyword srlName iso-ip kibana klogin kshell mobile modbus ms-sql mumble
syntax keyword srlName novell nts-ke opc-ua oracle puppet radius radsec rlogin
syntax keyword srlName routed statsd sunrpc svrloc syslog tacacs telnet teredo
syntax keyword srlName tunnel winbox winrms zabbix amqps ayiya chaos coaps
syntax keyword srlName dicom dummy eigrp encap epmap gtp-c gtp-u http3
syntax keyword srlName https icmp6 ident imaps iperf ipfix iscsi kafka
syntax keyword srlName ldaps llmnr login manet mqtts msrpc mysql neo4j
syntax keyword srlName nntps ntalk nvgre other pcoip ping6 pop3s redis
syntax keyword srlName rexec ripng rsync sflow sgsap shell shim6 smtps
syntax keyword srlName snmps socks squid steam stomp stuns swarm turns
syntax keyword srlName vault video vines voice vxlan whois winrm xdmcp
syntax keyword srlName IPv4 IPv6 af11 af12 af13 af21 af22 af23
syntax keyword srlName af31 af32 af33 af41 af42 af43 amqp auth
syntax keyword srlName ax25 biff carp clns coap dccp dhcp dnp3
syntax keyword srlName echo ect0 ect1 epmd etcd exec fddi ftps
syntax keyword srlName grpc h323 hdlc hsrp http icmp idrp ifmp
syntax keyword srlName igmp imap ipip iplt ipmi ipv6 ircd ircs
syntax keyword srlName irtp isis isns l2tp larp ldap m2ua m3ua
syntax keyword srlName mdns mgcp mpls mqtt msdp narp nats news
syntax keyword srlName ngap nntp nrpe nsap olsr ospf ping plex
syntax keyword srlName pnni pop2 pop3 pptp qotd quic rohc rspf
syntax keyword srlName rsvp rtcp rtmp rtsp s1ap sccp sctp sdrp
syntax keyword srlName sips skip slip smtp snmp ssdp stun talk
syntax keyword srlName tftp time tinc turn tzsp uucp vmtp vrrp
syntax keyword srlName wesp wifi x2ap xmpp adb afp aim atm
syntax keyword srlName bfd bgp cbt cs0 cs1 cs2 cs3 cs4
syntax keyword srlName cs5 cs6 cs7 ddp dns doq dot dsr
syntax keyword srlName egp epp esp fcm ftp gcm ggp git
syntax keyword srlName gre gtp hip hkp hmp iax idp igp
syntax keyword srlName ike ip6 ipp ipx irc k8s ldp lpd
syntax keyword srlName mtp nfs nsh ntp pcp pgm pim pop
syntax keyword srlName ppp pup rdp rfb rip rmi rpl rsh
syntax keyword srlName rtp sip sit slp smb ssh stp svn
syntax keyword srlName tcp tor udp vnc who wsd www x11
syntax keyword srlName xtp ah be bk ca ce df ee
syntax keyword srlName ef fc ic il ip le nc st
syntax keyword srlName va vi vo
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
