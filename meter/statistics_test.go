package meter

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// exact returns the ruleset finest, with all statistics of single packets.
func exact() *ruleset.RuleSet {
	rs := finest()
	rules, last := rs.Rules[:len(rs.Rules)-1], rs.Rules[len(rs.Rules)-1]
	for a := attr.ToSizeStats; a <= attr.FirstPayloads; a++ {
		d := attr.Measure{Attr: a, Mask: attr.MakeValue(make([]byte, attr.DistributionSize)...), Value: attr.MakeValue(make([]byte, attr.DistributionSize)...)}
		if a.Form() == attr.FormPackets {
			d.Value = attr.MakeValue(3, 0, 0, 0, 0, 0)
		}
		if plainStatistics[a] || plainStatistics[a-1] && a.IsFrom() {
			rules = append(rules, ruleset.Rule{Attr: a, Mask: d.Mask, Value: d.Value, Op: ruleset.OpPushPktToAct, Param: len(rules) + 2})
		}
	}
	rs.Rules = append(rules, last)
	return rs
}

// plainStatistics are those that a plainFlow has.
var plainStatistics = map[attr.Attr]bool{
	attr.ToSizeStats: true, attr.ToGapStats: true, attr.ToPayloadStats: true, attr.ToWindowStats: true, attr.ToHopLimitRange: true,
	attr.ToIPIDRange: true, attr.ToTCPFlags: true, attr.ToResets: true, attr.ToZeroWindows: true, attr.FirstPackets: true, attr.FirstPayloads: true,
}

// plainDetail is what statistics see of a packet. What is not known is less than 0.
type plainDetail struct{ payload, window, flags, hops, id int64 }

func detailOf(p *match.Packet) plainDetail {
	d := plainDetail{-1, -1, -1, -1, -1}
	if p.Flags&match.IsIP == 0 {
		return d
	}
	v6 := p.PeerLen == 16
	if !v6 && p.IPHeader >= 9 || v6 && p.IPHeader >= 8 {
		d.hops = int64(p.Key.HopLimit())
	}
	if !v6 && p.IPHeader >= 6 {
		d.id = int64(p.IPID)
	}
	if p.Flags&match.HasTransport == 0 {
		return d
	}
	b, octets := p.Data[p.Transport:], int64(p.TransportOctets)
	switch p.Key.TransType() {
	case 6:
		if len(b) > 12 && b[12]>>4 >= 5 && octets >= int64(b[12]>>4)*4 {
			d.payload = octets - int64(b[12]>>4)*4
		}
		if len(b) > 13 {
			d.flags = int64(b[13])
		}
		if len(b) > 15 {
			d.window = int64(binary.BigEndian.Uint16(b[14:]))
		}
	case 17:
		d.payload = max(octets-8, -1)
	}
	return d
}

// statistic returns the numbers of a statistic.
func (f *plainFlow) statistic(d *attr.Measure) []uint64 {
	numbers := make([]uint64, d.Counters())
	what, back := d.Attr, d.Attr.IsFrom()
	if back {
		what--
	}
	var values []int64
	before, latest := int64(-1), int64(-1)
	for _, p := range f.packets {
		if d.Attr == attr.FirstPackets || d.Attr == attr.FirstPayloads {
			octets := p.octets
			if d.Attr == attr.FirstPayloads {
				octets = uint64(max(p.detail.payload, 0))
			}
			if n := numbers[0]; int(n) < d.Packets() && (octets > 0 || d.Attr == attr.FirstPackets) {
				if n == 0 {
					latest = p.time
				}
				numbers[1+n] = uint64(attr.NewListed(octets, uint8(max(p.detail.flags, 0)), p.time-latest, !p.forward))
				numbers[0]++
				latest = p.time
			}
		}
		if p.forward == back {
			continue
		}
		v := map[attr.Attr]int64{
			attr.ToSizeStats: int64(p.octets), attr.ToPayloadStats: p.detail.payload, attr.ToWindowStats: p.detail.window,
			attr.ToHopLimitRange: p.detail.hops, attr.ToIPIDRange: p.detail.id,
		}
		switch x, ok := v[what]; {
		case ok && x >= 0:
			values = append(values, x)
		case what == attr.ToGapStats && before >= 0:
			values = append(values, p.time-before)
		case what == attr.ToTCPFlags && p.detail.flags >= 0:
			numbers[0] |= uint64(p.detail.flags)
			for bit := range 8 {
				numbers[1+bit] += uint64(p.detail.flags >> bit & 1)
			}
		case what == attr.ToResets && p.detail.flags >= 0:
			numbers[0] += uint64(p.detail.flags >> 2 & 1)
		case what == attr.ToZeroWindows && p.detail.window == 0 && p.detail.flags&7 == 0:
			numbers[0]++
		}
		before = p.time
	}
	if form := d.Attr.Form(); len(values) == 0 || form != attr.FormStats && form != attr.FormRange {
		return numbers
	} else if numbers[0] = uint64(len(values)); form == attr.FormStats {
		for _, v := range values {
			high, low := bits.Mul64(uint64(v), uint64(v))
			carry := uint64(0)
			numbers[1] += uint64(v)
			numbers[2], carry = bits.Add64(numbers[2], low, 0)
			numbers[3] += high + carry
		}
	}
	numbers[len(numbers)-2], numbers[len(numbers)-1] = uint64(slices.Min(values)), uint64(slices.Max(values))
	return numbers
}

// vary changes what only statistics see of some packets.
func vary(r *rand.Rand, packets []traces.Packet) {
	for i := range packets {
		p := &packets[i]
		if len(p.Data) < 54 || p.Data[12] != 8 || p.Data[13] != 0 || r.IntN(2) == 0 { // IPv4
			continue
		}
		p.Data = slices.Clone(p.Data)
		p.Data[18], p.Data[19], p.Data[22] = byte(r.IntN(3)), byte(r.IntN(3)), byte(r.IntN(256))
		p.Data[46], p.Data[47] = byte(3+r.IntN(4))<<4, byte(r.IntN(256)) // data offset, flags
		p.Data[48], p.Data[49] = byte(r.IntN(2)), byte(r.IntN(2))
	}
}

// cut cuts some packets, so short that they cannot be envelopes of tunnels.
func cut(r *rand.Rand, packets []traces.Packet) {
	for i := range packets {
		if p := &packets[i]; r.IntN(16) == 0 {
			p.Data = p.Data[:14+r.IntN(min(len(p.Data), envelopeSize)-14)]
		}
	}
}
