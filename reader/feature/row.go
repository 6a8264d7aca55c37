package feature

import (
	"encoding/binary"
	"math"

	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
	records "rtfm/traces/feed"
)

// Why says why there is a row of a flow.
type Why uint8

// The reasons for a row.
const (
	Nth  Why = 1 + iota // it has had so many packets
	Idle                // none has come for a second, and there were fewer
	End                 // it has ended
	Gone                // nothing more comes from its meter
)

var whyNames = [...]string{Nth: "nth", Idle: "idle", End: "end", Gone: "gone"}

func (w Why) String() string { return whyNames[w] }

// A Row is what is known of a flow at a time. It is valid until the call that is given
// it returns.
type Row struct {
	Meter *feed.Meter
	Flow  *Flow
	Why   Why
	// Reason is why the flow has ended, 0 if it has not.
	Reason records.Reason
	// Begun and Last are the times of its first and latest packet, PDUs and Octets
	// those of each direction; at its end as its meter has counted them, else as
	// packets were told of.
	Begun, Last  int64
	PDUs, Octets [2]uint64

	identity *identity
}

// Rows takes rows. It is what files are, and scorers.
type Rows interface {
	Row(r *Row) error
	// Flush has others see the rows so far.
	Flush() error
	Close() error
}

// column is a field of a row as NPY has it: a name, a type of NumPy, how many numbers
// of it, and how they are appended.
type column struct {
	name, kind string
	n          int
	append     func(b []byte, r *Row) []byte
}

// addressLen is the octets of the text of an address: of IPv6, with the length of a prefix.
const addressLen = 43

var le = binary.LittleEndian

// columns returns the fields of rows that list so many packets.
func columns(first int) []column {
	all := []column{
		{"FlowID", "<u8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, r.Flow.Flow) }},
		{"CommunityID", "|S30", 1, func(b []byte, r *Row) []byte { return appendPadded(b, r.communityID(), 30) }},
		{"Domain", "<u4", 1, func(b []byte, r *Row) []byte { return le.AppendUint32(b, r.Meter.Domain) }},
		{"RuleSet", "|u1", 1, func(b []byte, r *Row) []byte { return append(b, r.Flow.Shape.RuleSet) }},
		{"Why", "|u1", 1, func(b []byte, r *Row) []byte { return append(b, byte(r.Why)) }},
		{"EndReason", "|u1", 1, func(b []byte, r *Row) []byte { return append(b, byte(r.Reason)) }},
		{"Protocol", "|u1", 1, func(b []byte, r *Row) []byte { return append(b, byte(r.identity.protocol())) }},
		{"Listed", "|u1", 1, func(b []byte, r *Row) []byte { return append(b, byte(len(r.Flow.first))) }},
		addressColumn(attr.SourcePeerAddress), addressColumn(attr.DestPeerAddress),
		portColumn(attr.SourceTransAddress), portColumn(attr.DestTransAddress),
		{"Begun", "<i8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, uint64(r.Begun)) }},
		{"Duration", "<u8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, uint64(r.Last-r.Begun)) }},
	}
	for way, name := range ways {
		all = append(all, column{name + "PDUs", "<u8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, r.PDUs[way]) }})
	}
	for way, name := range ways {
		all = append(all, column{name + "Octets", "<u8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, r.Octets[way]) }})
	}
	all = append(all, listColumns(first)...)
	for way, name := range ways {
		all = append(all, statsColumns(name+"Size", func(r *Row) *stats { return &r.Flow.sides[way].sizes })...)
	}
	for way, name := range ways {
		all = append(all, statsColumns(name+"Gap", func(r *Row) *stats { return &r.Flow.sides[way].gaps })...)
	}
	for way, name := range ways {
		all = append(all, countsColumn(name+"PacketSize", func(r *Row) *[8]uint32 { return &r.Flow.sides[way].sizeCounts }))
	}
	for way, name := range ways {
		all = append(all, countsColumn(name+"InterarrivalTime", func(r *Row) *[8]uint32 { return &r.Flow.sides[way].gapCounts }))
	}
	for way, name := range ways {
		all = append(all, countsColumn(name+"TCPFlags", func(r *Row) *[8]uint32 { return &r.Flow.sides[way].flags }))
	}
	return all
}

// ways are what names of numbers of each direction begin with.
var ways = [2]string{"To", "From"}

func addressColumn(a attr.Attr) column {
	return column{a.String(), "|S43", 1, func(b []byte, r *Row) []byte { return appendPadded(b, r.identity.text(a), addressLen) }}
}

func portColumn(a attr.Attr) column {
	return column{a.String(), "<u2", 1, func(b []byte, r *Row) []byte { return le.AppendUint16(b, uint16(r.identity.number(a))) }}
}

// listColumns are those of the first packets. What a flow has not had is 0.
func listColumns(first int) []column {
	list := func(name, kind string, octets int, with func(b []byte, l attr.Listed) []byte) column {
		return column{name, kind, first, func(b []byte, r *Row) []byte {
			for _, l := range r.Flow.first {
				b = with(b, l)
			}
			return appendZeros(b, octets*(first-len(r.Flow.first)))
		}}
	}
	return []column{
		list("FirstOctets", "<u2", 2, func(b []byte, l attr.Listed) []byte { return le.AppendUint16(b, l.Octets()) }),
		list("FirstDirections", "|i1", 1, func(b []byte, l attr.Listed) []byte { return append(b, byte(direction(l))) }),
		list("FirstGaps", "<u8", 8, func(b []byte, l attr.Listed) []byte { return le.AppendUint64(b, l.Gap()) }),
		list("FirstFlags", "|u1", 1, func(b []byte, l attr.Listed) []byte { return append(b, l.Flags()) }),
	}
}

// direction returns 1 of a packet to the flow's dest, and -1 of others.
func direction(l attr.Listed) int8 {
	if l.Backward() {
		return -1
	}
	return 1
}

// statsColumns are those of an attr.FormStats. The mean and the deviation that are not
// there are NaN.
func statsColumns(name string, of func(r *Row) *stats) []column {
	number := func(part string, i int) column {
		return column{name + part, "<u8", 1, func(b []byte, r *Row) []byte { return le.AppendUint64(b, of(r)[i]) }}
	}
	derived := func(part string, value func([]uint64) (float64, bool)) column {
		return column{name + part, "<f8", 1, func(b []byte, r *Row) []byte {
			v, ok := value(of(r)[:])
			if !ok {
				v = math.NaN()
			}
			return le.AppendUint64(b, math.Float64bits(v))
		}}
	}
	return []column{
		number("N", attr.StatCount), number("Sum", attr.StatSum),
		{name + "SSQ", "<u8", 2, func(b []byte, r *Row) []byte {
			return le.AppendUint64(le.AppendUint64(b, of(r)[attr.StatSquaresLow]), of(r)[attr.StatSquaresHigh])
		}},
		number("Min", attr.StatMin), number("Max", attr.StatMax),
		derived("Mean", attr.Mean), derived("SD", attr.Deviation),
	}
}

func countsColumn(name string, of func(r *Row) *[8]uint32) column {
	return column{name, "<u4", 8, func(b []byte, r *Row) []byte {
		for _, n := range of(r) {
			b = le.AppendUint32(b, n)
		}
		return b
	}}
}

// communityID returns it as text, "" if there is none.
func (r *Row) communityID() string {
	if !r.identity.named {
		return ""
	}
	c := &r.identity.community
	numbers := []uint64{binary.BigEndian.Uint64(c[:]), binary.BigEndian.Uint64(c[8:]), uint64(binary.BigEndian.Uint32(c[16:]))}
	return string(attr.FormDigest.AppendStatistic(nil, numbers))
}

// appendPadded appends n octets of text, behind which are zeros.
func appendPadded(b []byte, text string, n int) []byte {
	text = text[:min(len(text), n)]
	return appendZeros(append(b, text...), n-len(text))
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, 0)
	}
	return b
}

// rowLen returns how many octets a row has.
func rowLen(cols []column) (n int) {
	for _, c := range cols {
		size := 0
		for _, digit := range c.kind[2:] {
			size = 10*size + int(digit-'0')
		}
		n += c.n * size
	}
	return n
}
