// Package ipfix has what writers and readers of IPFIX (RFC 7011) share: the numbers of
// information elements, and the headers of messages, sets and templates.
package ipfix

import (
	"encoding/binary"
	"math"
)

// What a message begins with, and sets in it.
const (
	Version            = 10
	HeaderLen          = 16 // octets of a message's header
	SetHeaderLen       = 4
	TemplateSet        = 2
	OptionsTemplateSet = 3
	FirstDataSet       = 256 // sets from here on hold data records
	MaxMessage         = math.MaxUint16
)

// Variable is the length in a template of a field that tells its own (RFC 7011
// section 7).
const Variable = math.MaxUint16

// PEN is the enterprise number of the elements of our own: the one that RFC 5612 keeps
// for examples, until one is registered.
const PEN = 32473

// Field is what a template says of a field. PEN is 0 for elements of IANA's registry.
type Field struct {
	PEN     uint32
	Element uint16
	Length  uint16 // in octets, or Variable
}

// Len returns the octets of a record of these fields, as far as they do not tell their
// own length.
func Len(fields []Field) (n int) {
	for _, f := range fields {
		if f.Length != Variable {
			n += int(f.Length)
		}
	}
	return n
}

// AppendTemplate appends a template set with one template. Of one whose first scope
// fields are a scope, unless that is 0, it is an options template.
func AppendTemplate(b []byte, id uint16, scope int, fields []Field) []byte {
	at := len(b)
	set := uint16(TemplateSet)
	if scope > 0 {
		set = OptionsTemplateSet
	}
	b = binary.BigEndian.AppendUint16(b, set)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, id)
	b = binary.BigEndian.AppendUint16(b, uint16(len(fields)))
	if scope > 0 {
		b = binary.BigEndian.AppendUint16(b, uint16(scope))
	}
	for _, f := range fields {
		if f.PEN != 0 {
			b = binary.BigEndian.AppendUint16(b, f.Element|1<<15)
		} else {
			b = binary.BigEndian.AppendUint16(b, f.Element)
		}
		b = binary.BigEndian.AppendUint16(b, f.Length)
		if f.PEN != 0 {
			b = binary.BigEndian.AppendUint32(b, f.PEN)
		}
	}
	binary.BigEndian.PutUint16(b[at+2:], uint16(len(b)-at))
	return b
}

// PutHeader fills in the header of a message, which is all of b: when it was made, in
// seconds since 1970, the number of data records before it, modulo 2^32, and the
// observation domain.
func PutHeader(b []byte, seconds, sequence, domain uint32) {
	binary.BigEndian.PutUint16(b, Version)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint32(b[4:], seconds)
	binary.BigEndian.PutUint32(b[8:], sequence)
	binary.BigEndian.PutUint32(b[12:], domain)
}

// ntpEpoch is when NTP's time begins: seconds before 1970.
const ntpEpoch = 2208988800

// Time returns a time in nanoseconds since 1970 as a dateTimeNanoseconds (RFC 7011
// section 6.1.10): NTP's seconds, modulo 2^32, and 2^-32ths of one, rounded up, so that
// Nanoseconds gives the same time back.
func Time(ns int64) uint64 {
	s, part := ns/1e9, ns%1e9
	if part < 0 {
		s, part = s-1, part+1e9
	}
	return uint64(s+ntpEpoch)<<32 | (uint64(part)<<32+1e9-1)/1e9
}

// Nanoseconds returns a dateTimeNanoseconds in nanoseconds since 1970, to 2036, or from
// then on to 2104 if NTP's seconds have begun anew.
func Nanoseconds(t uint64) int64 {
	s := int64(t >> 32)
	if s < ntpEpoch {
		s += 1 << 32
	}
	return (s-ntpEpoch)*1e9 + int64(t&math.MaxUint32*1e9>>32)
}
