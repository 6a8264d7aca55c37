package packet

import "strings"

// TunnelKinds is a set of kinds of tunnels.
type TunnelKinds uint16

// Sets of kinds.
const (
	// PlainTunnels are those that their packets tell with hardly a doubt.
	PlainTunnels = AllTunnels &^ (1<<Teredo | 1<<AYIYA)
	// AllTunnels has those too whose ports are used for other things.
	AllTunnels = TunnelKinds(1<<kindsEnd - 2)

	udpKinds = AllTunnels &^ (1<<GRE | 1<<ERSPAN | 1<<IPIP)
)

// Has reports whether a kind is in the set. 0 is in none.
func (k TunnelKinds) Has(kind TunnelKind) bool { return k>>kind&1 != 0 }

// With returns the set with one kind more.
func (k TunnelKinds) With(kind TunnelKind) TunnelKinds { return k | 1<<kind }

// kindNames are the kinds' names, as users write them.
var kindNames = [kindsEnd]string{
	VXLAN: "vxlan", VXLANGPE: "vxlan-gpe", GENEVE: "geneve", GRE: "gre", ERSPAN: "erspan", TZSP: "tzsp",
	IPIP: "ipip", GTPU: "gtp-u", L2TP: "l2tp", Teredo: "teredo", AYIYA: "ayiya",
}

// TunnelNames returns the names of all kinds, in their order.
func TunnelNames() []string { return kindNames[1:] }

// String returns the kind's name, such as "vxlan-gpe".
func (k TunnelKind) String() string {
	if k < kindsEnd {
		return kindNames[k]
	}
	return ""
}

// ParseTunnelKind returns the kind of this name, as String writes it; false if there
// is none.
func ParseTunnelKind(name string) (kind TunnelKind, ok bool) {
	for kind = 1; kind < kindsEnd; kind++ {
		if strings.EqualFold(name, kindNames[kind]) {
			return kind, true
		}
	}
	return 0, false
}

// String returns the names of the kinds in the set, with commas.
func (k TunnelKinds) String() string {
	var names []string
	for kind := TunnelKind(1); kind < kindsEnd; kind++ {
		if k.Has(kind) {
			names = append(names, kindNames[kind])
		}
	}
	return strings.Join(names, ",")
}
