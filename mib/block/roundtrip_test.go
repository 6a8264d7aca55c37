package block

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"rtfm/mib/smi"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// dice are numbers from octets that a fuzzer chooses, zeros once they are used up.
type dice struct{ octets []byte }

func (d *dice) next() (n byte) {
	if len(d.octets) > 0 {
		n, d.octets = d.octets[0], d.octets[1:]
	}
	return n
}

// flow returns a flow with values for all attributes, in one of a few shapes.
func (d *dice) flow(shapes *match.Shapes, index uint32) View {
	peer := []uint8{0, 4, 16}[d.next()%3]
	var saved []match.Saved
	for _, in := range attr.All() {
		switch in.Class {
		case attr.ClassInteger, attr.ClassAddress:
			if d.next()&1 != 0 {
				saved = append(saved, match.Saved{Attr: in.Attr, Mask: attr.WidthMask(int(d.next())%(8*in.Size+1), in.Size)})
			}
		}
	}
	counters := make([]uint64, 1+d.next()%3)
	for i := range counters {
		counters[i] = uint64(d.next()) << (d.next() % 60)
	}
	f := View{RuleSet: int(d.next()), Start: 1e9, Flow: match.Flow{
		FlowKey: match.FlowKey{Shape: shapes.Intern(2, peer, 6, saved, attr.Measure{
			Attr: attr.ToPacketSize, Mask: attr.MakeValue(1, 0, 0, 0, 0, 9), Value: attr.MakeValue(byte(len(counters)-1), 1, 0, 0, 0, 0),
		})},
		Index: index, FirstTime: int64(d.next()) << 32, LastTime: int64(d.next()) << 40,
		ToOctets: uint64(d.next()) << 56, ToPDUs: uint64(d.next()), FromOctets: uint64(d.next()) << 31, FromPDUs: 1<<64 - 1,
		Counters: [][]uint64{counters},
	}}
	for i := range f.Key {
		f.Key[i] = d.next()
	}
	return f
}

// choose returns the name of some attributes in an index, and their fields.
func (d *dice) choose(as Form) (names smi.OID, fields []Field) {
	all := attr.All()
	for range 1 + d.next()%40 {
		a := all[int(d.next())%len(all)].Attr
		if more, ok := as.AppendName(names, a); ok {
			fd, _ := NewField(a)
			names, fields = more, append(fields, fd)
		}
	}
	return names, fields
}

// told notes what a Reader tells.
type told struct{ values []string }

func (t *told) Number(i int, n uint64) error {
	t.values = append(t.values, fmt.Sprint(i, " ", n))
	return nil
}

func (t *told) Octets(i int, octets []byte) error {
	t.values = append(t.values, fmt.Sprintf("%d %x", i, octets))
	return nil
}

// have returns what is to be told of a flow: what columns show.
func have(f *View, fields []Field) []string {
	var t told
	for i := range fields {
		var v smi.Value
		f.Value(&fields[i], &v)
		if err := fields[i].Read(i, &v, &t); err != nil {
			panic(err)
		}
	}
	return t.values
}

// write returns the blocks or packages of flows, and says so if their Selection
// does not take the names.
func write(t *testing.T, as Form, names smi.OID, flows []View) (written [][]byte) {
	t.Helper()
	var work int
	s := NewSelection(as, &work)
	if !s.Parse(names) {
		t.Fatalf("%v are no attributes", names)
	}
	if as == Packages {
		for i := range flows {
			written = append(written, s.AppendPackage([]byte("before"), &flows[i])[len("before"):])
		}
		return written
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(len(flows)))
	for i := range flows {
		before := len(b)
		if b = s.Append(b, &flows[i]); len(b)-before > s.MaxOctets() {
			t.Errorf("%v: %d octets, more than %d", names, len(b)-before, s.MaxOctets())
		}
	}
	return [][]byte{b}
}

// read returns what a block or package tells of each of its flows.
func read(r *Reader, as Form, b []byte) (flows [][]string, err error) {
	if as == Packages {
		var got told
		err := r.Package(b, &got)
		return [][]string{got.values}, err
	}
	for err = r.Block(b); err == nil && r.More(); {
		var got told
		err = r.Flow(&got)
		flows = append(flows, got.values)
	}
	if err == nil && r.Rest() > 0 {
		err = fmt.Errorf("%d octets are left", r.Rest())
	}
	return flows, err
}

// roundTrip writes flows and reads them.
func roundTrip(t *testing.T, as Form, names smi.OID, fields []Field, flows []View) (written [][]byte) {
	t.Helper()
	var got [][]string
	written = write(t, as, names, flows)
	for _, b := range written {
		more, err := read(NewReader(fields), as, b)
		if err != nil {
			t.Fatalf("%v: %v", names, err)
		}
		got = append(got, more...)
	}
	for i := range flows {
		if want := have(&flows[i], fields); i >= len(got) || !slices.Equal(got[i], want) {
			t.Fatalf("%v of flow %d: read %q, want %q", names, i, got, want)
		}
	}
	return written
}

// TestRoundTrip reads each attribute that was written by itself.
func TestRoundTrip(t *testing.T) {
	var octets []byte
	for i := range 2000 {
		octets = append(octets, byte(i*i/7+1)|1)
	}
	var shapes match.Shapes
	d := dice{octets}
	flows := []View{d.flow(&shapes, 1), d.flow(&shapes, 2), d.flow(&shapes, 1<<31-1)}
	for _, in := range attr.All() {
		fd, ok := NewField(in.Attr)
		for _, as := range []Form{Blocks, Packages} {
			if names, has := as.AppendName(nil, in.Attr); has != ok {
				t.Errorf("%v: is readable %v, has a name %v", in.Attr, ok, has)
			} else if ok {
				roundTrip(t, as, names, []Field{fd}, flows)
			}
		}
	}
}

// FuzzRoundTrip reads blocks and packages that were written: they tell of each flow
// what its columns do. With some octet changed, or cut short, they may tell
// anything, or what is wrong.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{}, uint16(0), byte(1))
	f.Add(bytes.Repeat([]byte{1, 9, 33, 250, 64}, 200), uint16(7), byte(0x80))
	f.Add(bytes.Repeat([]byte{39, 2, 71, 14, 5, 66, 31}, 150), uint16(3), byte(0xff))
	f.Fuzz(func(t *testing.T, octets []byte, at uint16, change byte) {
		d := dice{octets}
		for _, as := range []Form{Blocks, Packages} {
			names, fields := d.choose(as)
			if len(fields) == 0 {
				continue
			}
			var shapes match.Shapes
			flows := []View{d.flow(&shapes, 1), d.flow(&shapes, 2), d.flow(&shapes, 1<<31-1)}
			for _, b := range roundTrip(t, as, names, fields, flows) {
				cut := int(at) % len(b)
				b[cut] ^= change
				_, _ = read(NewReader(fields), as, b)
				_, _ = read(NewReader(fields), as, b[:cut])
			}
		}
	})
}
