package agentx

import (
	"encoding/binary"
	"fmt"
	"io"

	"rtfm/mib/smi"
)

// MaxPDU is the length of the longest PDU that is read or sent, in octets.
// An SNMP message of 64 KiB makes an AgentX PDU of some 300 KiB at most.
const MaxPDU = 1 << 20

// ReadPDU reads one PDU as octets into buf, or into new memory when buf is too
// small. It fails when r does, and at what is no AgentX version 1 or is longer
// than MaxPDU: where the next PDU begins is then unknown.
func ReadPDU(r io.Reader, buf []byte) ([]byte, error) {
	buf = append(buf[:0], make([]byte, headerSize)...)
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, err
	}
	if buf[0] != version {
		return nil, fmt.Errorf("version %d instead of %d", buf[0], version)
	}
	d := decoder{b: buf, pos: headerSize - 4, big: Flags(buf[2])&NetworkByteOrder != 0}
	n := d.uint32()
	if n > MaxPDU-headerSize {
		return nil, fmt.Errorf("payload of %d octets: at most %d are allowed", n, MaxPDU-headerSize)
	}
	if total := headerSize + int(n); total > cap(buf) {
		buf = append(make([]byte, 0, total), buf...)
	}
	buf = buf[:headerSize+n]
	if _, err := io.ReadFull(r, buf[headerSize:]); err != nil {
		return nil, fmt.Errorf("payload of %d octets: %w", n, err)
	}
	return buf, nil
}

// Decode sets p to the PDU that is all of b, and uses p's memory for it. When
// b is no PDU, the header is still set if b holds one.
func (p *PDU) Decode(b []byte) error {
	if len(b) < headerSize {
		return fmt.Errorf("%d octets are too few for a header", len(b))
	}
	d := decoder{b: b, pos: 4, big: Flags(b[2])&NetworkByteOrder != 0}
	p.Header = Header{
		Type: Type(b[1]), Flags: Flags(b[2]),
		SessionID: d.uint32(), TransactionID: d.uint32(), PacketID: d.uint32(),
	}
	n := d.uint32()
	switch {
	case b[0] != version:
		return fmt.Errorf("version %d instead of %d", b[0], version)
	case !p.Type.valid():
		return fmt.Errorf("PDU of unknown type %d", b[1])
	case int64(n) != int64(len(b)-headerSize):
		return fmt.Errorf("%v: payload length is %d, but %d octets follow the header", p.Type, n, len(b)-headerSize)
	case n%4 != 0:
		return fmt.Errorf("%v: payload length %d is no multiple of 4", p.Type, n)
	}
	p.decodePayload(&d)
	if d.err == nil && d.left() > 0 {
		d.fail("%d octets too many", d.left())
	}
	if d.err != nil {
		return fmt.Errorf("%v: %w", p.Type, d.err)
	}
	return nil
}

func (p *PDU) decodePayload(d *decoder) {
	p.Context = p.Context[:0]
	if p.Type.hasContext() && p.Flags&NonDefaultContext != 0 {
		p.Context = d.octets(p.Context)
	}
	p.Ranges, p.Vars = p.Ranges[:0], p.Vars[:0]
	switch p.Type {
	case Open:
		p.Timeout = d.bytes4()[0]
		p.OID, _ = d.oid(p.OID)
		p.Descr = d.octets(p.Descr)
	case Close:
		p.Reason = Reason(d.bytes4()[0])
	case Register, Unregister:
		head := d.bytes4()
		p.Priority, p.RangeSubid = head[1], head[2]
		if p.Type == Register {
			p.Timeout = head[0]
		}
		p.OID, _ = d.oid(p.OID)
		p.UpperBound = 0
		if p.RangeSubid != 0 {
			p.UpperBound = d.uint32()
		}
	case Get, GetNext, GetBulk:
		if p.Type == GetBulk {
			p.NonRepeaters, p.MaxRepetitions = d.uint16(), d.uint16()
		}
		p.decodeRanges(d)
	case TestSet, Notify, IndexAllocate, IndexDeallocate:
		p.decodeVars(d)
	case AddAgentCaps:
		p.OID, _ = d.oid(p.OID)
		p.Descr = d.octets(p.Descr)
	case RemoveAgentCaps:
		p.OID, _ = d.oid(p.OID)
	case Response:
		p.SysUpTime, p.Error, p.Index = d.uint32(), Code(d.uint16()), d.uint16()
		p.decodeVars(d)
	}
}

func (p *PDU) decodeRanges(d *decoder) {
	for d.left() > 0 && d.err == nil {
		n := len(p.Ranges)
		if n == cap(p.Ranges) {
			p.Ranges = append(p.Ranges, smi.Range{})
		}
		p.Ranges = p.Ranges[:n+1]
		r := &p.Ranges[n]
		r.Start, r.Include = d.oid(r.Start)
		r.End, _ = d.oid(r.End)
	}
}

func (p *PDU) decodeVars(d *decoder) {
	for d.left() > 0 && d.err == nil {
		n := len(p.Vars)
		if n == cap(p.Vars) {
			p.Vars = append(p.Vars, smi.VarBind{})
		}
		p.Vars = p.Vars[:n+1]
		d.varBind(&p.Vars[n])
	}
}

// decoder reads a PDU. After an error it returns zeros.
type decoder struct {
	b   []byte
	pos int
	big bool
	err error
}

func (d *decoder) left() int { return len(d.b) - d.pos }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("offset %d: %w", d.pos, fmt.Errorf(format, args...))
	}
}

// take returns the next n octets, nil if there are fewer.
func (d *decoder) take(n int) []byte {
	if d.err == nil && n > d.left() {
		d.fail("%d octets are needed where %d remain", n, d.left())
	}
	if d.err != nil {
		return nil
	}
	d.pos += n
	return d.b[d.pos-n : d.pos]
}

func (d *decoder) bytes4() (a [4]byte) {
	copy(a[:], d.take(4))
	return a
}

func (d *decoder) uint16() uint16 {
	b := d.take(2)
	switch {
	case b == nil:
		return 0
	case d.big:
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (d *decoder) uint32() uint32 {
	b := d.take(4)
	switch {
	case b == nil:
		return 0
	case d.big:
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (d *decoder) uint64() uint64 {
	b := d.take(8)
	switch {
	case b == nil:
		return 0
	case d.big:
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// octets reads an Octet String into s's memory.
func (d *decoder) octets(s []byte) []byte {
	n := int64(d.uint32())
	if padded := (n + 3) &^ 3; padded > int64(d.left()) {
		d.fail("octet string of %d octets where %d remain", n, d.left())
		return s[:0]
	}
	s = append(s[:0], d.take(int(n))...)
	d.take(int(-n & 3))
	return s
}

// oid reads an Object Identifier into o's memory, and its include field.
func (d *decoder) oid(o smi.OID) (smi.OID, bool) {
	o = o[:0]
	head := d.bytes4()
	n, prefix := int(head[0]), head[1]
	if prefix != 0 {
		o = append(o, 1, 3, 6, 1, uint32(prefix))
	}
	if len(o)+n > smi.MaxOID {
		d.fail("object identifier of %d sub-identifiers: at most %d are allowed", len(o)+n, smi.MaxOID)
	}
	for range n {
		if d.err != nil {
			break
		}
		o = append(o, d.uint32())
	}
	return o, head[2] != 0
}

func (d *decoder) varBind(vb *smi.VarBind) {
	typ := d.uint16()
	d.uint16()
	if typ > 0xff || !smi.Type(typ).Valid() {
		d.fail("value of unknown type %d", typ)
		return
	}
	vb.Name, _ = d.oid(vb.Name)
	v := &vb.Value
	v.Type = smi.Type(typ)
	switch v.Type {
	case smi.Integer32:
		v.Int = int32(d.uint32())
	case smi.Counter32, smi.Gauge32, smi.TimeTicks:
		v.Uint = uint64(d.uint32())
	case smi.Counter64:
		v.Uint = d.uint64()
	case smi.OctetString, smi.IpAddress, smi.Opaque:
		v.Octets = d.octets(v.Octets)
	case smi.ObjectIdentifier:
		v.OID, _ = d.oid(v.OID)
	}
}
