package flowfile

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"strconv"
	"time"

	"rtfm/reader/record"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
)

// printer is a flow record's line for flows of one shape: texts, and values
// between them.
type printer struct {
	shape   *match.Shape
	pieces  []piece
	end     string // after the last value
	unknown string // stands for what the interval has added, if that is not known
	names   *ruleset.Names
}

// interval is what a line tells beside the flow: when the meter's Uptime was 0, and
// when the interval began and ended.
type interval struct{ epoch, start, end int64 }

// rate returns what a flow has counted by the length of the interval, in PDUs/s or
// bits/s.
func (i *interval) rate(k kind, counted *record.Counters) float64 {
	var n uint64
	scale := 1e9 // nanoseconds
	switch k {
	case kindDeltaToPDURate:
		n = counted.ToPDUs
	case kindDeltaFromPDURate:
		n = counted.FromPDUs
	case kindDeltaToBitRate:
		n, scale = counted.ToOctets, 8e9
	case kindDeltaFromBitRate:
		n, scale = counted.FromOctets, 8e9
	}
	return float64(n) * scale / float64(max(i.end-i.start, 1))
}

// piece is a text and the value that follows it.
type piece struct {
	text string
	kind kind
	// offset and length say where a value stands in the flow's key; of a
	// distribution, offset is its place in the shape.
	offset, length int
	limits         []uint64 // of a distribution's buckets
	named          attr.Attr
}

// kind says where a value is and how it prints.
type kind uint8

const (
	kindUint8  kind = iota // in the key
	kindUint16             // in the key
	kindUint32             // in the key
	kindDotted             // in the key
	kindPeer16             // in the key: an IPv6 address, most likely
	kindHex                // in the key
	kindIndex
	kindFirstTime // centiseconds of uptime
	kindLastTime
	kindFirstNs // nanoseconds since 1970
	kindLastNs
	kindToPDUs
	kindFromPDUs
	kindToOctets
	kindFromOctets
	kindFirstText // ISO 8601
	kindLastText
	kindName         // of a value, in CSV
	kindNameJSON     // the whole member
	kindCounters     // of a distribution
	kindCountersJSON // and a summary of them
	kindStatistic
	kindStatisticJSON
	kindPart        // of a statistic, in CSV: length is which
	kindDeltaToPDUs // from here on unknown if there is no delta
	kindDeltaFromPDUs
	kindDeltaToOctets
	kindDeltaFromOctets
	kindDeltaToPDURate
	kindDeltaFromPDURate
	kindDeltaToBitRate
	kindDeltaFromBitRate
	kindDeltaCounters
	kindDeltaCountersJSON
	kindDeltaStatisticJSON
	kindDeltaPart
)

// measured says where the attributes are that all flows have, beside constant ones.
var measured = map[attr.Attr]kind{
	attr.FlowIndex:        kindIndex,
	attr.FirstTime:        kindFirstTime,
	attr.LastActiveTime:   kindLastTime,
	attr.FlowTimeMark:     kindLastTime,
	attr.FirstTimeNs:      kindFirstNs,
	attr.LastActiveTimeNs: kindLastNs,
	attr.ToPDUs:           kindToPDUs,
	attr.FromPDUs:         kindFromPDUs,
	attr.ToOctets:         kindToOctets,
	attr.FromOctets:       kindFromOctets,
	attr.DeltaToPDUs:      kindDeltaToPDUs,
	attr.DeltaFromPDUs:    kindDeltaFromPDUs,
	attr.DeltaToOctets:    kindDeltaToOctets,
	attr.DeltaFromOctets:  kindDeltaFromOctets,
	attr.DeltaToPDURate:   kindDeltaToPDURate,
	attr.DeltaFromPDURate: kindDeltaFromPDURate,
	attr.DeltaToBitRate:   kindDeltaToBitRate,
	attr.DeltaFromBitRate: kindDeltaFromBitRate,
}

// text adds constant text.
func (p *printer) text(s string) { p.end += s }

// value adds a value.
func (p *printer) value(k kind, offset, length int) {
	p.pieces = append(p.pieces, piece{text: p.end, kind: k, offset: offset, length: length})
	p.end = ""
}

// name adds the name of a value of a, in CSV or a member of JSON.
func (p *printer) name(k kind, a attr.Attr) {
	p.pieces = append(p.pieces, piece{text: p.end, kind: k, named: a})
	p.end = ""
}

// appendName appends the name of a value, nothing if it has none.
func (p *printer) appendName(b []byte, pc *piece, f *match.Flow) []byte {
	name := record.NameOf(p.names, f, pc.named)
	if pc.kind == kindName {
		return appendCSV(b, name)
	}
	return appendNameJSON(b, pc.named, name)
}

// unknownText stands in text for what the interval added, if that is not known.
const unknownText = "-"

// textPrinter returns the printer of these columns.
func textPrinter(f *ruleset.Format, s *match.Shape) *printer {
	p := &printer{shape: s, unknown: unknownText}
	for i, fd := range f.Fields {
		p.attribute(fd.Attr)
		if i < len(f.Fields)-1 {
			p.text(fd.Separator)
		}
	}
	p.text("\n")
	return p
}

// attribute adds the value of a; 0 if flows of this shape have none, since
// no column may be empty.
func (p *printer) attribute(a attr.Attr) {
	if k, ok := measured[a]; ok {
		p.value(k, 0, 0)
		return
	}
	switch a {
	case attr.FlowStatus:
		p.text("2") // current (RFC 2720, flowDataStatus)
	case attr.FlowRuleSet:
		p.text(strconv.Itoa(p.shape.RuleSet))
	case attr.SavedAttributes:
		p.text(cmp.Or(hex.EncodeToString(p.shape.AppendSaved(nil)), "0"))
	case attr.Distributions:
		p.text(strconv.FormatUint(uint64(p.shape.DistributionBits()), 10))
	default:
		p.saved(a)
	}
}

// saved adds the value or mask of an attribute that flows may have saved.
func (p *printer) saved(a attr.Attr) {
	in := a.Info()
	if in.Attr.IsMeasure() {
		p.distribution(a)
		return
	}
	if in.Class == attr.ClassMask {
		mask, ok := p.shape.Mask(a - 1)
		if !ok || mask.Len() == 0 {
			p.text("0")
			return
		}
		p.text(maskText(a-1, mask))
		return
	}
	n := p.shape.Len(a)
	if _, ok := p.shape.Mask(a); !ok || n == 0 {
		p.text("0")
		return
	}
	p.value(keyKind(a, n), in.Offset, n)
}

// keyKind says how the value of a, n octets long, prints.
func keyKind(a attr.Attr, n int) kind {
	switch {
	case a.IsAdjacent():
		return kindHex
	case a.IsPeer() && n == 16:
		return kindPeer16
	case n == 4 && a.Info().Class == attr.ClassInteger:
		return kindUint32
	case a.IsPeer() || n > 2:
		return kindDotted
	case n == 2:
		return kindUint16
	}
	return kindUint8
}

// maskText returns the mask of address a in the notation of that address.
func maskText(a attr.Attr, m attr.Value) string {
	switch {
	case a.IsAdjacent():
		return m.Hex()
	case a.IsPeer() && m.Len() == 16:
		return netip.AddrFrom16([16]byte(m.Append(nil))).String()
	}
	return m.String()
}

// appendTo appends the line of flow f, which counted delta in the interval; nil if
// that is not known.
func (p *printer) appendTo(b []byte, f *match.Flow, delta *record.Counters, in *interval) []byte {
	own := record.Counters{ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets}
	for i := range p.pieces {
		pc := &p.pieces[i]
		b = append(b, pc.text...)
		counted := &own
		if pc.kind >= kindDeltaToPDUs {
			if counted = delta; counted == nil {
				b = append(b, p.unknown...)
				continue
			}
		}
		var n uint64
		switch pc.kind {
		case kindUint8:
			n = uint64(f.Key[pc.offset])
		case kindUint16:
			n = uint64(binary.BigEndian.Uint16(f.Key[pc.offset:]))
		case kindUint32:
			n = uint64(binary.BigEndian.Uint32(f.Key[pc.offset:]))
		case kindDotted:
			b = attr.AppendDotted(b, f.Key[pc.offset:pc.offset+pc.length])
			continue
		case kindPeer16:
			b = appendPeer16(b, f.Key[pc.offset:pc.offset+16], f.Key.PeerType())
			continue
		case kindHex:
			b = attr.AppendHex(b, f.Key[pc.offset:pc.offset+pc.length])
			continue
		case kindIndex:
			n = uint64(f.Index)
		case kindFirstTime:
			n = match.Uptime(f.FirstTime, in.epoch)
		case kindLastTime:
			n = match.Uptime(f.LastTime, in.epoch)
		case kindFirstNs:
			b = strconv.AppendInt(b, f.FirstTime, 10)
			continue
		case kindLastNs:
			b = strconv.AppendInt(b, f.LastTime, 10)
			continue
		case kindFirstText:
			b = appendTime(b, f.FirstTime)
			continue
		case kindLastText:
			b = appendTime(b, f.LastTime)
			continue
		case kindToPDUs, kindDeltaToPDUs:
			n = counted.ToPDUs
		case kindFromPDUs, kindDeltaFromPDUs:
			n = counted.FromPDUs
		case kindToOctets, kindDeltaToOctets:
			n = counted.ToOctets
		case kindFromOctets, kindDeltaFromOctets:
			n = counted.FromOctets
		case kindName, kindNameJSON:
			b = p.appendName(b, pc, f)
			continue
		case kindDeltaToPDURate, kindDeltaFromPDURate, kindDeltaToBitRate, kindDeltaFromBitRate:
			b = appendRate(b, in.rate(pc.kind, delta))
			continue
		default:
			b = p.appendMeasured(b, pc, f, delta)
			continue
		}
		b = strconv.AppendUint(b, n, 10)
	}
	return append(b, p.end...)
}

// appendMeasured appends what a flow measures beside counting.
func (p *printer) appendMeasured(b []byte, pc *piece, f *match.Flow, delta *record.Counters) []byte {
	d := &p.shape.Measures[pc.offset]
	switch pc.kind {
	case kindCounters:
		return appendCounters(b, ':', counters(f, pc.offset))
	case kindCountersJSON:
		return appendJSONCounters(b, pc.limits, counters(f, pc.offset))
	case kindDeltaCounters:
		return p.appendDelta(b, pc, delta)
	case kindDeltaCountersJSON:
		return p.appendDeltaJSON(b, pc, delta)
	case kindStatistic:
		return d.Attr.Form().AppendStatistic(b, counters(f, pc.offset))
	case kindStatisticJSON:
		return p.appendStatisticJSON(b, pc.offset, counters(f, pc.offset))
	case kindDeltaStatisticJSON:
		return p.appendDeltaStatisticJSON(b, pc, delta)
	case kindPart:
		return partsOf(d.Attr)[pc.length].value(b, d, counters(f, pc.offset))
	}
	if numbers := p.deltaCounters(pc, delta); numbers != nil {
		b = partsOf(d.Attr)[pc.length].value(b, d, numbers)
	}
	return b
}

// appendRate appends a rate with three decimals at most.
func appendRate(b []byte, rate float64) []byte {
	return strconv.AppendFloat(b, math.Round(rate*1000)/1000, 'f', -1, 64)
}

// appendTime appends a time in nanoseconds since 1970 as ISO 8601 has it.
func appendTime(b []byte, at int64) []byte {
	return time.Unix(0, at).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
}

const peerIPv6 = 2 // address family number

// appendPeer16 appends a peer address of 16 octets: as IPv6 (RFC 5952) unless
// the flow saved another peer type.
func appendPeer16(b, octets []byte, peerType uint8) []byte {
	if peerType != 0 && peerType != peerIPv6 {
		return attr.AppendDotted(b, octets)
	}
	return netip.AddrFrom16([16]byte(octets)).AppendTo(b)
}
