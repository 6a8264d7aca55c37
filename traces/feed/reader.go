package feed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"rtfm/traces/ipfix"
)

// Handler is given the records of one observation domain of one meter, in the order in
// which the meter made them, each once. What it is given is valid until the call returns,
// but for Shapes, which stay as they are.
type Handler interface {
	// Begin says that the meter's feed begins, or has begun anew: what was open before
	// has no END. The meter has made so many records before the first that came, modulo
	// 2^32: more than none if the reader was not there, or they were lost.
	Begin(before uint32)
	Shape(s *Shape) // before the first record that has it
	New(n *New)
	Packet(p *Packet)
	End(e *End)
	Stats(s *Stats)
	// Missing says that so many records should have come here and will not: the meter
	// had no room for them, they were lost on the way, or their template was.
	Missing(records uint32)
}

// Counts are of what a Reader has read.
type Counts struct {
	Messages uint64
	Records  uint64 // that were handed out
	// Unknown records were passed over, since their template is not one of a feed or
	// their SHAPE has not come. UnknownSets are those without a template: nothing tells
	// how many records are in them, so they are Missing, too.
	Unknown, UnknownSets uint64
	// Late messages came twice, or when their records were given up as missing.
	Late uint64
}

// Reader reads the messages of one observation domain of one meter. Messages of UDP
// that have overtaken others wait for them.
type Reader struct {
	// Ordered says that messages come as they were sent, over a stream or from a file,
	// so that a sequence number behind the one due is that of a new feed.
	Ordered bool
	Counts  Counts

	begun   bool
	due     uint32 // sequence number of the next message
	unsure  bool   // not all records of the latest message could be counted
	seconds uint32 // latest export time
	sawZero bool   // the message with sequence number 0 was seen, of export time
	zero    uint32
	early   []early
	held    int // octets of them

	templates map[uint16]*template
	size      int // of templates
	form      Form
	fields    []ipfix.Field // room
	packet    Packet
	end       End
}

// early is a message that waits for the one before.
type early struct {
	sequence, seconds uint32
	b                 []byte
}

// What a Reader keeps at most: messages that wait, their octets, and those of templates
// and shapes. A gap of sequence numbers that is larger is a new feed's; a feed whose first
// message has no higher number than maxStart has one that was overtaken.
const (
	maxEarly = 64
	maxHeld  = 1 << 18
	maxSize  = 1 << 24
	maxGap   = 1 << 30
	maxStart = 4096
)

// Form returns that of the feed, as its latest template of PACKET has it.
func (r *Reader) Form() Form { return r.form }

// Message reads a message and gives its records to h, at once or when those before it
// have come. The error is that of the first thing in it that is malformed; what stands
// before is read.
func (r *Reader) Message(b []byte, h Handler) error {
	if err := check(b); err != nil {
		return err
	}
	m := early{sequence: binary.BigEndian.Uint32(b[8:]), seconds: binary.BigEndian.Uint32(b[4:]), b: b}
	switch gap := int32(m.sequence - r.due); {
	case !r.begun && !r.Ordered && m.sequence > 0 && m.sequence <= maxStart:
		r.begin(0, h)
		return r.wait(&m, h)
	case !r.begun:
		r.begin(m.sequence, h)
	case gap == 0:
	case r.anew(&m, gap):
		err := r.Flush(h)
		r.begin(m.sequence, h)
		if err != nil {
			_ = r.read(&m, h)
			return err
		}
	case gap < 0:
		r.Counts.Late++
		return nil
	case r.Ordered || r.unsure:
		h.Missing(uint32(gap))
	default:
		return r.wait(&m, h)
	}
	if err := r.read(&m, h); err != nil {
		return err
	}
	return r.readEarly(h)
}

// anew reports whether a message, so many records ahead of the one due, is of a feed
// that has begun anew.
func (r *Reader) anew(m *early, gap int32) bool {
	switch {
	case gap >= maxGap, gap <= -maxGap:
		return true
	case r.Ordered:
		return gap < 0
	case m.sequence == 0:
		return gap > 0 || m.seconds > r.seconds || r.sawZero && m.seconds != r.zero
	}
	return gap < 0 && m.seconds > r.seconds
}

// begin begins a feed with the message of this sequence number.
func (r *Reader) begin(sequence uint32, h Handler) {
	*r = Reader{Ordered: r.Ordered, Counts: r.Counts, begun: true, due: sequence, fields: r.fields, end: r.end}
	h.Begin(sequence)
}

// wait has a message wait for those before it. If too many wait, what lacks is given up.
func (r *Reader) wait(m *early, h Handler) error {
	at := len(r.early)
	for at > 0 && int32(r.early[at-1].sequence-m.sequence) > 0 {
		at--
	}
	if at > 0 && r.early[at-1].sequence == m.sequence && bytes.Equal(r.early[at-1].b, m.b) {
		r.Counts.Late++
		return nil
	}
	m.b = bytes.Clone(m.b)
	r.early = append(r.early, early{})
	copy(r.early[at+1:], r.early[at:])
	r.early[at] = *m
	if r.held += len(m.b); r.held < maxHeld && len(r.early) < maxEarly {
		return nil
	}
	return r.giveUp(h)
}

// giveUp waits no longer for what lacks before the first message that waits.
func (r *Reader) giveUp(h Handler) error {
	h.Missing(r.early[0].sequence - r.due)
	r.due = r.early[0].sequence
	return r.readEarly(h)
}

// readEarly reads the messages that need not wait any longer. It returns the first error.
func (r *Reader) readEarly(h Handler) (first error) {
	for len(r.early) > 0 {
		m := r.early[0]
		gap := int32(m.sequence - r.due)
		if gap > 0 && !r.unsure {
			break
		}
		r.held -= len(m.b)
		r.early = append(r.early[:0], r.early[1:]...)
		if gap < 0 {
			r.Counts.Late++
			continue
		}
		if gap > 0 {
			h.Missing(uint32(gap))
		}
		if err := r.read(&m, h); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Waits reports whether messages wait for others.
func (r *Reader) Waits() bool { return len(r.early) > 0 }

// Flush gives up waiting for messages that lack: when none have come for a while, and at
// the end. The error is that of the first message that was waiting and is malformed.
func (r *Reader) Flush(h Handler) (first error) {
	for len(r.early) > 0 {
		if err := r.giveUp(h); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// check checks the header of a message.
func check(b []byte) error {
	if len(b) < ipfix.HeaderLen {
		return fmt.Errorf("ipfix: a message of %d octets is shorter than its header, %d", len(b), ipfix.HeaderLen)
	}
	if v := binary.BigEndian.Uint16(b); v != ipfix.Version {
		return fmt.Errorf("ipfix: version %d is not %d", v, ipfix.Version)
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n != len(b) {
		return fmt.Errorf("ipfix: a message of %d octets says it has %d", len(b), n)
	}
	return nil
}

// Domain returns the observation domain of a message, false if it has none.
func Domain(message []byte) (uint32, bool) {
	if check(message) != nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(message[12:]), true
}

// ReadMessage reads the next message of a stream, or of a file that is whole, into room if
// that is enough. The error is io.EOF behind the last one, and io.ErrUnexpectedEOF within
// one.
func ReadMessage(r io.Reader, room []byte) ([]byte, error) {
	if cap(room) < ipfix.HeaderLen {
		room = make([]byte, 2048)
	}
	b := room[:ipfix.HeaderLen]
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	if err := headerError(b); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if cap(room) < n {
		b = append(make([]byte, 0, n), b...)
	}
	b = b[:n]
	if _, err := io.ReadFull(r, b[ipfix.HeaderLen:]); err == io.EOF {
		return nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return nil, err
	}
	return b, nil
}
