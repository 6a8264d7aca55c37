package format

import "rtfm/traces"

// Section writes the blocks of a section of pcapng, for files that are put together
// elsewhere: a head with the section and its interfaces, and packets. Times are in
// nanoseconds. The zero value is an empty one.
type Section struct {
	ng   ngRecorder
	head []byte
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
	if id := max(p.Interface, 1) - 1; id < uint32(len(s.ng.frames)) && s.ng.frames[id].link == p.Link {
		return true
	}
	_, ok := s.ng.further[furtherKey{p.Interface, p.Link}]
	return ok
}

// Add adds the interface of a packet to the head, with those of lower numbers. The
// error is of kind ErrUnfit.
func (s *Section) Add(p *traces.Packet) (err error) {
	_, s.head, err = s.ng.id(s.ng.begin(s.head), p)
	return err
}

// Head returns the head. It is valid until Add is called.
func (s *Section) Head() []byte {
	s.head = s.ng.begin(s.head)
	return s.head
}

// PacketSize returns the most octets that the block of a packet takes.
func (s *Section) PacketSize(p *traces.Packet) int { return ngPacketMin + len(p.Data) + 3 }

// AppendPacket appends the block of a packet, of an interface that the head has.
func (s *Section) AppendPacket(b []byte, p *traces.Packet) []byte {
	b, _ = s.ng.record(b, p) // cannot fail: its interface is there
	return b
}

// SectionPackets calls each with the packets in blocks of a section that has this head,
// as a reader gives them; they are valid until it returns. batch is room for some.
func SectionPackets(head, blocks []byte, batch *traces.Batch, each func(p *traces.Packet)) error {
	var g pcapng
	var st traces.Stats
	for _, part := range [...][]byte{head, blocks} {
		for len(part) > 0 {
			batch.Reset("pcapng")
			used, need, err := g.scan(part, batch, &st)
			if err != nil {
				return err
			}
			if need > 0 && used < len(part) {
				return corrupt("a block ends behind what there is")
			}
			for i := range batch.Packets {
				each(&batch.Packets[i])
			}
			part = part[used:]
		}
	}
	return nil
}
