package meter

import (
	"rtfm/meter/packet"
	"rtfm/meter/stream"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// Stats is what a meter has counted since it was started.
type Stats struct {
	// Packets metered, and their octets as Config.IPOctets says, without frame check
	// sequences.
	Packets, Octets uint64
	// Filtered is the number of packets that did not pass Config.Filter. They are
	// in no other number but those of what was wrong with packets.
	Filtered uint64
	// CutHeaders is the number of packets whose headers were not captured as far
	// as the meter reads them, Malformed that of packets whose headers contradict
	// themselves.
	CutHeaders, Malformed uint64
	// BackInTime is the number of packets whose time was earlier than that
	// of one before them.
	BackInTime uint64
	// Outliers is the number of packets whose time was more than an hour ahead of
	// those after them, and was changed. Trace may cover more packets.
	Outliers uint64
	// UnknownLinks counts packets by link type for those that are not decoded.
	UnknownLinks map[traces.LinkType]uint64
	// Tunnels is what was found of Config.Tunnels, in packets that do not pass the
	// filter too.
	Tunnels TunnelStats
	// First and Last are the times of the first and the latest packet, in
	// nanoseconds since 1970-01-01 00:00:00 UTC.
	First, Last int64
	// Active flows are in the table now, Created were made and Recovered removed
	// from it since the start.
	Active             int
	Created, Recovered uint64
	Tasks              []TaskStats
	// Past is the sum of rulesets that were replaced and have no flows any more.
	Past TaskStats
	// Streams counts the streams of flows that have distributions.
	Streams stream.Stats
	// Trace holds the source's own counts.
	Trace traces.Stats
}

// Uncounted is the number of packets that found the flow table full, summed
// over the rulesets.
func (s *Stats) Uncounted() (n uint64) {
	for _, t := range s.Tasks {
		n += t.Uncounted
	}
	return n + s.Past.Uncounted
}

// Stopped is the number of packets that hit a limit of the engine, summed over
// the rulesets.
func (s *Stats) Stopped() (n uint64) {
	for _, t := range s.Tasks {
		n += t.Stopped
	}
	return n + s.Past.Stopped
}

// TunnelStats counts packets by what was found of envelopes.
type TunnelStats struct {
	// Opened are packets that count as what they carry.
	Opened uint64
	// Packets that stay what they are: Fragments are other than the first of an
	// envelope, or of a UDP datagram that may be one. Cut were not captured as far as
	// headers of the inner frame reach. Unknown have something else than their kind
	// is specified to have.
	Fragments, Cut, Unknown uint64
}

// note counts a packet.
func (s *TunnelStats) note(found packet.Opening) {
	if found&packet.Opened != 0 {
		s.Opened++
	}
	if found&packet.EnvelopeFragment != 0 {
		s.Fragments++
	}
	if found&packet.EnvelopeCut != 0 {
		s.Cut++
	}
	if found&packet.EnvelopeUnknown != 0 {
		s.Unknown++
	}
}

// noted are the flags of packets that note counts.
const noted = match.Cut | match.Malformed | match.UnknownLink | match.Outlier

// note counts what was wrong with a packet on a link of this type.
func (s *Stats) note(flags match.PacketFlags, link traces.LinkType) {
	if flags&match.Cut != 0 {
		s.CutHeaders++
	}
	if flags&match.Malformed != 0 {
		s.Malformed++
	}
	if flags&match.Outlier != 0 {
		s.Outliers++
	}
	if flags&match.UnknownLink != 0 {
		if s.UnknownLinks == nil {
			s.UnknownLinks = make(map[traces.LinkType]uint64)
		}
		s.UnknownLinks[link]++
	}
}
