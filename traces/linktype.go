package traces

import (
	"fmt"
	"strconv"
	"strings"
)

// LinkType is the kind of header that a packet begins with, as numbered by the
// LINKTYPE_ registry of pcap and pcapng (draft-ietf-opsawg-pcaplinktype,
// https://www.tcpdump.org/linktypes.html).
type LinkType uint32

// The link types that are read or decoded.
const (
	LinkNull              LinkType = 0 // BSD loopback
	LinkEthernet          LinkType = 1
	LinkTokenRing         LinkType = 6
	LinkARCnet            LinkType = 7
	LinkPPP               LinkType = 9
	LinkFDDI              LinkType = 10
	LinkRawBSD            LinkType = 12 // DLT_RAW of most systems, which stands in files beside LINKTYPE_RAW
	LinkRawOpenBSD        LinkType = 14 // DLT_RAW of OpenBSD
	LinkPPPHDLC           LinkType = 50 // PPP in HDLC-like framing
	LinkPPPoE             LinkType = 51
	LinkATM               LinkType = 100 // ATM AAL5 that holds LLC
	LinkRaw               LinkType = 101 // IPv4 or IPv6
	LinkCiscoHDLC         LinkType = 104
	Link80211             LinkType = 105
	LinkFrameRelay        LinkType = 107
	LinkLoop              LinkType = 108 // BSD loopback, in network order
	LinkLinuxSLL          LinkType = 113 // Linux cooked capture
	LinkPrism             LinkType = 119
	LinkSunATM            LinkType = 123
	LinkRadiotap          LinkType = 127
	LinkARCnetLinux       LinkType = 129
	LinkUser2             LinkType = 149 // used by Apple for what PKTAP is now
	LinkAVS               LinkType = 163
	LinkPPPD              LinkType = 166 // PPP whose address is a direction
	LinkPPI               LinkType = 192
	LinkWPAN              LinkType = 195 // IEEE 802.15.4 with two octets of check sequence
	LinkERF               LinkType = 197 // a whole ERF record
	LinkPPPWithDir        LinkType = 204 // PPP after a direction octet
	LinkCiscoHDLCWithDir  LinkType = 205 // Cisco HDLC after a direction octet
	LinkFrameRelayWithDir LinkType = 206 // frame relay after a direction octet
	LinkLAPBWithDir       LinkType = 207 // LAPB after a direction octet
	LinkMPLS              LinkType = 219
	LinkIPNET             LinkType = 226 // Solaris ipnet
	LinkIPv4              LinkType = 228
	LinkIPv6              LinkType = 229
	LinkWPANNoFCS         LinkType = 230
	LinkDBus              LinkType = 231
	LinkNFLOG             LinkType = 239
	LinkIPoIB             LinkType = 242
	LinkInfiniBand        LinkType = 247
	LinkUSBPcap           LinkType = 249
	LinkPKTAP             LinkType = 258
	LinkLinuxSLL2         LinkType = 276
	LinkEBHSCR            LinkType = 279
	LinkWPANTAP           LinkType = 283
)

// String returns the registered name without LINKTYPE_, such as "ETHERNET", or
// the number as "LINKTYPE(77)".
func (l LinkType) String() string {
	if l < LinkType(len(linkNames)) && linkNames[l] != "" {
		return linkNames[l]
	}
	return "LINKTYPE(" + strconv.FormatUint(uint64(l), 10) + ")"
}

// ParseLinkType returns the link type with this name, as String writes it, or
// this number. Case is ignored.
func ParseLinkType(s string) (LinkType, error) {
	if s != "" {
		for l, name := range linkNames {
			if strings.EqualFold(s, name) {
				return LinkType(l), nil
			}
		}
	}
	digits := strings.TrimSuffix(strings.TrimPrefix(s, "LINKTYPE("), ")")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no link type: want a name such as RAW, or a number", s)
	}
	return LinkType(n), nil
}

// MarshalText implements encoding.TextMarshaler by String.
func (l LinkType) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// linkNames are the names of the registry, by number.
var linkNames = [...]string{
	LinkNull:              "NULL",
	LinkEthernet:          "ETHERNET",
	2:                     "EXP_ETHERNET",
	3:                     "AX25",
	4:                     "PRONET",
	5:                     "CHAOS",
	LinkTokenRing:         "IEEE802_5",
	LinkARCnet:            "ARCNET_BSD",
	8:                     "SLIP",
	LinkPPP:               "PPP",
	LinkFDDI:              "FDDI",
	LinkPPPHDLC:           "PPP_HDLC",
	LinkPPPoE:             "PPP_ETHER",
	99:                    "SYMANTEC_FIREWALL",
	LinkATM:               "ATM_RFC1483",
	LinkRaw:               "RAW",
	102:                   "SLIP_BSDOS",
	103:                   "PPP_BSDOS",
	LinkCiscoHDLC:         "C_HDLC",
	Link80211:             "IEEE802_11",
	106:                   "ATM_CLIP",
	LinkFrameRelay:        "FRELAY",
	LinkLoop:              "LOOP",
	109:                   "ENC",
	110:                   "LANE8023",
	111:                   "HIPPI",
	112:                   "NETBSD_HDLC",
	LinkLinuxSLL:          "LINUX_SLL",
	114:                   "LTALK",
	115:                   "ECONET",
	116:                   "IPFILTER",
	117:                   "PFLOG",
	118:                   "CISCO_IOS",
	LinkPrism:             "IEEE802_11_PRISM",
	120:                   "IEEE802_11_AIRONET",
	122:                   "IP_OVER_FC",
	LinkSunATM:            "SUNATM",
	124:                   "RIO",
	125:                   "PCI_EXP",
	126:                   "AURORA",
	LinkRadiotap:          "IEEE802_11_RADIOTAP",
	128:                   "TZSP",
	LinkARCnetLinux:       "ARCNET_LINUX",
	130:                   "JUNIPER_MLPPP",
	131:                   "JUNIPER_MLFR",
	132:                   "JUNIPER_ES",
	133:                   "JUNIPER_GGSN",
	134:                   "JUNIPER_MFR",
	135:                   "JUNIPER_ATM2",
	136:                   "JUNIPER_SERVICES",
	137:                   "JUNIPER_ATM1",
	138:                   "APPLE_IP_OVER_IEEE1394",
	139:                   "MTP2_WITH_PHDR",
	140:                   "MTP2",
	141:                   "MTP3",
	142:                   "SCCP",
	143:                   "DOCSIS",
	144:                   "LINUX_IRDA",
	145:                   "IBM_SP",
	146:                   "IBM_SN",
	147:                   "USER0",
	148:                   "USER1",
	LinkUser2:             "USER2",
	150:                   "USER3",
	151:                   "USER4",
	152:                   "USER5",
	153:                   "USER6",
	154:                   "USER7",
	155:                   "USER8",
	156:                   "USER9",
	157:                   "USER10",
	158:                   "USER11",
	159:                   "USER12",
	160:                   "USER13",
	161:                   "USER14",
	162:                   "USER15",
	LinkAVS:               "IEEE802_11_AVS",
	164:                   "JUNIPER_MONITOR",
	165:                   "BACNET_MS_TP",
	LinkPPPD:              "PPP_PPPD",
	167:                   "JUNIPER_PPPOE",
	168:                   "JUNIPER_PPPOE_ATM",
	169:                   "GPRS_LLC",
	170:                   "GPF_T",
	171:                   "GPF_F",
	172:                   "GCOM_T1E1",
	173:                   "GCOM_SERIAL",
	174:                   "JUNIPER_PIC_PEER",
	175:                   "ERF_ETH",
	176:                   "ERF_POS",
	177:                   "LINUX_LAPD",
	178:                   "JUNIPER_ETHER",
	179:                   "JUNIPER_PPP",
	180:                   "JUNIPER_FRELAY",
	181:                   "JUNIPER_CHDLC",
	182:                   "MFR",
	183:                   "JUNIPER_VP",
	184:                   "A429",
	185:                   "A653_ICM",
	186:                   "USB_FREEBSD",
	187:                   "BLUETOOTH_HCI_H4",
	188:                   "IEEE802_16_MAC_CPS",
	189:                   "USB_LINUX",
	190:                   "CAN20B",
	191:                   "IEEE802_15_4_LINUX",
	LinkPPI:               "PPI",
	193:                   "IEEE802_16_MAC_CPS_RADIO",
	194:                   "JUNIPER_ISM",
	LinkWPAN:              "IEEE802_15_4_WITHFCS",
	196:                   "SITA",
	LinkERF:               "ERF",
	198:                   "RAIF1",
	199:                   "IPMB_KONTRON",
	200:                   "JUNIPER_ST",
	201:                   "BLUETOOTH_HCI_H4_WITH_PHDR",
	202:                   "AX25_KISS",
	203:                   "LAPD",
	LinkPPPWithDir:        "PPP_WITH_DIR",
	LinkCiscoHDLCWithDir:  "C_HDLC_WITH_DIR",
	LinkFrameRelayWithDir: "FRELAY_WITH_DIR",
	LinkLAPBWithDir:       "LAPB_WITH_DIR",
	209:                   "I2C_LINUX",
	210:                   "FLEXRAY",
	211:                   "MOST",
	212:                   "LIN",
	213:                   "X2E_SERIAL",
	214:                   "X2E_XORAYA",
	215:                   "IEEE802_15_4_NONASK_PHY",
	216:                   "LINUX_EVDEV",
	217:                   "GSMTAP_UM",
	218:                   "GSMTAP_ABIS",
	LinkMPLS:              "MPLS",
	220:                   "USB_LINUX_MMAPPED",
	221:                   "DECT",
	222:                   "AOS",
	223:                   "WIHART",
	224:                   "FC_2",
	225:                   "FC_2_WITH_FRAME_DELIMS",
	LinkIPNET:             "IPNET",
	227:                   "CAN_SOCKETCAN",
	LinkIPv4:              "IPV4",
	LinkIPv6:              "IPV6",
	LinkWPANNoFCS:         "IEEE802_15_4_NOFCS",
	LinkDBus:              "DBUS",
	232:                   "JUNIPER_VS",
	233:                   "JUNIPER_SRX_E2E",
	234:                   "JUNIPER_FIBRECHANNEL",
	235:                   "DVB_CI",
	236:                   "MUX27010",
	237:                   "STANAG_5066_D_PDU",
	238:                   "JUNIPER_ATM_CEMIC",
	LinkNFLOG:             "NFLOG",
	240:                   "NETANALYZER",
	241:                   "NETANALYZER_TRANSPARENT",
	LinkIPoIB:             "IPOIB",
	243:                   "MPEG_2_TS",
	244:                   "NG40",
	245:                   "NFC_LLCP",
	246:                   "PFSYNC",
	LinkInfiniBand:        "INFINIBAND",
	248:                   "SCTP",
	LinkUSBPcap:           "USBPCAP",
	250:                   "RTAC_SERIAL",
	251:                   "BLUETOOTH_LE_LL",
	252:                   "WIRESHARK_UPPER_PDU",
	253:                   "NETLINK",
	254:                   "BLUETOOTH_LINUX_MONITOR",
	255:                   "BLUETOOTH_BREDR_BB",
	256:                   "BLUETOOTH_LE_LL_WITH_PHDR",
	257:                   "PROFIBUS_DL",
	LinkPKTAP:             "PKTAP",
	259:                   "EPON",
	260:                   "IPMI_HPM_2",
	261:                   "ZWAVE_R1_R2",
	262:                   "ZWAVE_R3",
	263:                   "WATTSTOPPER_DLM",
	264:                   "ISO_14443",
	265:                   "RDS",
	266:                   "USB_DARWIN",
	267:                   "OPENFLOW",
	268:                   "SDLC",
	269:                   "TI_LLN_SNIFFER",
	270:                   "LORATAP",
	271:                   "VSOCK",
	272:                   "NORDIC_BLE",
	273:                   "DOCSIS31_XRA31",
	274:                   "ETHERNET_MPACKET",
	275:                   "DISPLAYPORT_AUX",
	LinkLinuxSLL2:         "LINUX_SLL2",
	277:                   "SERCOS_MONITOR",
	278:                   "OPENVIZSLA",
	LinkEBHSCR:            "EBHSCR",
	280:                   "VPP_DISPATCH",
	281:                   "DSA_TAG_BRCM",
	282:                   "DSA_TAG_BRCM_PREPEND",
	LinkWPANTAP:           "IEEE802_15_4_TAP",
	284:                   "DSA_TAG_DSA",
	285:                   "DSA_TAG_EDSA",
	286:                   "ELEE",
	287:                   "Z_WAVE_SERIAL",
	288:                   "USB_2_0",
	289:                   "ATSC_ALP",
	290:                   "ETW",
	291:                   "NETANALYZER_NG",
	292:                   "ZBOSS_NCP",
	293:                   "USB_2_0_LOW_SPEED",
	294:                   "USB_2_0_FULL_SPEED",
	295:                   "USB_2_0_HIGH_SPEED",
	296:                   "AUERSWALD_LOG",
	297:                   "ZWAVE_TAP",
	298:                   "SILABS_DEBUG_CHANNEL",
	299:                   "FIRA_UCI",
	300:                   "MDB",
	301:                   "DECT_NR",
}
