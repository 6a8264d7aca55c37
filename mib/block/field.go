package block

import (
	"encoding/binary"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib/smi"
)

// Field is an attribute and how a flow's value of it is found. What a flow
// does not have is zero (RFC 2123 section 2.3.7).
type Field struct {
	attr attr.Attr
	typ  smi.Type
	kind fieldKind
	off  uint8 // of the value in the key
	size uint8 // octets
	min  uint8 // octets that a value is not cut below, where zeros at its end are
}

type fieldKind uint8

const (
	fieldNumber fieldKind = iota // a saved number
	fieldOctets                  // a saved address
	fieldText                    // a saved identifier, shown without the zeros that fill it up
	fieldMask
	fieldIndex
	fieldStatus
	fieldRuleSet
	fieldNone // zero
	fieldDistributions
	fieldDistribution
	fieldToOctets
	fieldToPDUs
	fieldFromOctets
	fieldFromPDUs
	fieldFirstTime
	fieldLastTime
	fieldFirstNs
	fieldLastNs
	fieldSaved
)

var measured = map[attr.Attr]Field{
	attr.FlowIndex:      {typ: smi.Integer32, kind: fieldIndex},
	attr.FlowStatus:     {typ: smi.Integer32, kind: fieldStatus},
	attr.FlowTimeMark:   {typ: smi.TimeTicks, kind: fieldLastTime},
	attr.PDUScale:       {typ: smi.Integer32, kind: fieldNone},
	attr.OctetScale:     {typ: smi.Integer32, kind: fieldNone},
	attr.FlowRuleSet:    {typ: smi.Integer32, kind: fieldRuleSet},
	attr.ToOctets:       {typ: smi.Counter64, kind: fieldToOctets},
	attr.ToPDUs:         {typ: smi.Counter64, kind: fieldToPDUs},
	attr.FromOctets:     {typ: smi.Counter64, kind: fieldFromOctets},
	attr.FromPDUs:       {typ: smi.Counter64, kind: fieldFromPDUs},
	attr.Distributions:  {typ: smi.Integer32, kind: fieldDistributions},
	attr.FirstTime:      {typ: smi.TimeTicks, kind: fieldFirstTime},
	attr.LastActiveTime: {typ: smi.TimeTicks, kind: fieldLastTime},

	attr.FirstTimeNs:      {typ: smi.Counter64, kind: fieldFirstNs},
	attr.LastActiveTimeNs: {typ: smi.Counter64, kind: fieldLastNs},
	attr.SavedAttributes:  {typ: smi.OctetString, kind: fieldSaved},
}

// NewField returns the field of an attribute, false if flows have none.
func NewField(a attr.Attr) (Field, bool) {
	in := a.Info()
	if !a.Readable() {
		return Field{}, false
	}
	fd := Field{typ: smi.Integer32, kind: fieldNumber}
	switch in.Class {
	case attr.ClassMeasured:
		fd = measured[a]
	case attr.ClassAddress:
		fd = Field{typ: smi.OctetString, kind: fieldOctets}
		if a == attr.SourceSubscriberID || a == attr.DestSubscriberID || a == attr.SessionID {
			fd.kind, fd.min = fieldText, 4
		}
	case attr.ClassInteger:
		if in.Size == 4 { // more than Integer32 holds
			fd.typ = smi.Gauge32
		}
	case attr.ClassMask:
		fd = Field{typ: smi.OctetString, kind: fieldMask}
	case attr.ClassDistrib, attr.ClassStatistic:
		fd = Field{typ: smi.OctetString, kind: fieldDistribution}
	}
	fd.attr, fd.off, fd.size = a, uint8(in.Offset), uint8(in.Size)
	return fd, true
}

// View is a flow with what else its values depend on.
type View struct {
	match.Flow
	RuleSet int   // index
	Start   int64 // when Uptime was 0, in nanoseconds since 1970-01-01 00:00:00 UTC
	mask    [attr.MaxAddress]byte
	// Room for a distribution and its parts.
	object, parameters, counters []byte
}

// number returns the value of a field that is a number.
func (f *View) number(fd *Field) uint64 {
	switch fd.kind {
	case fieldNumber:
		switch fd.size {
		case 2:
			return uint64(binary.BigEndian.Uint16(f.Key[fd.off:]))
		case 4:
			return uint64(binary.BigEndian.Uint32(f.Key[fd.off:]))
		}
		return uint64(f.Key[fd.off])
	case fieldIndex:
		return uint64(f.Index)
	case fieldStatus:
		return 2 // current
	case fieldRuleSet:
		return uint64(f.RuleSet)
	case fieldToOctets:
		return f.ToOctets
	case fieldToPDUs:
		return f.ToPDUs
	case fieldFromOctets:
		return f.FromOctets
	case fieldFromPDUs:
		return f.FromPDUs
	case fieldDistributions:
		return uint64(f.Shape.DistributionBits()) // 31 of them: no sign
	case fieldFirstTime:
		return uint64(f.Ticks(f.FirstTime))
	case fieldLastTime:
		return uint64(f.Ticks(f.LastTime))
	case fieldFirstNs:
		return uint64(f.FirstTime)
	case fieldLastNs:
		return uint64(f.LastTime)
	}
	return 0
}

// Ticks returns the Uptime at time t, modulo 2^32.
func (f *View) Ticks(t int64) uint32 { return uint32(match.Uptime(t, f.Start)) }

// octets returns the value of a field that is none, valid until the next call.
func (f *View) octets(fd *Field) []byte {
	switch fd.kind {
	case fieldOctets:
		return f.Key[fd.off : int(fd.off)+f.Shape.Len(fd.attr)]
	case fieldText:
		return trim(f.Key[fd.off:fd.off+fd.size], int(fd.min))
	case fieldMask:
		of := fd.attr - 1
		m, _ := f.Shape.Mask(of)
		return m.Resize(f.Shape.Len(of)).Append(f.mask[:0])
	case fieldSaved:
		return f.Shape.AppendSaved(f.mask[:0])
	case fieldDistribution:
		return f.distribution(fd.attr)
	}
	return nil
}

// trim cuts zeros from the end of b as far as at least n octets remain.
func trim(b []byte, n int) []byte {
	for len(b) > n && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// Value sets v to the value of a field.
func (f *View) Value(fd *Field, v *smi.Value) {
	switch fd.typ {
	case smi.OctetString:
		v.SetOctets(fd.typ, f.octets(fd))
	case smi.Integer32:
		v.SetInt(int32(f.number(fd)))
	default:
		v.SetUint(fd.typ, f.number(fd))
	}
}

// maxOctets returns the most octets that a field takes in a block.
func (fd *Field) maxOctets() int {
	if fd.kind == fieldDistribution {
		return MeasureOctets(fd.attr)
	}
	if fd.typ == smi.OctetString {
		return 1 + int(fd.size)
	}
	return int(fd.size)
}
