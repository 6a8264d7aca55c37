package format

import (
	"encoding/binary"

	"rtfm/traces"
	"rtfm/traces/ipfix"
)

// ipfixFile reads the messages of a file of IPFIX (RFC 5655): one behind the other.
// Each becomes the UDP datagram of IPv4 in which it might have come, from nowhere, at
// the time at which it was exported.
type ipfixFile struct{ room []byte } // for packets

// The headers of a datagram, and the most octets that it can carry.
const (
	ipfixHeaders  = 20 + 8
	ipfixDatagram = 1<<16 - 1 - ipfixHeaders
	ipfixPort     = 4739
)

func openIPFIX(*input) (format, error) { return new(ipfixFile), nil }

func (*ipfixFile) name() string { return "ipfix" }

func (*ipfixFile) tell(d *traces.Description) {
	d.Interfaces = []traces.Interface{{Number: 1, Link: traces.LinkIPv4, Unit: "1 s"}}
}

// scan implements format.
func (f *ipfixFile) scan(win []byte, b *traces.Batch, st *traces.Stats) (used, need int, err error) {
	f.room = f.room[:0]
	for len(b.Packets) < cap(b.Packets) {
		rest := win[used:]
		if len(rest) < ipfix.HeaderLen {
			return used, ipfix.HeaderLen, nil
		}
		version, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		switch {
		case version != ipfix.Version:
			return used, 0, corrupt("IPFIX version %d, want %d", version, ipfix.Version)
		case n < ipfix.HeaderLen:
			return used, 0, corrupt("message of %d octets, less than its header", n)
		case len(rest) < n:
			return used, n, nil
		}
		st.Records++
		used += n
		if n > ipfixDatagram {
			st.Skipped++
			continue
		}
		data := f.datagram(rest[:n])
		b.Packets = append(b.Packets, traces.Packet{
			Time: int64(binary.BigEndian.Uint32(rest[4:])) * 1e9, Data: data, Wire: uint32(len(data)),
			Link: traces.LinkIPv4, Interface: 1,
		})
	}
	return used, 0, nil
}

// datagram returns the datagram of a message.
func (f *ipfixFile) datagram(message []byte) []byte {
	at, n := len(f.room), ipfixHeaders+len(message)
	f.room = append(f.room, 0x45, 0)
	f.room = binary.BigEndian.AppendUint16(f.room, uint16(n))
	f.room = append(f.room, 0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	sum := uint32(0)
	for i := at; i < at+20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(f.room[i:]))
	}
	binary.BigEndian.PutUint16(f.room[at+10:], ^uint16(sum+sum>>16))
	f.room = binary.BigEndian.AppendUint16(f.room, ipfixPort)
	f.room = binary.BigEndian.AppendUint16(f.room, ipfixPort)
	f.room = binary.BigEndian.AppendUint16(f.room, uint16(n-20))
	f.room = append(f.room, 0, 0) // without checksum
	f.room = append(f.room, message...)
	return f.room[at:len(f.room):len(f.room)]
}

// isIPFIX reports whether head looks like the beginning of a file of IPFIX: messages of
// whole sets.
func isIPFIX(head []byte) bool {
	for n := 0; n < sure && (n == 0 || len(head) >= ipfix.HeaderLen); n++ {
		if len(head) < ipfix.HeaderLen || binary.BigEndian.Uint16(head) != ipfix.Version {
			return false
		}
		size := int(binary.BigEndian.Uint16(head[2:]))
		if size < ipfix.HeaderLen {
			return false
		}
		if size > len(head) {
			return n > 0
		}
		for sets := head[ipfix.HeaderLen:size]; len(sets) > 0; {
			if len(sets) < ipfix.SetHeaderLen {
				return false
			}
			id, m := binary.BigEndian.Uint16(sets), int(binary.BigEndian.Uint16(sets[2:]))
			if m < ipfix.SetHeaderLen || m > len(sets) || id < ipfix.FirstDataSet && id != ipfix.TemplateSet && id != ipfix.OptionsTemplateSet {
				return false
			}
			sets = sets[m:]
		}
		head = head[size:]
	}
	return true
}
