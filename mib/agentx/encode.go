package agentx

import (
	"encoding/binary"

	"rtfm/mib/smi"
)

// headerSize is the length of a PDU's header in octets.
const headerSize = 20

// version is the value of h.version.
const version = 1

// Append appends the PDU in the byte order that its flags tell.
func (p *PDU) Append(b []byte) []byte {
	e := p.begin(b)
	if p.Type.hasContext() && p.Flags&NonDefaultContext != 0 {
		e.octets(p.Context)
	}
	switch p.Type {
	case Open:
		e.bytes(p.Timeout, 0, 0, 0)
		e.oid(p.OID, false)
		e.octets(p.Descr)
	case Close:
		e.bytes(byte(p.Reason), 0, 0, 0)
	case Register, Unregister:
		if p.Type == Register {
			e.bytes(p.Timeout)
		} else {
			e.bytes(0)
		}
		e.bytes(p.Priority, p.RangeSubid, 0)
		e.oid(p.OID, false)
		if p.RangeSubid != 0 {
			e.uint32(p.UpperBound)
		}
	case Get, GetNext, GetBulk:
		if p.Type == GetBulk {
			e.uint16(p.NonRepeaters)
			e.uint16(p.MaxRepetitions)
		}
		for i := range p.Ranges {
			e.oid(p.Ranges[i].Start, p.Ranges[i].Include)
			e.oid(p.Ranges[i].End, false)
		}
	case TestSet, Notify, IndexAllocate, IndexDeallocate:
		e.vars(p.Vars)
	case AddAgentCaps:
		e.oid(p.OID, false)
		e.octets(p.Descr)
	case RemoveAgentCaps:
		e.oid(p.OID, false)
	case Response:
		e.result(p.SysUpTime, p.Error, p.Index)
		e.vars(p.Vars)
	}
	return e.end()
}

// encoder appends a PDU to b, where it begins at start.
type encoder struct {
	b     []byte
	start int
	big   bool
}

// begin appends the header, whose payload length end puts in.
func (h *Header) begin(b []byte) encoder {
	e := encoder{b: b, start: len(b), big: h.Flags&NetworkByteOrder != 0}
	e.bytes(version, byte(h.Type), byte(h.Flags), 0)
	e.uint32(h.SessionID)
	e.uint32(h.TransactionID)
	e.uint32(h.PacketID)
	e.uint32(0)
	return e
}

// end returns b with the PDU complete.
func (e *encoder) end() []byte {
	length := e.b[e.start+headerSize-4 : e.start+headerSize]
	n := uint32(e.size() - headerSize)
	if e.big {
		binary.BigEndian.PutUint32(length, n)
	} else {
		binary.LittleEndian.PutUint32(length, n)
	}
	return e.b
}

// size returns the length of the PDU so far.
func (e *encoder) size() int { return len(e.b) - e.start }

func (e *encoder) bytes(b ...byte) { e.b = append(e.b, b...) }

func (e *encoder) uint16(n uint16) {
	if e.big {
		e.b = binary.BigEndian.AppendUint16(e.b, n)
	} else {
		e.b = binary.LittleEndian.AppendUint16(e.b, n)
	}
}

func (e *encoder) uint32(n uint32) {
	if e.big {
		e.b = binary.BigEndian.AppendUint32(e.b, n)
	} else {
		e.b = binary.LittleEndian.AppendUint32(e.b, n)
	}
}

func (e *encoder) uint64(n uint64) {
	if e.big {
		e.b = binary.BigEndian.AppendUint64(e.b, n)
	} else {
		e.b = binary.LittleEndian.AppendUint64(e.b, n)
	}
}

// octets appends an Octet String, padded to a multiple of 4 (RFC 2741 section
// 5.3).
func (e *encoder) octets(s []byte) {
	e.uint32(uint32(len(s)))
	e.b = append(e.b, s...)
	for i := len(s); i%4 != 0; i++ {
		e.b = append(e.b, 0)
	}
}

// oid appends an Object Identifier, with a prefix where there can be one (RFC
// 2741 section 5.1).
func (e *encoder) oid(o smi.OID, include bool) {
	var prefix, inc byte
	if len(o) >= 5 && o[0] == 1 && o[1] == 3 && o[2] == 6 && o[3] == 1 && o[4]-1 < 255 {
		prefix, o = byte(o[4]), o[5:]
	}
	if include {
		inc = 1
	}
	e.bytes(byte(len(o)), prefix, inc, 0)
	for _, n := range o {
		e.uint32(n)
	}
}

// varBind appends a VarBind (RFC 2741 section 5.4).
func (e *encoder) varBind(vb *smi.VarBind) {
	v := &vb.Value
	e.uint16(uint16(v.Type))
	e.uint16(0)
	e.oid(vb.Name, false)
	switch v.Type {
	case smi.Integer32:
		e.uint32(uint32(v.Int))
	case smi.Counter32, smi.Gauge32, smi.TimeTicks:
		e.uint32(uint32(v.Uint))
	case smi.Counter64:
		e.uint64(v.Uint)
	case smi.OctetString, smi.IpAddress, smi.Opaque:
		e.octets(v.Octets)
	case smi.ObjectIdentifier:
		e.oid(v.OID, false)
	}
}

func (e *encoder) vars(vbs []smi.VarBind) {
	for i := range vbs {
		e.varBind(&vbs[i])
	}
}

// result appends what a Response begins with.
func (e *encoder) result(sysUpTime uint32, code Code, index uint16) {
	e.uint32(sysUpTime)
	e.uint16(uint16(code))
	e.uint16(index)
}
