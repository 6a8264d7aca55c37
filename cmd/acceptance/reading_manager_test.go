//go:build linux

package acceptance

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/ruleset/attr"

	"rtfm/mib"
	"rtfm/mib/smi"
)

// way is a way of reading flows.
type way struct {
	name    string
	prefix  smi.OID        // of the variables, up to the TimeMark
	cursors int            // ranges of flow indexes in one GetBulk
	rep     map[string]int // repetitions, by front end
	// decode appends the values in a variable, and returns of how many flows.
	decode func(octets []byte, values *[]uint64) int
	many   bool // a variable has many flows, and the index of the flow before them
}

// The ten attributes that are read.
var attributes = []attr.Attr{
	attr.SourcePeerType, attr.SourcePeerAddress, attr.SourceTransType, attr.SourceTransAddress,
	attr.DestPeerAddress, attr.DestTransAddress,
	attr.ToOctets, attr.ToPDUs, attr.FromOctets, attr.LastActiveTime,
}

func ways() []way {
	subtrees := mib.Subtrees()
	packages := append(slices.Clone(subtrees[0]), 2, 3, 1, 5, uint32(len(attributes)))
	for _, a := range attributes {
		packages = append(packages, uint32(a))
	}
	block := append(slices.Clone(subtrees[1]), 1, 6, 1, 6, 2*uint32(len(attributes)+1), 0, uint32(attr.FlowIndex))
	for _, a := range attributes {
		block = append(block, uint32(a)>>8, uint32(a)&255)
	}
	return []way{
		{"packages", append(packages, 2, 0), 25, map[string]int{"snmpd": 4, "embedded": 20}, decodePackage, false},
		{"blocks", append(block, 2, 0), 8, map[string]int{"snmpd": 1, "embedded": 1}, decodeBlock, true},
	}
}

// decodePackage decodes the values of a package.
func decodePackage(octets []byte, values *[]uint64) (flows int) {
	d := smi.NewDecoder(octets)
	d, err := d.Expect(smi.TagSequence)
	for err == nil && d.Len() > 0 {
		var content smi.Decoder
		if _, content, err = d.Next(); err == nil {
			*values = append(*values, uint64(content.Len()))
		}
	}
	return 1
}

// decodeBlock decodes the values of a block.
func decodeBlock(octets []byte, values *[]uint64) (flows int) {
	flows, b := int(binary.BigEndian.Uint16(octets)), octets[2:]
	number := func(n int) {
		v := uint64(0)
		for _, octet := range b[:n] {
			v = v<<8 | uint64(octet)
		}
		b, *values = b[n:], append(*values, v)
	}
	for range flows {
		number(4) // FlowIndex
		for _, a := range attributes {
			if in := a.Info(); in.Class == attr.ClassAddress {
				n := int(b[0])
				b = b[1:]
				number(n)
			} else {
				number(in.Size)
			}
		}
	}
	return flows
}

// snmpManager reads over one socket, one request after the other.
type snmpManager struct {
	b    testing.TB
	conn net.Conn
	out  []byte
	in   []byte
	list []byte
	vars []smi.VarBind

	values []uint64 // in a variable
}

func newManager(b testing.TB, address string) *snmpManager {
	conn, err := net.Dial("udp", address)
	if err != nil {
		b.Fatal(err)
	}
	return &snmpManager{b: b, conn: conn, in: make([]byte, 65536)}
}

// ask sends a request for variables called names, whose PDU has this tag, and
// returns those of the answer, valid until the next call.
func (m *snmpManager) ask(tag byte, repetitions int, names []smi.OID) ([]smi.VarBind, error) {
	m.list = m.list[:0]
	for _, name := range names {
		vb := smi.VarBind{Name: name, Value: smi.Value{Type: smi.Null}}
		m.list = vb.AppendBER(m.list)
	}
	numbers := smi.AppendBERInt(smi.AppendBERInt(smi.AppendBERInt(nil, 1), 0), int64(repetitions))
	n := len(numbers) + smi.BERHeaderSize(len(m.list)) + len(m.list)
	head := append([]byte{2, 1, 1, 4, 6}, "writer"...)
	m.out = smi.AppendBERHeader(m.out[:0], smi.TagSequence, len(head)+smi.BERHeaderSize(n)+n)
	m.out = append(m.out, head...)
	m.out = smi.AppendBERHeader(m.out, tag, n)
	m.out = append(m.out, numbers...)
	m.out = smi.AppendBERHeader(m.out, smi.TagSequence, len(m.list))
	m.out = append(m.out, m.list...)
	if err := m.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := m.conn.Write(m.out); err != nil {
		return nil, err
	}
	got, err := m.conn.Read(m.in)
	if err != nil {
		return nil, err
	}
	d := smi.NewDecoder(m.in[:got])
	if d, err = d.Expect(smi.TagSequence); err != nil {
		return nil, err
	}
	if _, err = d.Int(); err != nil {
		return nil, err
	}
	if _, err = d.Octets(); err != nil {
		return nil, err
	}
	if d, err = d.Expect(0xa2); err != nil {
		return nil, err
	}
	for range 3 {
		v, err := d.Int()
		if err != nil || v != 0 && v != 1 {
			return nil, fmt.Errorf("error %d, %v", v, err)
		}
	}
	if d, err = d.Expect(smi.TagSequence); err != nil {
		return nil, err
	}
	vars := m.vars[:0]
	for d.Len() > 0 {
		vars = smi.Resize(vars, len(vars)+1)
		if err := d.VarBind(&vars[len(vars)-1]); err != nil {
			return nil, err
		}
	}
	m.vars = vars
	return vars, nil
}

// collect reads all flows from index first to last, and returns how many came.
func (m *snmpManager) collect(w *way, repetitions int, first, last uint32) (flows uint64, err error) {
	type cursor struct {
		at  smi.OID
		end uint32 // last flow index
	}
	var cursors []cursor
	share := (last-first)/uint32(w.cursors) + 1
	for from := first; from <= last; from += share {
		cursors = append(cursors, cursor{append(slices.Clone(w.prefix), from-1), min(from+share-1, last)})
	}
	var names []smi.OID
	for len(cursors) > 0 {
		names = names[:0]
		for _, c := range cursors {
			names = append(names, c.at)
		}
		vars, err := m.ask(0xa5, repetitions, names)
		if err != nil {
			return flows, err
		}
		asked := len(cursors)
		for i := range vars {
			c, vb := &cursors[i%asked], &vars[i]
			if c.end == 0 {
				continue // past its end
			}
			if vb.Value.Type == smi.EndOfMibView || !vb.Name.HasPrefix(w.prefix) {
				c.end = 0
				continue
			}
			row := vb.Name[len(vb.Name)-1]
			if !w.many && row > c.end {
				c.end = 0
				continue
			}
			m.values = m.values[:0]
			flows += uint64(w.decode(vb.Value.Octets, &m.values))
			c.at = append(c.at[:0], vb.Name...)
			if row >= c.end {
				if w.many { // flows of the next range are in this block
					flows -= uint64(row - c.end)
				}
				c.end = 0
			}
		}
		cursors = slices.DeleteFunc(cursors, func(c cursor) bool { return c.end == 0 })
	}
	return flows, nil
}

// collectAll has four managers read all flows, each a quarter of them.
func collectAll(b testing.TB, address string, w *way, repetitions int, flows uint64) time.Duration {
	const managers = 4
	var wg sync.WaitGroup
	var total atomic.Uint64
	began := time.Now()
	for i := range managers {
		wg.Go(func() {
			m := newManager(b, address)
			defer m.conn.Close()
			n, err := m.collect(w, repetitions, uint32(uint64(i)*flows/managers)+1, uint32(uint64(i+1)*flows/managers))
			if err != nil {
				b.Error(err)
			}
			total.Add(n)
		})
	}
	wg.Wait()
	if n := total.Load(); n < flows || n > flows+flows/50 {
		b.Errorf("%d flows were read of %d", n, flows)
	}
	return time.Since(began)
}
