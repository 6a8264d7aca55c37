package feed

import (
	"encoding/binary"
	"math"
	"time"

	"rtfm/traces/ipfix"
)

// LeastMTU is the smallest Writer.MTU: with it any record fits into a message, and the
// message into a datagram that any path of IPv6 takes whole (RFC 8200 section 5).
const LeastMTU = 1232

// Writer puts records into messages.
type Writer struct {
	Form
	Domain uint32 // observation domain
	MTU    int    // most octets of a message, LeastMTU or more
	// Delay is for how long a record waits, by the times of those behind it, for others
	// in its message; 0 for as long as there is room.
	Delay time.Duration
	// Send is given each message when it is full, or is flushed, and how many data
	// records are in it. It returns room for the next one, MTU octets or more.
	Send func(message []byte, records int) []byte
	// Remember, if it is not nil, is given messages without which others cannot be
	// read: first the templates of all feeds, then each shape by itself. It returns
	// room as Send does. They are sent too.
	Remember func(message []byte, records int) []byte

	begun    bool     // Templates was called
	shapes   []*Shape // by slot, as they were told last
	told     int      // shapes
	b        []byte   // the message under way, empty if there is none
	room     []byte
	set      int    // where its last set begins
	id       uint16 // of that set
	records  int
	due      int64  // when it is sent though it is not full
	latest   int64  // time of its last record
	sequence uint32 // data records before it
}

// begin makes room for n octets of a record of a data set, or for a set of templates if
// id is 0, that is written at a time in nanoseconds since 1970.
func (w *Writer) begin(id uint16, n int, now int64) {
	header := 0
	if id == 0 || id != w.id {
		header = ipfix.SetHeaderLen
	}
	if len(w.b) > 0 && (len(w.b)+header+n > w.MTU || now >= w.due) {
		w.Flush()
		header = ipfix.SetHeaderLen
	}
	if len(w.b) == 0 {
		if cap(w.room) < w.MTU {
			w.room = make([]byte, 0, w.MTU)
		}
		w.b, w.room = w.room[:ipfix.HeaderLen], nil
		if w.due = math.MaxInt64; w.Delay > 0 && now <= math.MaxInt64-int64(w.Delay) {
			w.due = now + int64(w.Delay)
		}
	}
	w.latest = now
	if header > 0 {
		w.endSet()
		w.id = id
		if id != 0 {
			w.set = len(w.b)
			w.b = binary.BigEndian.AppendUint16(w.b, id)
			w.b = append(w.b, 0, 0)
		}
	}
}

// endSet fills in the length of the last set.
func (w *Writer) endSet() {
	if w.id != 0 {
		binary.BigEndian.PutUint16(w.b[w.set+2:], uint16(len(w.b)-w.set))
	}
	w.id = 0
}

// Wait says that it is time now. The message under way is sent if it has waited long
// enough.
func (w *Writer) Wait(now int64) {
	if len(w.b) > 0 && now >= w.due {
		w.Flush()
	}
}

// Flush sends the message under way, if there is one.
func (w *Writer) Flush() {
	if len(w.b) == 0 {
		return
	}
	w.endSet()
	ipfix.PutHeader(w.b, uint32(w.latest/1e9), w.sequence, w.Domain)
	w.sequence += uint32(w.records)
	w.room = w.Send(w.b, w.records)[:0]
	w.b, w.records = nil, 0
}

// template writes a template.
func (w *Writer) template(id uint16, scope int, fields []ipfix.Field, now int64) {
	w.begin(0, 64+8*len(fields), now)
	w.b = ipfix.AppendTemplate(w.b, id, scope, fields)
}

// Templates writes all templates, and the shapes so far: at the beginning, and where
// they may be lost again now and then.
func (w *Writer) Templates(now int64) {
	w.general(now)
	for _, s := range w.shapes {
		w.shape(s, now)
	}
	if !w.begun {
		w.begun = true
		w.remember(now, func(own *Writer) { own.general(now) })
	}
}

// general writes the templates of all feeds.
func (w *Writer) general(now int64) {
	w.template(PacketTemplate, 0, w.packet(2), now)
	w.template(LargeTemplate, 0, w.packet(4), now)
	w.template(StatsTemplate, 1, statsFields(), now)
	w.template(ShapeTemplate, 1, shapeFields(), now)
}

// Shape adds a shape, of which flows will be told.
func (w *Writer) Shape(s *Shape, now int64) {
	s.slot = w.told % maxShapes
	w.told++
	if s.slot == len(w.shapes) {
		w.shapes = append(w.shapes, nil)
	}
	w.place(s, now)
}

// place tells a shape, also one whose slot another one has taken since.
func (w *Writer) place(s *Shape, now int64) {
	w.shapes[s.slot] = s
	w.shape(s, now)
	w.remember(now, func(own *Writer) { own.shape(s, now) })
}

// remember has a message of its own hold what write writes.
func (w *Writer) remember(now int64, write func(*Writer)) {
	if w.Remember != nil {
		own := Writer{Form: w.Form, Domain: w.Domain, MTU: w.MTU, Send: w.Remember}
		write(&own)
		own.Flush()
	}
}

func (w *Writer) shape(s *Shape, now int64) {
	key := s.keyFields()
	w.template(s.template(), 0, append(w.newFields(), key...), now)
	w.template(s.template()+1, 0, append(w.endFields(s.ICMP), key...), now)
	name := s.Name[:min(len(s.Name), 254)]
	saved := s.appendSaved(nil)
	w.begin(ShapeTemplate, 8+len(name)+len(saved), now)
	w.b = binary.BigEndian.AppendUint16(w.b, s.template())
	w.b = append(append(append(w.b, s.RuleSet), uint8(len(name))), name...)
	w.b = append(w.b, 255)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(len(saved)))
	w.b = append(w.b, saved...)
	w.records++
}

// maxPacket is the most octets of a PACKET.
const maxPacket = 8 + 8 + 4 + 1 + 1 + 4

// Packet writes PACKET. There is one for each packet, so the usual case, that it goes to
// the set under way, comes first.
func (w *Writer) Packet(p *Packet, now int64) {
	id := uint16(PacketTemplate)
	if p.Octets > math.MaxUint16 {
		id = LargeTemplate
	}
	if id != w.id || len(w.b)+maxPacket > w.MTU || now >= w.due {
		w.begin(id, maxPacket, now)
	}
	w.latest = now
	end := len(w.b)
	b := (*[maxPacket]byte)(w.b[end : end+maxPacket])
	binary.BigEndian.PutUint64(b[:], p.Flow)
	n := 8
	if w.Narrow {
		binary.BigEndian.PutUint32(b[:], uint32(p.Flow))
		n = 4
	}
	binary.BigEndian.PutUint64(b[n:], ipfix.Time(p.Time))
	if n += 8; id == LargeTemplate {
		binary.BigEndian.PutUint32(b[n:], p.Octets)
		n += 4
	} else {
		binary.BigEndian.PutUint16(b[n:], uint16(p.Octets))
		n += 2
	}
	b[n], b[n+1] = p.TCPFlags, 0
	if p.Backward {
		b[n+1] = 1
	}
	if n += 2; w.Digest {
		binary.BigEndian.PutUint32(b[n:], p.Digest)
		n += 4
	}
	w.b = w.b[:end+n]
	w.records++
}

func (w *Writer) flow(b []byte, id uint64) []byte {
	if w.Narrow {
		return binary.BigEndian.AppendUint32(b, uint32(id))
	}
	return binary.BigEndian.AppendUint64(b, id)
}

// New writes NEW.
func (w *Writer) New(n *New, now int64) {
	if w.shapes[n.Shape.slot] != n.Shape {
		w.place(n.Shape, now)
	}
	w.begin(n.Shape.template(), 23+len(n.Key), now)
	w.b = append(w.new(w.b, n), n.Key...)
	w.records++
}

// new appends what NEW and END begin with.
func (w *Writer) new(b []byte, n *New) []byte {
	b = w.flow(b, n.Flow)
	b = binary.BigEndian.AppendUint64(b, ipfix.Time(n.First))
	b = append(b, n.Shape.RuleSet)
	b = binary.BigEndian.AppendUint32(b, n.Index)
	return binary.BigEndian.AppendUint16(b, n.Collisions)
}

// End writes END.
func (w *Writer) End(e *End, now int64) {
	if w.shapes[e.Shape.slot] != e.Shape {
		w.place(e.Shape, now)
	}
	w.begin(e.Shape.template()+1, 82+len(e.Key), now)
	b := w.new(w.b, &e.New)
	b = binary.BigEndian.AppendUint64(b, ipfix.Time(e.Begun))
	b = binary.BigEndian.AppendUint64(b, ipfix.Time(e.Last))
	b = append(b, uint8(e.Reason))
	for d := range 2 {
		b = binary.BigEndian.AppendUint64(b, e.PDUs[d])
		b = binary.BigEndian.AppendUint64(b, e.Octets[d])
	}
	b = binary.BigEndian.AppendUint64(b, e.Told)
	if e.Shape.ICMP != 0 {
		b = binary.BigEndian.AppendUint16(b, e.Shape.icmp(e.Key))
	}
	w.b = append(b, e.Key...)
	w.records++
}

// Stats writes STATS.
func (w *Writer) Stats(s *Stats, now int64) {
	w.begin(StatsTemplate, 68, now)
	b := binary.BigEndian.AppendUint32(w.b, w.Domain)
	b = binary.BigEndian.AppendUint64(b, ipfix.Time(s.Time))
	for _, n := range []uint64{s.Packets, s.Ignored, s.Uncounted, s.Lost, s.DroppedMessages, s.DroppedRecords} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = binary.BigEndian.AppendUint32(b, s.Flows)
	w.b = binary.BigEndian.AppendUint32(b, s.First)
	w.records++
}
