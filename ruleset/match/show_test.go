package match

import (
	"testing"

	"rtfm/ruleset/attr"
)

// TestFlowShow: what a flow saves beside a value changes what the value is called.
func TestFlowShow(t *testing.T) {
	saved := func(list ...attr.Attr) (s []Saved) {
		for _, a := range list {
			s = append(s, Saved{a, attr.Ones(attr.MaxAddress)})
		}
		return s
	}
	all := saved(attr.SourcePeerType, attr.SourcePeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress)
	for _, tt := range []struct {
		name            string
		peerLen         uint8
		saved           []Saved
		peer, transport uint8
		ports           [2]uint16
		from            bool
		want            [6]string // type, address, protocol, ports, DestPeerAddress
	}{
		{"UDP", 4, all, 1, 17, [2]uint16{40000, 443}, false, [6]string{"IPv4", "0.0.0.0", "udp", "40000", "quic"}},
		{"port alone", 0, saved(attr.DestTransAddress), 1, 17, [2]uint16{40000, 443}, false, [6]string{"", "", "", "", "https"}},
		{"ESP", 4, all, 1, 50, [2]uint16{}, false, [6]string{"IPv4", "0.0.0.0", "esp", "", ""}},
		{"ARP", 0, all, 0, 0, [2]uint16{}, false, [6]string{"other", "", "", "", ""}},
		{"ARP by its address", 0, saved(attr.SourcePeerAddress, attr.SourceTransType), 0, 0, [2]uint16{}, false, [6]string{}},
		{"ICMP", 4, all, 1, 1, [2]uint16{3, 1}, false, [6]string{"IPv4", "0.0.0.0", "icmp", "unreachable", "host-unreachable"}},
		{"ICMP changed over", 4, all, 1, 1, [2]uint16{1, 3}, true, [6]string{"IPv4", "0.0.0.0", "icmp", "host-unreachable", "unreachable"}},
		{"code alone", 0, saved(attr.DestTransAddress, attr.DestTransType), 0, 1, [2]uint16{3, 1}, false, [6]string{"", "", "", "", "1"}},
	} {
		var shapes Shapes
		f := Flow{FlowKey: FlowKey{Shape: shapes.Intern(1, tt.peerLen, 0, tt.saved)}, ToPDUs: 1}
		if tt.from {
			f.ToPDUs, f.FromPDUs = 0, 1
		}
		f.Key.SetPeerType(tt.peer)
		f.Key.SetTransType(tt.transport)
		for end, port := range tt.ports {
			*f.Key.Trans(end) = [2]byte{byte(port >> 8), byte(port)}
		}
		for i, a := range []attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress, attr.DestPeerAddress} {
			if got := f.Show(a, false); got != tt.want[i] {
				t.Errorf("%s: %v is %q, want %q", tt.name, a, got, tt.want[i])
			}
		}
	}
}
