package feed

import (
	"encoding/binary"
	"fmt"
	"slices"

	"rtfm/traces/ipfix"
)

// kind is what the records of a template are.
type kind uint8

const (
	other kind = iota
	packetKind
	statsKind
	shapeKind
	newKind
	endKind
)

// template is one that a meter has told.
type template struct {
	kind   kind
	form   Form
	large  bool          // PACKET
	icmp   uint16        // END, as Shape.ICMP
	length int           // octets of a record, 0 if they are not all the same
	key    []ipfix.Field // of NEW and END
	shape  *Shape        // of NEW and END, nil until it was told
	told   string        // as it came
	saved  string        // SHAPE as it came
}

// Templates and shapes that Writer makes have no more fields than these, nor longer keys.
const (
	maxFields = 256
	maxKey    = 2048
)

// size is what a template takes of the memory for all.
func (t *template) size() int { return 256 + len(t.told) + 8*len(t.key) + 4*len(t.saved) }

// recognise returns what records of these fields are.
func recognise(scope int, fields []ipfix.Field) *template {
	t := new(template)
	if !slices.ContainsFunc(fields, func(f ipfix.Field) bool { return f.Length == ipfix.Variable }) {
		t.length = ipfix.Len(fields)
	}
	if scope > 0 {
		switch {
		case scope == 1 && slices.Equal(fields, statsFields()):
			t.kind = statsKind
		case scope == 1 && slices.Equal(fields, shapeFields()):
			t.kind = shapeKind
		}
		return t
	}
	for i := range 8 {
		t.form = Form{Narrow: i&1 != 0, Frames: i&2 != 0, Digest: i&4 != 0}
		switch {
		case slices.Equal(fields, t.form.packet(2)):
			t.kind = packetKind
			return t
		case slices.Equal(fields, t.form.packet(4)):
			t.kind, t.large = packetKind, true
			return t
		}
	}
	for i := range 4 {
		t.form = Form{Narrow: i&1 != 0, Frames: i&2 != 0}
		for _, t.icmp = range []uint16{ipfix.ICMPTypeCodeIPv4, ipfix.ICMPTypeCodeIPv6, 0} {
			if t.flow(endKind, t.form.endFields(t.icmp), fields) {
				return t
			}
		}
	}
	for _, t.form.Narrow = range []bool{false, true} {
		if t.flow(newKind, t.form.newFields(), fields) {
			break
		}
	}
	return t
}

// flow makes t a template of flows, if its fields begin as those do.
func (t *template) flow(k kind, begin, fields []ipfix.Field) bool {
	if len(fields) < len(begin) || !slices.Equal(fields[:len(begin)], begin) {
		return false
	}
	key := fields[len(begin):]
	if t.length == 0 || ipfix.Len(key) > maxKey {
		return false
	}
	t.kind, t.key = k, slices.Clone(key)
	return true
}

// readTemplates reads a set of templates, which begins at an offset in its message.
func (r *Reader) readTemplates(set uint16, b []byte, offset int) error {
	header, whole := 4, b
	if set == ipfix.OptionsTemplateSet {
		header = 6
	}
	for len(b) >= 4 {
		at := offset + len(whole) - len(b)
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		switch {
		case n == 0 && id == set:
			r.templates, r.size = nil, 0
			b = b[4:]
			continue
		case n == 0 && id == 0:
			return nil // padding
		case id < ipfix.FirstDataSet:
			return fmt.Errorf("ipfix: template %d at offset %d: its number is less than %d", id, at, ipfix.FirstDataSet)
		case n == 0:
			r.keep(id, nil)
			b = b[4:]
			continue
		case len(b) < header:
			return fmt.Errorf("ipfix: template %d at offset %d: no room for its header", id, at)
		}
		scope := 0
		if header == 6 {
			if scope = int(binary.BigEndian.Uint16(b[4:])); scope == 0 || scope > n {
				return fmt.Errorf("ipfix: options template %d at offset %d: %d of its %d fields are a scope", id, at, scope, n)
			}
		}
		begin := b
		rest, ok := r.readFields(b[header:], n)
		if !ok {
			return fmt.Errorf("ipfix: template %d at offset %d: no room for its %d fields", id, at, n)
		}
		b = rest
		if err := r.learn(id, scope, n, string(begin[:len(begin)-len(b)])); err != nil {
			return err
		}
	}
	return nil
}

// readFields reads n field specifiers into r.fields; false if b has less.
func (r *Reader) readFields(b []byte, n int) (rest []byte, ok bool) {
	r.fields = r.fields[:0]
	for range n {
		if len(b) < 4 {
			return nil, false
		}
		f := ipfix.Field{Element: binary.BigEndian.Uint16(b), Length: binary.BigEndian.Uint16(b[2:])}
		b = b[4:]
		if f.Element>>15 != 0 {
			if len(b) < 4 {
				return nil, false
			}
			f.Element, f.PEN, b = f.Element&^(1<<15), binary.BigEndian.Uint32(b), b[4:]
		}
		if len(r.fields) <= maxFields {
			r.fields = append(r.fields, f)
		}
	}
	return b, true
}

// learn keeps the template of r.fields, unless it is the same as before.
func (r *Reader) learn(id uint16, scope, n int, told string) error {
	if t := r.templates[id]; t != nil && t.told == told {
		return nil
	}
	t := new(template)
	if n <= maxFields {
		t = recognise(scope, r.fields)
	}
	if t.kind != other { // else its length is enough
		t.told = told
	}
	r.keep(id, t)
	if r.size > maxSize {
		r.keep(id, nil)
		return fmt.Errorf("ipfix: template %d: all templates together have more than %d octets", id, maxSize)
	}
	if t.kind == packetKind {
		r.form = t.form
	}
	r.link(id)
	return nil
}

// keep keeps a template, or forgets it if it is nil.
func (r *Reader) keep(id uint16, t *template) {
	if old := r.templates[id]; old != nil {
		r.size -= old.size()
		if next := r.templates[id+1]; old.kind == newKind && next != nil {
			next.shape = nil // END's
		}
	}
	if t == nil {
		delete(r.templates, id)
		return
	}
	if r.templates == nil {
		r.templates = make(map[uint16]*template)
	}
	r.templates[id] = t
	r.size += t.size()
}

// link has END's template, if it is this one or the one behind, have the shape of NEW's.
func (r *Reader) link(id uint16) {
	if t := r.templates[id]; t != nil && t.kind == newKind {
		id++
	}
	of, end := r.templates[id-1], r.templates[id]
	if end != nil && end.kind == endKind && of != nil && of.kind == newKind && slices.Equal(of.key, end.key) {
		end.shape = of.shape
	}
}

// readShape reads what SHAPE tells. It returns the record's length, 0 if b is shorter.
func (r *Reader) readShape(b []byte, h Handler) (n int) {
	if len(b) < 3 {
		return 0
	}
	name, rest, ok := variable(b[3:])
	if !ok {
		return 0
	}
	saved, rest, ok := variable(rest)
	if !ok {
		return 0
	}
	n = len(b) - len(rest)
	id := binary.BigEndian.Uint16(b)
	t := r.templates[id]
	if t == nil || t.kind != newKind {
		r.Counts.Unknown++
		return n
	}
	if t.shape != nil && t.saved == string(b[:n]) {
		r.Counts.Records++
		return n
	}
	s := &Shape{RuleSet: b[2], Name: string(name)}
	if !s.readSaved(saved, t.key) {
		r.Counts.Unknown++
		return n
	}
	if end := r.templates[id+1]; end != nil {
		s.ICMP = end.icmp
	}
	r.size -= t.size()
	t.shape, t.saved = s, string(b[:n])
	r.size += t.size()
	r.link(id)
	r.Counts.Records++
	h.Shape(s)
	return n
}

// variable reads a value that tells its length (RFC 7011 section 7); false if b is
// shorter.
func variable(b []byte) (value, rest []byte, ok bool) {
	if len(b) < 1 {
		return nil, nil, false
	}
	n, b := int(b[0]), b[1:]
	if n == 255 {
		if len(b) < 2 {
			return nil, nil, false
		}
		n, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < n {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// readSaved reads what SHAPE tells of the attributes, which are those of the key's
// fields; false if they are not.
func (s *Shape) readSaved(b []byte, key []ipfix.Field) bool {
	for _, f := range key {
		if len(b) < 3 || len(b) < 3+int(b[2]) || f.Length != uint16(b[2]) {
			return false
		}
		v := Saved{Attribute: binary.BigEndian.Uint16(b), Mask: slices.Clone(b[3 : 3+f.Length]), Field: f}
		b = b[3+f.Length:]
		v.Field.Length = 0
		if f.PEN != 0 {
			if f.PEN != ipfix.PEN || f.Element != elementAttribute+v.Attribute {
				return false
			}
			v.Field = ipfix.Field{}
		}
		s.Saved = append(s.Saved, v)
	}
	return len(b) == 0
}
