package query

import (
	"slices"

	"rtfm/reader/table"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// titles are what stands above columns of attributes for people.
var titles = map[attr.Attr]string{
	attr.SourcePeerAddress: "Source", attr.DestPeerAddress: "Dest",
	attr.SourcePeerType: "Family", attr.SourceTransType: "Protocol",
	attr.SourceTransAddress: "SourcePort", attr.DestTransAddress: "DestPort",
	attr.SourceAdjacentAddress: "SourceStation", attr.DestAdjacentAddress: "DestStation",
	attr.SourceAdjacentType: "Medium",
	attr.DSCodePoint:        "DSCP", attr.VLANid: "VLAN",
	attr.TunnelKind: "Tunnel", attr.InnerVLANid: "InnerVLAN",
	attr.InnerSourcePeerAddress: "InnerSource", attr.InnerDestPeerAddress: "InnerDest",
	attr.InnerSourcePeerType: "InnerFamily", attr.InnerSourceTransType: "InnerProtocol",
	attr.InnerSourceTransAddress: "InnerSourcePort", attr.InnerDestTransAddress: "InnerDestPort",
}

// withoutFamily returns columns without the address family where addresses tell it.
func withoutFamily(columns []attr.Attr) []attr.Attr {
	if !slices.Contains(columns, attr.SourcePeerAddress) {
		return columns
	}
	return slices.DeleteFunc(columns, func(a attr.Attr) bool { return a == attr.SourcePeerType })
}

// titleICMP gives the columns of transport addresses other titles if all flows are of
// ICMP, with its type at the source.
func titleICMP(columns []table.Column, flows []counted) {
	const icmp, icmpv6 = 1, 58
	for i := range flows {
		f := &flows[i].flow
		swapped := f.ToPDUs == 0 && f.FromPDUs > 0
		if t := f.Key.TransType(); t != icmp && t != icmpv6 || swapped {
			return
		}
	}
	for i := 0; i < len(columns) && len(flows) > 0; i++ {
		switch c := &columns[i]; c.Name {
		case attr.SourceTransAddress.String():
			c.Title = "Type"
		case attr.DestTransAddress.String():
			c.Title = "Code"
		}
	}
}

// noAddress returns what stands in place of the source's address of packets that have
// none: their address family, if the flow has saved it.
func noAddress(f *match.Flow) table.Value {
	if family := f.Show(attr.SourcePeerType, false); family != "" {
		return table.String("(" + family + ")")
	}
	return table.Value{}
}
