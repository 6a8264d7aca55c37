package ipfixsink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"rtfm/reader/export"
	"rtfm/traces/ipfix"
)

// session is what a collector knows: which templates, and how many records.
type session struct {
	domains map[uint32]*domain
	// next is the identifier of the next template, less ipfix.FirstDataSet. No two
	// domains have the same one: some programs do not tell their templates apart.
	next int
}

// domain is that of an observation domain.
type domain struct {
	id        uint32
	sequence  uint32 // data records that were sent, modulo 2^32
	templates map[string]*template
}

// template is one that the collector knows.
type template struct {
	id   uint16
	told time.Time // zero: not yet
}

func newSession() *session { return &session{domains: make(map[uint32]*domain)} }

// domain returns a domain.
func (s *session) domain(id uint32) *domain {
	d := s.domains[id]
	if d == nil {
		d = &domain{id: id, templates: make(map[string]*template)}
		s.domains[id] = d
	}
	return d
}

// forget has all templates told again.
func (s *session) forget() {
	for _, d := range s.domains {
		for _, t := range d.templates {
			t.told = time.Time{}
		}
	}
}

// writer makes messages of records.
type writer struct {
	session *session
	write   func(message []byte) error
	most    int           // octets of a message
	again   time.Duration // templates are told again after so long; 0: never
	now     time.Time     // when the message is sent

	b       []byte
	of      *domain
	set     int // where the set under way begins; 0: there is none
	setID   uint16
	records uint32 // in the message

	messages, sent uint64 // altogether: messages and data records
}

// record appends a data record that has these fields, of which some are a scope.
func (w *writer) record(id uint32, scope int, fields []ipfix.Field, key string, record []byte) error {
	if w.of == nil || w.of.id != id {
		if err := w.flush(); err != nil {
			return err
		}
		w.begin(w.session.domain(id))
	}
	t := w.of.templates[key]
	if t == nil {
		id := ipfix.FirstDataSet + w.session.next
		if id > math.MaxUint16 {
			return export.Refuse(errors.New("there are too many kinds of flows for IPFIX"))
		}
		t = &template{id: uint16(id)}
		w.of.templates[key] = t
		w.session.next++
	}
	if t.told.IsZero() || w.again > 0 && w.now.Sub(t.told) >= w.again {
		if err := w.tell(t, scope, fields); err != nil {
			return err
		}
	}
	need := len(record)
	if w.set == 0 || w.setID != t.id {
		need += ipfix.SetHeaderLen
	}
	if err := w.room(need); err != nil {
		return err
	}
	if w.set == 0 || w.setID != t.id {
		w.endSet()
		w.set, w.setID = len(w.b), t.id
		w.b = binary.BigEndian.AppendUint16(w.b, t.id)
		w.b = append(w.b, 0, 0)
	}
	w.b = append(w.b, record...)
	w.records++
	return nil
}

// begin begins a message.
func (w *writer) begin(d *domain) {
	w.of, w.set, w.records = d, 0, 0
	w.b = append(w.b[:0], make([]byte, ipfix.HeaderLen)...)
	w.now = time.Now()
}

// room sends the message if it has no room for so many octets more.
func (w *writer) room(need int) error {
	if ipfix.HeaderLen+ipfix.SetHeaderLen+need > w.most {
		return export.Refuse(fmt.Errorf("a record of %d octets has no room in a message of %d", need, w.most))
	}
	if len(w.b)+need <= w.most {
		return nil
	}
	d := w.of
	if err := w.flush(); err != nil {
		return err
	}
	w.begin(d)
	return nil
}

// tell appends a template.
func (w *writer) tell(t *template, scope int, fields []ipfix.Field) error {
	set := ipfix.AppendTemplate(nil, t.id, scope, fields)
	if err := w.room(len(set)); err != nil {
		return err
	}
	w.endSet()
	w.b = append(w.b, set...)
	t.told = w.now
	return nil
}

// endSet fills in the length of the set under way.
func (w *writer) endSet() {
	if w.set > 0 {
		binary.BigEndian.PutUint16(w.b[w.set+2:], uint16(len(w.b)-w.set))
		w.set = 0
	}
}

// flush sends what the message has.
func (w *writer) flush() error {
	if w.of == nil {
		return nil
	}
	w.endSet()
	d := w.of
	w.of = nil
	if len(w.b) == ipfix.HeaderLen {
		return nil
	}
	ipfix.PutHeader(w.b, uint32(w.now.Unix()), d.sequence, d.id)
	d.sequence += w.records
	w.messages++
	w.sent += uint64(w.records)
	return w.write(w.b)
}
