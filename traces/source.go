package traces

import (
	"slices"
	"strconv"
	"time"
)

// Packet is one captured packet.
type Packet struct {
	// Time is when the packet was captured, in nanoseconds since the Unix
	// epoch. It is never negative; a time before 1970, or after the year 2262, is
	// given as the earliest or latest that fits (see Stats.Clamped).
	Time int64
	// Data is what was captured, from the link header on. It is valid until
	// the next ReadBatch of the same Source.
	Data []byte
	// Wire is the packet's length on the wire in octets, without frame check
	// sequence, as the trace gives it. It is more than len(Data) if the packet was
	// cut short, and may be less in traces that are not quite sound.
	Wire uint32
	// FCS is the number of octets of frame check sequence that the trace
	// counts as part of the packet and Wire leaves out: 4 for ERF Ethernet,
	// and what a pcap file's or a pcapng interface's header says.
	FCS uint8
	// Link tells how Data begins.
	Link LinkType
	// Interface is the number, from 1, of the interface where the packet was
	// captured. A pcap file has only one. In pcapng the interfaces are counted
	// through all sections of a file, so that interface 0 of the second section
	// does not get the number of interface 0 of the first. In ERF it is the port
	// of the capture card, 1 to 8; live, the ifIndex.
	Interface uint32
	// Direction is the way the packet went there.
	Direction Direction
	// Duplicate is set by Dedup.
	Duplicate Duplicate
	// Outlier is set, and Time changed, by Outliers and live.Steady.
	Outlier bool
}

// Direction is the way a packet went at the interface where it was captured.
type Direction uint8

// Passing packets have both of their ends at the interface, as far as is known:
// those seen by a mirror port, and all in traces that do not say. Incoming
// packets have their source there, Outgoing ones their destination.
const (
	Passing Direction = iota
	Incoming
	Outgoing
)

// Batch is a number of packets that are read together. The zero value is ready
// for use and holds a reasonable number of packets.
type Batch struct {
	// Packets is what ReadBatch has read; its capacity is the most that
	// ReadBatch puts there.
	Packets []Packet
	// Records, if not empty, has one entry per packet. The packets are then
	// synthetic headers that stand for router flow records.
	Records []Record
	// File is the name of the trace that the packets come from. All packets
	// of a batch are of one file.
	File string
	// MayMap lets a source map a file into memory instead of reading it. A caller
	// that sets it must access Data only inside Mapping.Guard.
	MayMap bool
	// Mapping, if not nil, is where the packets' Data lie; they are valid as long
	// as it is referenced.
	Mapping Mapping
	// Until is not 0 when a source that captures knows that all packets before
	// that time have been read; nanoseconds since the Unix epoch.
	Until int64
}

// Record is what a router has counted for a flow.
type Record struct {
	// PDUs is the number of packets, at least one, and Octets that of their
	// network headers and payload.
	PDUs, Octets uint64
	// Meter identifies the router.
	Meter [4]byte
	// Input and Output are the router's numbers of the interfaces where the
	// packets came in and went out, 0 if they are not known.
	Input, Output uint32
	// The autonomous systems of source and destination, and the widths in bits
	// of the prefixes by which the packets were routed; 0 if not known.
	SourceASN, DestASN       uint32
	SourcePrefix, DestPrefix uint8
}

// defaultBatch is the capacity that a Batch gets that has none.
const defaultBatch = 256

// NewBatch returns a batch for up to n packets.
func NewBatch(n int) *Batch {
	return &Batch{Packets: make([]Packet, 0, n)}
}

// Reset empties b for a source that reads file.
func (b *Batch) Reset(file string) {
	if cap(b.Packets) == 0 {
		b.Packets = make([]Packet, 0, defaultBatch)
	}
	b.Packets = b.Packets[:0]
	b.Records = b.Records[:0]
	b.File, b.Until, b.Mapping = file, 0, nil
}

// Source is a stream of packets. It is not safe for concurrent use.
type Source interface {
	// ReadBatch empties b and fills it with at least one packet, or returns
	// an error: io.EOF at the orderly end, an *Error for damage. Packets that
	// stand before the damage are returned first, without error, and the error
	// by the next call. The packets' Data are valid until the next ReadBatch.
	// A source that captures may return a batch without packets and without
	// error when it has set b.Until.
	ReadBatch(b *Batch) error
	// Stats returns what was read so far.
	Stats() Stats
	// Close releases the source. Nothing may be read after it.
	Close() error
}

// Stats counts what a Source has read.
type Stats struct {
	// Records is the number of records, packets or not. In pcapng each block
	// is a record.
	Records uint64 `json:"records"`
	// Skipped is the number of records that hold no packet.
	Skipped uint64 `json:"skipped"`
	// Cut is the number of packets that were not captured whole.
	Cut uint64 `json:"cut"`
	// Clamped is the number of packets whose times are before 1970 or after the
	// year 2262 and were changed to the earliest or latest that fits.
	Clamped uint64 `json:"clamped,omitempty"`
	// Lost is the number of packets that the capturing machine lost, by the
	// trace's own counters. PerInterface says where; for a source that captures it
	// has all interfaces, for a trace those that have lost any.
	Lost         uint64           `json:"lost"`
	PerInterface []InterfaceStats `json:"-"`
	// Stamps says, for a source that captures, which clocks have stamped packets.
	Stamps []InterfaceStamps `json:"-"`
	// SystemClock is the state of the system's clock if it stamps the packets that
	// are captured.
	SystemClock ClockState `json:"-"`
	// Duplicates are those that Dedup has found, Outliers is the number of packets
	// whose time Outliers has changed.
	Duplicates Duplicates `json:"-"`
	Outliers   uint64     `json:"-"`
	// NotSampled is the number of packets that were left out because only some are to
	// be looked at, as a schedule.Select does.
	NotSampled uint64 `json:"-"`
	// Bytes is the number of octets read from the file itself, before any
	// decompression.
	Bytes uint64 `json:"bytes"`

	places map[uint32]int // in PerInterface, by number; nil while these are few
	shared bool           // PerInterface is that of a snapshot
}

// InterfaceStats is what is known about one interface.
type InterfaceStats struct {
	// Number is that of Packet.Interface.
	Number uint32
	// Name is empty if it is not known.
	Name string
	// Lost is the number of packets lost there.
	Lost uint64
}

// InterfaceStamps counts the packets of an interface by the source of their
// times.
type InterfaceStamps struct {
	Name string
	By   [StampSources]uint64
}

// StampSource is where a packet's time comes from.
type StampSource uint8

// The kernel stamps a packet when it arrives, or at the latest when it is
// copied for the capture, by the system's clock. A card stamps packets by a
// clock of its own; an adapter is one whose times the driver has made into the
// system's.
const (
	StampKernel StampSource = iota
	StampCard
	StampAdapter
	StampSources = 3 // how many there are
)

// String returns a word for flow data.
func (s StampSource) String() string {
	return [StampSources]string{"kernel", "card", "adapter"}[s]
}

// ClockState says whether something keeps the system's clock right, such as NTP
// or PTP.
type ClockState uint8

// The states of a clock.
const (
	ClockUnknown ClockState = iota
	ClockSynchronised
	ClockUnsynchronised
)

// String returns the name, or the number if that is not known.
func (i *InterfaceStats) String() string {
	if i.Name == "" {
		return strconv.FormatUint(uint64(i.Number), 10)
	}
	return i.Name
}

// fewInterfaces are found by looking at one after the other.
const fewInterfaces = 8

// Lose counts n packets that were lost at an interface. It must not be called
// for a snapshot.
func (s *Stats) Lose(number uint32, n uint64) {
	if n == 0 {
		return
	}
	s.Lost += n
	if s.shared {
		s.PerInterface, s.shared = slices.Clone(s.PerInterface), false
	}
	i := s.place(number)
	if i < 0 {
		i = len(s.PerInterface)
		s.PerInterface = append(s.PerInterface, InterfaceStats{Number: number})
		if s.places != nil {
			s.places[number] = i
		}
	}
	s.PerInterface[i].Lost += n
}

// place returns where in PerInterface an interface is, -1 if it is not there.
func (s *Stats) place(number uint32) int {
	if len(s.PerInterface) <= fewInterfaces {
		return slices.IndexFunc(s.PerInterface, func(i InterfaceStats) bool { return i.Number == number })
	}
	if s.places == nil {
		s.places = make(map[uint32]int, 2*len(s.PerInterface))
		for i := range s.PerInterface {
			s.places[s.PerInterface[i].Number] = i
		}
	}
	if i, known := s.places[number]; known {
		return i
	}
	return -1
}

// Snapshot returns s as it is now. Its interfaces stay as they are, and are those
// of the snapshot before if no more packets were lost.
func (s *Stats) Snapshot() Stats {
	s.shared = true
	now := *s
	now.places, now.shared = nil, false
	return now
}

// Plus returns s with t's counts added.
func (s *Stats) Plus(t Stats) Stats {
	sum := *s
	sum.places, sum.shared = nil, true
	sum.Add(t)
	return sum.Snapshot()
}

// Add adds t's counts to s.
func (s *Stats) Add(t Stats) {
	s.AddRecords(&t)
	for i := range t.PerInterface {
		from := &t.PerInterface[i]
		s.Lose(from.Number, from.Lost)
		if from.Name != "" && from.Lost > 0 {
			s.PerInterface[s.place(from.Number)].Name = from.Name
		}
	}
}

// AddRecords adds t's counts to s, but for what was lost.
func (s *Stats) AddRecords(t *Stats) {
	s.Records += t.Records
	s.Skipped += t.Skipped
	s.Cut += t.Cut
	s.Clamped += t.Clamped
	s.Bytes += t.Bytes
}

// TimeText returns a time in nanoseconds since the Unix epoch as text (RFC 3339).
func TimeText(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z")
}

// Mapping is a file in the memory of the process. It is released when it is no
// longer referenced.
type Mapping interface {
	// Guard calls use, which looks at packets' Data in the mapping, and returns an
	// error if the file has become shorter, or cannot be read: then what use has
	// seen, and the source has read, may be wrong, and use may have been cut short.
	// The source goes on with what the file still has.
	Guard(use func()) error
}
