package feed

import (
	"encoding/json"
	"io"
	"strconv"

	"rtfm/traces/feed"
)

// Lines is a Sink that writes packets as JSON lines, each with its number among all
// records of its meter, and between them what is missing.
type Lines struct {
	w     io.Writer
	b     []byte
	meter *Meter
	lead  []byte // what lines of packets of this meter begin with
}

// linesRoom is how many octets are written at a time.
const linesRoom = 1 << 16

// NewLines returns Lines that are written to w.
func NewLines(w io.Writer) *Lines { return &Lines{w: w, b: make([]byte, 0, linesRoom+1<<12)} }

// begin begins a line of a record of a meter.
func (l *Lines) begin(record string, m *Meter) {
	l.b = append(append(append(l.b, `{"record":"`...), record...), `","Meter":`...)
	name, _ := json.Marshal(m.Name) // a string
	l.b = append(l.b, name...)
}

// number adds a member.
func (l *Lines) number(name string, n uint64) {
	l.b = append(append(append(l.b, `,"`...), name...), `":`...)
	l.b = strconv.AppendUint(l.b, n, 10)
}

// end ends a line.
func (l *Lines) end() error {
	if l.b = append(l.b, "}\n"...); len(l.b) >= linesRoom {
		return l.Flush()
	}
	return nil
}

// Flush writes what is buffered.
func (l *Lines) Flush() error {
	_, err := l.w.Write(l.b)
	l.b = l.b[:0]
	return err
}

// Packet implements Sink.
func (l *Lines) Packet(m *Meter, p *feed.Packet) error {
	if l.meter != m {
		at := len(l.b)
		l.begin("packet", m)
		l.b = append(l.b, `,"Number":`...)
		l.meter, l.lead = m, append(l.lead[:0], l.b[at:]...)
		l.b = l.b[:at]
	}
	l.b = strconv.AppendUint(append(l.b, l.lead...), m.Number, 10)
	l.b = appendID(append(l.b, `,"FlowID":"`...), p.Flow)
	l.b = strconv.AppendInt(append(l.b, `","TimeNs":`...), p.Time, 10)
	l.number("Octets", uint64(p.Octets))
	l.number("TCPFlags", uint64(p.TCPFlags))
	if p.Backward {
		l.b = append(l.b, `,"Direction":"from"`...)
	} else {
		l.b = append(l.b, `,"Direction":"to"`...)
	}
	if m.Form.Digest {
		l.number("Digest", uint64(p.Digest))
	}
	return l.end()
}

// appendID appends an identifier as flow data has it.
func appendID(b []byte, id uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[id>>shift&15])
	}
	return b
}

// Missing implements Sink.
func (l *Lines) Missing(m *Meter, records uint64) error {
	l.begin("missing", m)
	l.number("Missing", records)
	return l.end()
}

// New implements Sink.
func (l *Lines) New(*Meter, *feed.New) error { return nil }

// End implements Sink.
func (l *Lines) End(*Meter, *feed.End) error { return nil }

// Stats implements Sink.
func (l *Lines) Stats(*Meter, *feed.Stats) error { return nil }

// Gone implements Sink.
func (l *Lines) Gone(*Meter) error { return l.Flush() }

// appendLabel appends what a flow was found to be.
func appendLabel(b []byte, name string, score float64) []byte {
	text, _ := json.Marshal(name) // a string
	b = append(append(b, `,"Label":`...), text...)
	return strconv.AppendFloat(append(b, `,"Score":`...), score, 'g', -1, 64)
}

// Label writes that a flow was found to be something.
func (l *Lines) Label(m *Meter, id uint64, name string, score float64) error {
	l.begin("label", m)
	l.b = appendID(append(l.b, `,"FlowID":"`...), id)
	l.b = appendLabel(append(l.b, '"'), name, score)
	return l.end()
}
