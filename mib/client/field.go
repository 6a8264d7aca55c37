package client

import (
	"fmt"
	"math"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/mib/block"
)

// field is an attribute that is read of each flow.
type field struct {
	attr   attr.Attr
	class  attr.Class
	offset int // in the flow's key
	size   int // octets of a number, most octets of an address, mask or distribution
	mask   int // which field is the address's mask, 0 for none
}

// always are the attributes that are read whatever is asked for, in the order
// of the first fields.
var always = []attr.Attr{
	attr.FlowIndex, attr.FirstTime, attr.LastActiveTime,
	attr.ToOctets, attr.ToPDUs, attr.FromOctets, attr.FromPDUs,
}

// exactly is always for an exact query.
var exactly = append([]attr.Attr{attr.SavedAttributes, attr.FlowIndex, attr.FirstTimeNs, attr.LastActiveTimeNs}, always[3:]...)

// always returns the attributes that a query reads whatever it asks for.
func (q *FlowQuery) always() []attr.Attr {
	if q.Exact {
		return exactly
	}
	return always
}

// fieldsFor returns the fields that tell these attributes of a flow: what is
// always read, the attributes that rules save, and the masks of addresses,
// which tell whether a flow saved them.
func fieldsFor(always, attrs []attr.Attr) []field {
	var fields []field
	at := make(map[attr.Attr]int)
	add := func(a attr.Attr) int {
		if i, ok := at[a]; ok {
			return i
		}
		in := a.Info()
		fd := field{attr: a, class: in.Class, offset: in.Offset, size: in.Size}
		if in.Attr.IsMeasure() {
			fd.size = maxObject
		}
		at[a] = len(fields)
		fields = append(fields, fd)
		return at[a]
	}
	for _, a := range always {
		add(a)
	}
	for _, a := range attrs {
		if a.Info().Class == attr.ClassMask {
			a--
		}
		switch a.Info().Class {
		case attr.ClassInteger, attr.ClassComputed, attr.ClassDistrib, attr.ClassStatistic:
			add(a)
		case attr.ClassAddress:
			i := add(a)
			if m := a.Mask(); m != attr.Null {
				fields[i].mask = add(m)
			}
		}
	}
	return fields
}

// flowBuilder makes flows of the values of their fields.
type flowBuilder struct {
	ruleSet int
	epoch   int64
	uptime  uint64 // about now
	exact   bool   // the first field tells what is saved, times are in nanoseconds since 1970
	fields  []field
	coded   []block.Field
	reader  *block.Reader // of coded

	shapes match.Shapes
	flow   match.Flow
	value  [][]byte // of the fields that have octets

	// Distributions of the flow, and memory for their counters.
	found    []attr.Measure
	counters []uint64

	// The shapes of the flows that were built, by lengths, masks and
	// distributions.
	byMasks map[string]*match.Shape
	masks   []byte
	room    *int // octets that further shapes may take
}

func newFlowBuilder(q *FlowQuery) *flowBuilder {
	b := &flowBuilder{
		ruleSet: q.RuleSet, epoch: q.Epoch, uptime: q.Uptime, exact: q.Exact, fields: fieldsFor(q.always(), q.Attrs),
		byMasks: make(map[string]*match.Shape), room: q.room,
	}
	if b.room == nil {
		room := shapesOctets
		b.room = &room
	}
	for i := range b.fields {
		fd, _ := block.NewField(b.fields[i].attr)
		b.coded = append(b.coded, fd)
	}
	b.reader = block.NewReader(b.coded)
	b.value = make([][]byte, len(b.fields))
	return b
}

// start begins a flow.
func (b *flowBuilder) start() { b.flow = match.Flow{Counters: b.flow.Counters[:0]} }

// Number sets field i to n, for block.Values.
func (b *flowBuilder) Number(i int, n uint64) error {
	f, fd := &b.flow, &b.fields[i]
	switch fd.attr {
	case attr.FlowIndex:
		if n == 0 || n > math.MaxInt32 {
			return fmt.Errorf("the flow index %d is not in the range from 1 to %d", n, math.MaxInt32)
		}
		f.Index = uint32(n)
	case attr.FirstTime, attr.FirstTimeNs:
		f.FirstTime = int64(n) // finish works out the time
	case attr.LastActiveTime, attr.LastActiveTimeNs:
		f.LastTime = int64(n)
	case attr.ToOctets:
		f.ToOctets = n
	case attr.ToPDUs:
		f.ToPDUs = n
	case attr.FromOctets:
		f.FromOctets = n
	case attr.FromPDUs:
		f.FromPDUs = n
	default:
		if n>>(8*fd.size) != 0 {
			return fmt.Errorf("%v is %d, more than %d octets hold", fd.attr, n, fd.size)
		}
		for k := fd.size - 1; k >= 0; k-- {
			f.Key[fd.offset+k] = byte(n)
			n >>= 8
		}
	}
	return nil
}

// Octets sets field i to o, which must stay as it is until finish.
func (b *flowBuilder) Octets(i int, o []byte) error {
	if fd := &b.fields[i]; len(o) > fd.size {
		return fmt.Errorf("%v has %d octets, where %d are the most", fd.attr, len(o), fd.size)
	}
	b.value[i] = o
	return nil
}

// finish returns the flow, valid until the next one is begun. Its times are
// those nearest to now.
func (b *flowBuilder) finish() (*match.Flow, error) {
	f := &b.flow
	if err := b.times(); err != nil {
		return nil, err
	}
	if err := b.shape(); err != nil {
		return nil, fmt.Errorf("flow %d: %w", f.Index, err)
	}
	return f, nil
}

// times works out the flow's times.
func (b *flowBuilder) times() error {
	f := &b.flow
	if b.exact {
		if f.FirstTime < b.epoch || f.LastTime < f.FirstTime {
			return fmt.Errorf("flow %d was first active at %d, last at %d, and Uptime counts from %d nanoseconds",
				f.Index, f.FirstTime, f.LastTime, b.epoch)
		}
		return nil
	}
	last := near(uint32(f.LastTime), b.uptime)
	first := last - int64(uint32(f.LastTime)-uint32(f.FirstTime))
	if first < 0 {
		return fmt.Errorf("flow %d was first active at %d, last at %d, and uptime is %d centiseconds",
			f.Index, f.FirstTime, f.LastTime, b.uptime)
	}
	f.FirstTime, f.LastTime = b.epoch+first*match.Centisecond, b.epoch+last*match.Centisecond
	return nil
}

// ahead is how many centiseconds a flow's time may be later than what was the
// meter's Uptime when reading began; what seems later has gone around since.
const ahead = 1 << 24

// near returns the uptime that is t modulo 2^32 and not later than now by more
// than ahead; less than 0 if there is none.
func near(t uint32, now uint64) int64 {
	if d := t - uint32(now); d < ahead {
		return int64(now) + int64(d)
	}
	return int64(now) - int64(uint32(now)-t)
}

// shape puts the addresses in the flow's key, and finds its shape.
func (b *flowBuilder) shape() error {
	var lengths match.Lengths
	key := b.masks[:0]
	if b.exact {
		key = append(append(key, byte(len(b.value[0]))), b.value[0]...)
	}
	for i := range b.fields {
		fd := &b.fields[i]
		if fd.class != attr.ClassAddress {
			continue
		}
		value := b.value[i]
		if fd.mask != 0 {
			mask := b.value[fd.mask]
			if !b.saved(i) {
				key = append(key, 0)
				continue
			}
			for k, c := range value {
				if c&^octet(mask, k) != 0 {
					return fmt.Errorf("%v %x has bits that its mask %x has not", fd.attr, value, mask)
				}
			}
			key = append(key, 1+byte(len(mask)))
			key = append(key, mask...)
			if of := lengths.Of(fd.attr); of != nil {
				if *of != 0 && int(*of) != len(value) {
					return fmt.Errorf("%v has %d octets, the other end's address %d", fd.attr, len(value), *of)
				}
				*of = uint8(len(value))
			}
		}
		copy(b.flow.Key[fd.offset:fd.offset+fd.size], value)
	}
	key, err := b.distributions(append(key, lengths.Peer, lengths.Adjacent, lengths.InnerPeer))
	b.masks = key
	if err != nil {
		return err
	}
	if b.flow.Shape = b.byMasks[string(key)]; b.flow.Shape == nil {
		if len(b.byMasks) >= maxShapes {
			return errManyShapes
		}
		b.flow.Shape = b.intern(lengths)
		if *b.room -= octetsOfShape(b.flow.Shape, len(key)); *b.room < 0 {
			return errManyShapes
		}
		b.byMasks[string(key)] = b.flow.Shape
	}
	return nil
}

// maxShapes is how many kinds of flows a ruleset may have, more than any
// meter does: a meter cannot fill the memory with others.
const maxShapes = 1 << 16

// shapesOctets is about what the shapes of all flows of a query may take.
const shapesOctets = 64 << 20

// octetsOfShape returns about what a shape takes, with the key by which it is
// found.
func octetsOfShape(s *match.Shape, key int) int {
	return 256 + 2*key + 24*len(s.Saved) + 64*len(s.Measures)
}

var errManyShapes = fmt.Errorf("there are flows with more than %d choices of masks and distributions, or such that they take more than %d octets", maxShapes, shapesOctets)

// anySet reports whether b has a bit that is set.
func anySet(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return true
		}
	}
	return false
}

// octet returns octet k of b, 0 beyond its end.
func octet(b []byte, k int) byte {
	if k < len(b) {
		return b[k]
	}
	return 0
}

// saved reports whether the present flow has saved the attribute of field i.
func (b *flowBuilder) saved(i int) bool {
	fd := &b.fields[i]
	switch {
	case b.exact:
		return match.IsSaved(b.value[0], fd.attr)
	case fd.mask != 0:
		mask := b.value[fd.mask]
		return len(mask) == 0 && len(b.value[i]) == 0 || anySet(mask)
	}
	return true
}

// intern returns the shape of flows with the masks of the present one.
func (b *flowBuilder) intern(lengths match.Lengths) *match.Shape {
	var saved []match.Saved
	for i := range b.fields {
		fd := &b.fields[i]
		mask := attr.Ones(fd.size)
		switch {
		case fd.class != attr.ClassInteger && fd.class != attr.ClassComputed && fd.class != attr.ClassAddress || !b.saved(i):
			continue
		case fd.mask != 0:
			mask = attr.MakeValue(b.value[fd.mask]...)
		}
		saved = append(saved, match.Saved{Attr: fd.attr, Mask: mask})
	}
	return b.shapes.InternLengths(b.ruleSet, lengths, saved, b.found...)
}
