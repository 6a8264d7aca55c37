package store

import (
	"bytes"
	"encoding/binary"
)

// Key is the flow of a packet as an index knows it: the numbers of peer and
// transport type, a VLAN, and the addresses of both ends with their ports. The zero
// value is of packets that have none of these. All packets of a flow have one key,
// whichever end has sent them.
type Key [keySize]byte

// The octets of a Key.
const (
	keyPeerType  = 0
	keyTransType = 1
	keyVLAN      = 2 // 2
	keyLength    = 4 // of an address: 0, 4 or 16
	keyEnds      = 5 // two ends: an address with zeros behind it, and a port
	endLen       = 18
	addressLen   = 16
	keySize      = keyEnds + 2*endLen
)

// Set sets the types, the VLAN, and how many octets addresses have: 0, 4 or 16.
func (k *Key) Set(peerType, transType uint8, vlan uint16, length uint8) {
	k[keyPeerType], k[keyTransType], k[keyLength] = peerType, transType, length
	k[keyVLAN], k[keyVLAN+1] = byte(vlan>>8), byte(vlan)
}

// Length returns how many octets addresses have.
func (k *Key) Length() uint8 { return k[keyLength] }

// PeerType and TransType return the types.
func (k *Key) PeerType() uint8  { return k[keyPeerType] }
func (k *Key) TransType() uint8 { return k[keyTransType] }

// VLAN returns the number of the VLAN.
func (k *Key) VLAN() uint16 { return uint16(k[keyVLAN])<<8 | uint16(k[keyVLAN+1]) }

// Address returns the address of end 0 or 1, with zeros behind a short one.
func (k *Key) Address(end int) *[addressLen]byte {
	return (*[addressLen]byte)(k[keyEnds+end*endLen:])
}

// Port returns the transport address of end 0 or 1.
func (k *Key) Port(end int) *[2]byte { return (*[2]byte)(k[keyEnds+end*endLen+addressLen:]) }

func (k *Key) end(n int) *[endLen]byte { return (*[endLen]byte)(k[keyEnds+n*endLen:]) }

// order has the lower end come first.
func (k *Key) order() {
	a, b := k.end(0), k.end(1)
	first, second := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:])
	if first > second || first == second && bytes.Compare(a[:], b[:]) > 0 {
		*a, *b = *b, *a
	}
}
