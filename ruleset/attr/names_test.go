package attr

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestValueName(t *testing.T) {
	v := MakeValue
	for _, tt := range []struct {
		a    Attr
		name string
		want Value
		ok   bool
	}{
		{SourcePeerType, "IP", v(1), true},
		{DestPeerType, "Dummy", v(255), true},
		{DestPeerType, "clns", v(3), true},
		{DestPeerType, "ethertalk", v(12), true},
		{SourceTransType, "OSPF", v(89), true},
		{SourceTransType, "www", v(0), false},
		{DestTransAddress, "ftp_data", v(0, 20), true},
		{DestTransAddress, "www", v(0, 80), true},
		{SourceTransAddress, "x11", v(0x17, 0x70), true},
		{SourceAdjacentType, "ethernet", v(7), true},
		{V2, "destpeeraddress", v(19), true},
		{V2, "Priority", v(4, 1), true},
		{V2, "tcp", v(), false},
		{SourcePeerAddress, "ip", v(), false},
		{FlowKind, "A", v(), false},
	} {
		got, ok := ValueName(tt.a, tt.name)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%v %s: got %v, %v, want %v, %v", tt.a, tt.name, got, ok, tt.want, tt.ok)
		}
		if known := ValueNames(tt.a); ok && len(known) == 0 {
			t.Errorf("%v: no names", tt.a)
		}
	}
	for _, in := range All() {
		for _, n := range ValueNames(in.Attr) {
			if _, ok := ValueName(in.Attr, n); !ok {
				t.Errorf("%v: name %s is not found", in.Attr, n)
			}
		}
	}
	if slices.Contains(ValueNames(V1), "ToPDUs") {
		t.Error("v1 could stand for ToPDUs")
	}
}

// settled are the names that rulesets have used for long: they never change.
var settled = map[Attr]string{
	SourcePeerType: `other=0 ip=1 ipv4=1 ipv6=2 ip6=2 nsap=3 clns=3 ipx=11 novell=11 appletalk=12 ethertalk=12 decnet=13 dummy=255`,
	DestAdjacentType: `ip=1 nsap=3 ethernet=7 tokenring=9 ipx=11 appletalk=12 decnet=13 fddi=15 ppp=23 loopback=24 atm=37 ieee80211=71
		hdlc=118`,
	SourceTransType: `icmp=1 igmp=2 ggp=3 ipip=4 tcp=6 egp=8 igp=9 udp=17 idp=22 dccp=33 ipv6=41 rsvp=46 gre=47 esp=50 ah=51
		icmpv6=58 icmp6=58 ipv6-icmp=58 eigrp=88 ospf=89 pim=103 vrrp=112 l2tp=115 sctp=132 udplite=136 udp-lite=136
		mpls=137`,
	DestTransAddress: `echo=7 discard=9 daytime=13 chargen=19 ftp-data=20 ftpdata=20 ftp=21 ssh=22 telnet=23 smtp=25 time=37 whois=43
		tacacs=49 domain=53 dns=53 bootps=67 bootpc=68 dhcp=67 tftp=69 gopher=70 finger=79 www=80 http=80 kerberos=88
		pop2=109 pop3=110 pop=110 sunrpc=111 portmap=111 ident=113 auth=113 nntp=119 news=119 ntp=123 netbios-ns=137
		netbios-dgm=138 netbios-ssn=139 imap=143 snmp=161 snmptrap=162 snmp-trap=162 bgp=179 irc=194 ldap=389 https=443
		microsoft-ds=445 smb=445 isakmp=500 ike=500 rlogin=513 login=513 syslog=514 printer=515 rip=520 ripng=521
		submission=587 ldaps=636 agentx=705 domain-s=853 rsync=873 imaps=993 pop3s=995 socks=1080 openvpn=1194
		ms-sql=1433 radius=1812 radius-acct=1813 nfs=2049 squid=3128 mysql=3306 rdp=3389 sip=5060 sips=5061 mdns=5353
		postgresql=5432 x11=6000 bittorrent=6881 http-alt=8080`,
}

func TestSettledNames(t *testing.T) {
	for a, list := range settled {
		for entry := range strings.FieldsSeq(list) {
			name, number, _ := strings.Cut(entry, "=")
			want, _ := strconv.ParseUint(number, 10, 16)
			if v, ok := ValueName(a, name); !ok || v.Uint() != want {
				t.Errorf("%v %s: %v, %v, want %d", a, name, v, ok, want)
			}
		}
	}
}

// TestNameTables holds the lists of names to their order, and each name to one value
// and to what SRL can read.
func TestNameTables(t *testing.T) {
	word := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(-[A-Za-z][A-Za-z0-9]*)*$`)
	octets := regexp.MustCompile(`^[a-f0-9]+(-[a-f0-9]+)+$`)
	for _, table := range nameTables {
		known := map[string]uint16{}
		for i, list := range table.values {
			if i < 2 && !slices.IsSortedFunc(list, func(a, b named) int { return int(a.value) - int(b.value) }) {
				t.Errorf("names of %v are not in order", table.attrs[0])
			}
			for _, v := range list {
				for name := range strings.FieldsSeq(v.names) {
					if old, twice := known[name]; twice && (old != v.value || v.of == transAny) {
						t.Errorf("%v: %s is %d and %d", table.attrs[0], name, old, v.value)
					}
					known[name] = v.value
					if !word.MatchString(name) || octets.MatchString(name) {
						t.Errorf("%v: SRL would not read %q as a name", table.attrs[0], name)
					}
				}
			}
		}
	}
}

// TestNameOf: each name that is shown is read as the value that it was shown for, at
// both ends.
func TestNameOf(t *testing.T) {
	check := func(a Attr, name string, v uint64, transport int) {
		if got, ok := ValueName(a, name); !ok || got.Uint() != v || got.Len() != a.Info().Size {
			t.Errorf("%v %d of transport %d is shown as %q, which is %v, %v", a, v, transport, name, got, ok)
		}
	}
	shown := 0
	for _, table := range nameTables {
		for _, transport := range []int{0, 1, 6, 17, 33, 50, 58, 132, 255} {
			for v := range uint64(1) << (8 * table.attrs[0].Info().Size) {
				for _, a := range table.attrs {
					if name := NameOf(a, v, uint8(transport)); name != "" {
						shown++
						check(a, name, v, transport)
					}
				}
				if len(table.attrs) == 1 || transport != int(transICMP) && transport != int(transICMPv6) || v > 255 {
					continue
				}
				for code := range uint8(255) {
					if name := codeName(uint8(transport), uint8(v), code); name != "" {
						shown++
						check(DestTransAddress, name, uint64(code), transport)
						check(SourceTransAddress, name, uint64(code), transport)
					}
				}
			}
		}
	}
	if shown < 5000 {
		t.Errorf("only %d values have names", shown)
	}
	for _, tt := range []struct {
		a         Attr
		v         uint64
		transport uint8
		want      string
	}{
		{DestPeerType, 2, 0, "IPv6"},
		{SourceTransType, 6, 6, "tcp"},
		{DestTransAddress, 443, 0, "https"},
		{DestTransAddress, 443, 6, "https"},
		{SourceTransAddress, 443, 17, "quic"},
		{DestTransAddress, 514, 6, "shell"},
		{DestTransAddress, 2905, 6, ""},
		{DestTransAddress, 2905, 132, "m3ua"},
		{SourceTransAddress, 8, 1, "echo-request"},
		{SourceTransAddress, 8, 58, ""},
		{SourceTransAddress, 22, 58, ""},
		{DestTransAddress, 3, 1, ""},
		{DestTransAddress, 1 << 20, 6, ""},
		{DSCodePoint, 46, 0, "ef"},
		{DSCodePoint, 0, 17, "be"},
		{ECNCodeBits, 3, 0, "ce"},
		{Priority, 5, 0, "voice"},
		{FlowKind, 5, 0, ""},
	} {
		if got := NameOf(tt.a, tt.v, tt.transport); got != tt.want {
			t.Errorf("%v %d of transport %d: %q, want %q", tt.a, tt.v, tt.transport, got, tt.want)
		}
	}
	if got := codeName(1, 3, 3) + codeName(58, 1, 4) + codeName(1, 8, 0); got != "port-unreachableport-unreachable6" {
		t.Error(got)
	}
}
