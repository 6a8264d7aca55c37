package format

import "rtfm/traces"

// frame is how a trace presents the packets of one interface.
type frame struct {
	link  traces.LinkType
	fcs   uint8  // octets of frame check sequence at the end of each packet
	extra uint32 // octets before each packet that were not on the wire
	limit uint32 // octets that can have been captured at most
}

func newFrame(link traces.LinkType, fcs uint8) frame {
	f := frame{link: link, fcs: fcs, limit: maxCaptured}
	switch link {
	case traces.LinkSunATM:
		f.extra = 4
	case traces.LinkPPPWithDir, traces.LinkCiscoHDLCWithDir, traces.LinkFrameRelayWithDir, traces.LinkLAPBWithDir:
		f.extra = 1
	case traces.LinkDBus, traces.LinkUSBPcap, traces.LinkEBHSCR:
		f.limit = maxCapturedHuge
	}
	return f
}

// How much of a packet can have been captured, in octets; a record that claims
// more is damage. These are the limits of libpcap and Wireshark, for networks
// and for the few buses that have larger transfers.
const (
	maxCaptured     = 256 << 10
	maxCapturedHuge = 128 << 20
)

// plain tells that a packet's length in the trace is that on the wire.
func (f *frame) plain() bool { return f.fcs == 0 && f.extra == 0 }

// strip takes what is not the packet's own out of p's wire length, and the
// frame check sequence off what was captured.
func (f *frame) strip(p *traces.Packet) {
	p.FCS = f.fcs
	p.Wire -= min(p.Wire, f.extra+uint32(f.fcs))
	if f.fcs != 0 {
		p.Data = p.Data[:min(len(p.Data), int(p.Wire+f.extra))]
	}
}
