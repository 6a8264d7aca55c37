package format

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"rtfm/traces"
)

// Section writes files that are put together elsewhere, of one of the formats that can be
// written: a head, which of pcapng is a section and its interfaces, and packets. Times are
// in nanoseconds. The zero value is an empty one of pcapng.
type Section struct {
	ng    ngRecorder
	other recorder // of another format than pcapng
	link  traces.LinkType
	begun bool // other knows the link type of its first packet
	head  []byte
}

// NewSection returns an empty section of a format: pcapng, pcap, erf or hpcap.
func NewSection(kind string) (*Section, error) {
	switch kind {
	case "pcapng":
		return &Section{}, nil
	case "hpcap":
		return &Section{other: &hpcapRecorder{size: math.MaxInt64}}, nil // its end is the file's
	}
	for _, r := range recorders {
		if r.name == kind {
			return &Section{other: r.open(0)}, nil
		}
	}
	return nil, fmt.Errorf("there is no format %q to write", kind)
}

// Name gives the interface of this number a name, for when it is added.
func (s *Section) Name(number uint32, name string) {
	if s.ng.names == nil {
		s.ng.names = make(map[uint32]string)
	}
	s.ng.names[number] = name
}

// Has reports whether the head describes where a packet was captured.
func (s *Section) Has(p *traces.Packet) bool {
	if s.other != nil {
		return s.hasOther(p)
	}
	if id := max(p.Interface, 1) - 1; id < uint32(len(s.ng.frames)) && s.ng.frames[id].link == p.Link {
		return true
	}
	_, ok := s.ng.further[furtherKey{p.Interface, p.Link}]
	return ok
}

// hasOther is Has for another format.
func (s *Section) hasOther(p *traces.Packet) bool {
	_, one := s.other.(*pcapRecorder) // link type
	return s.begun && (!one || s.link == p.Link)
}

// Add adds the interface of a packet to the head, with those of lower numbers. The
// error is of kind ErrUnfit.
func (s *Section) Add(p *traces.Packet) (err error) {
	if s.other != nil {
		return s.addOther(p)
	}
	_, s.head, err = s.ng.id(s.ng.begin(s.head), p)
	return err
}

// addOther is Add for another format.
func (s *Section) addOther(p *traces.Packet) error {
	if s.begun {
		return unfit("link type %v, where all before are %v; pcapng holds several", p.Link, s.link)
	}
	if f, ok := s.other.(*pcapRecorder); ok {
		s.head = f.begin(nil, p.Link)
	}
	s.begun, s.link = true, p.Link
	return nil
}

// Head returns the head. It is valid until Add is called.
func (s *Section) Head() []byte {
	if s.other != nil {
		return s.head
	}
	s.head = s.ng.begin(s.head)
	return s.head
}

// PacketSize returns the most octets that the block of a packet takes.
func (s *Section) PacketSize(p *traces.Packet) int { return ngPacketMin + len(p.Data) + 3 }

// AppendPacket appends a packet, of an interface that the head has. The error is of kind
// ErrUnfit; there is none with pcapng.
func (s *Section) AppendPacket(b []byte, p *traces.Packet) ([]byte, error) {
	if id := max(p.Interface, 1) - 1; id < uint32(len(s.ng.frames)) && s.ng.frames[id].link == p.Link {
		return ngAppendPacket(b, id, s.ng.frames[id].extra, p), nil
	}
	if s.other != nil {
		return s.other.record(b, p)
	}
	return s.ng.record(b, p) // cannot fail: its interface is there
}

// Notes lists what the format could not represent.
func (s *Section) Notes() []string {
	if s.other != nil {
		return s.other.notes()
	}
	return s.ng.notes()
}

// SectionEnd returns what a file of a section ends with that has so many octets.
func SectionEnd(kind string, size int64) []byte {
	if kind != "hpcap" {
		return nil
	}
	return (&hpcapRecorder{used: size}).finish(nil)
}

// sectionFormat reads a section that has this head, without what others may have
// written instead.
func sectionFormat(kind string, in *input) (format, error) {
	if kind == "hpcap" {
		return new(hpcap), nil
	}
	k := kindOf(kind)
	if k == nil {
		return nil, ErrFormat
	}
	return k.open(in)
}

// NewSectionReader is NewReader for a section of this format: nothing is guessed, and it
// may be empty.
func NewSectionReader(r io.Reader, name, kind string) (traces.Source, error) {
	raw := &counter{src: r}
	src := &reader{name: name, raw: raw, in: newInput(raw)}
	var err error
	if src.format, err = sectionFormat(kind, src.in); err != nil {
		return nil, &Error{File: name, Format: kind, Err: err}
	}
	return src, nil
}

// SectionPackets calls each with the packets in blocks of a section of a format that has
// this head, as a reader gives them; they are valid until it returns. batch is room for
// some. It returns how many octets whole packets take, and what is wrong behind them.
func SectionPackets(kind string, head, blocks []byte, batch *traces.Batch, each func(p *traces.Packet)) (int, error) {
	f, err := sectionFormat(kind, &input{src: bytes.NewReader(head), buf: make([]byte, len(head))})
	if err != nil {
		return 0, err
	}
	var st traces.Stats
	batch.Reset(kind)
	for at := 0; kind == "pcapng" && at < len(head); {
		used, _, err := f.scan(head[at:], batch, &st)
		if err != nil || used == 0 {
			return 0, err
		}
		at += used
	}
	done := 0
	for done < len(blocks) {
		batch.Reset(kind)
		used, need, err := f.scan(blocks[done:], batch, &st)
		for i := range batch.Packets {
			each(&batch.Packets[i])
		}
		if done += used; err != nil || need > 0 || used == 0 {
			return done, err
		}
	}
	return done, nil
}
