package snmp

import (
	"fmt"
	"math"

	"rtfm/mib/smi"
)

// version2c is SNMPv2c's number (RFC 1901 section 3).
const version2c = 1

// Tags of PDUs (RFC 3416 section 3).
const (
	getRequest     = 0xa0
	getNextRequest = 0xa1
	response       = 0xa2
	setRequest     = 0xa3
	getBulkRequest = 0xa5
	snmpV2Trap     = 0xa7
)

// The error-status and error-index that take the most octets.
const (
	maxStatus = smi.InconsistentName
	maxIndex  = math.MaxInt32
)

// message is a message of SNMPv2c and its PDU.
type message struct {
	version   int32
	community []byte // within the octets that were decoded
	pdu       byte   // tag
	requestID int32
	status    int32 // error-status, or non-repeaters
	index     int32 // error-index, or max-repetitions
	vars      []smi.VarBind
}

// decodeVersion reads what comes first in a message of any version and returns
// a Decoder of the rest.
func (m *message) decodeVersion(d smi.Decoder) (smi.Decoder, error) {
	body, err := d.Expect(smi.TagSequence)
	if err == nil && d.Len() > 0 {
		err = fmt.Errorf("snmp: %d octets after the message", d.Len())
	}
	if err != nil {
		return body, err
	}
	m.version, err = body.Int()
	return body, err
}

// decodeCommunity reads what follows the version. The rest is decodePDU's, which
// takes memory: who sent the message is to be looked at before.
func (m *message) decodeCommunity(d smi.Decoder) (smi.Decoder, error) {
	var err error
	m.community, err = d.Octets()
	return d, err
}

// decodePDU reads what follows the community, into m's memory.
func (m *message) decodePDU(d smi.Decoder) error {
	tag, pdu, err := d.Next()
	if err != nil {
		return err
	}
	if d.Len() > 0 {
		return fmt.Errorf("snmp: %d octets after the PDU", d.Len())
	}
	m.pdu = tag
	for _, field := range []*int32{&m.requestID, &m.status, &m.index} {
		if *field, err = pdu.Int(); err != nil {
			return err
		}
	}
	list, err := pdu.Expect(smi.TagSequence)
	if err != nil {
		return err
	}
	if pdu.Len() > 0 {
		return fmt.Errorf("snmp: %d octets after the variables", pdu.Len())
	}
	m.vars = m.vars[:0]
	for list.Len() > 0 {
		n := len(m.vars)
		m.vars = smi.Resize(m.vars, n+1)
		if err := list.VarBind(&m.vars[n]); err != nil {
			return err
		}
	}
	return nil
}

// sizes returns the lengths of the contents of a response and of its PDU, n
// being that of its variables.
func (m *message) sizes(status smi.Status, index, n int) (msg, pdu int) {
	pdu = smi.BERIntSize(int64(m.requestID)) + smi.BERIntSize(int64(status)) + smi.BERIntSize(int64(index)) + smi.BERHeaderSize(n) + n
	msg = smi.BERIntSize(version2c) + smi.BERHeaderSize(len(m.community)) + len(m.community) + smi.BERHeaderSize(pdu) + pdu
	return msg, pdu
}

// responseSize returns the length of a response, n being that of its variables.
func (m *message) responseSize(status smi.Status, index, n int) int {
	msg, _ := m.sizes(status, index, n)
	return smi.BERHeaderSize(msg) + msg
}

// appendResponse appends the response to m that has these variables, of length
// n.
func (m *message) appendResponse(b []byte, status smi.Status, index int, vars []smi.VarBind, n int) []byte {
	return m.append(b, response, status, index, vars, n)
}

// append appends a message with m's community and request-id.
func (m *message) append(b []byte, tag byte, status smi.Status, index int, vars []smi.VarBind, n int) []byte {
	msg, pdu := m.sizes(status, index, n)
	b = smi.AppendBERHeader(b, smi.TagSequence, msg)
	b = smi.AppendBERInt(b, version2c)
	b = smi.AppendBERHeader(b, byte(smi.OctetString), len(m.community))
	b = append(b, m.community...)
	b = smi.AppendBERHeader(b, tag, pdu)
	b = smi.AppendBERInt(b, int64(m.requestID))
	b = smi.AppendBERInt(b, int64(status))
	b = smi.AppendBERInt(b, int64(index))
	b = smi.AppendBERHeader(b, smi.TagSequence, n)
	for i := range vars {
		b = vars[i].AppendBER(b)
	}
	return b
}
