package survey

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"rtfm/traces"
)

// Info is what a trace holds, as NewInfo finds out.
type Info struct {
	traces.Description
	traces.Stats
	// Packets is the number of packets read, Octets that of their octets on the
	// wire without frame check sequences, Captured that of the octets captured.
	Packets  uint64 `json:"packets"`
	Octets   uint64 `json:"octets"`
	Captured uint64 `json:"captured"`
	// FCS is the number of octets of frame check sequences in addition.
	FCS uint64 `json:"fcs"`
	// Longest is the most octets that were captured of a packet.
	Longest int `json:"longest"`
	// First and Last are the earliest and the latest time of a packet, in
	// nanoseconds since the Unix epoch; 0 if there are no packets.
	First int64 `json:"first_ns"`
	Last  int64 `json:"last_ns"`
	// Early is the number of packets whose time was earlier than that of one
	// before them, EarlyMost by how much at most.
	Early     uint64        `json:"early"`
	EarlyMost time.Duration `json:"early_most_ns"`
	// Gaps is the number of times that the next packet was later than all before
	// it by at least the gap asked for. LongestGap is the longest of them, GapAt
	// when that one began.
	Gaps       uint64        `json:"gaps"`
	LongestGap time.Duration `json:"longest_gap_ns"`
	GapAt      int64         `json:"longest_gap_at_ns"`
	// Traffic is what came from each interface by each link type, in order of
	// the interfaces' numbers.
	Traffic []Traffic `json:"traffic"`
	// Exports describes the export datagrams that the packets hold; nil if these
	// were not looked for.
	Exports Exports `json:"exports,omitempty"`
	// Damage is what ended reading, nil if that was the end of the trace.
	Damage error `json:"-"`
}

// Traffic counts the packets of one link type from an interface.
type Traffic struct {
	traces.Interface
	Packets  uint64 `json:"packets"`
	Octets   uint64 `json:"octets"`
	Captured uint64 `json:"captured"`
}

// maxTraffic bounds how many interfaces and link types are told apart. What is
// found beyond counts as the last one.
const maxTraffic = 1 << 16

// NewInfo reads src to its end, or until ctx is done, and describes it. A gap
// is where a packet is later than all before it by gap or more. What the trace
// says about itself is known if src is a Describer.
func NewInfo(ctx context.Context, src traces.Source, gap time.Duration) *Info {
	info := &Info{Traffic: []Traffic{}} // an array in JSON too
	s := making{info: info, gap: gap, rows: make(map[trafficKey]int)}
	var b traces.Batch
	for info.Damage == nil {
		if info.Damage = ctx.Err(); info.Damage != nil {
			break
		}
		err := src.ReadBatch(&b)
		if errors.Is(err, io.EOF) {
			break
		}
		info.Damage = err
		for i := range b.Packets {
			s.packet(&b.Packets[i])
		}
	}
	info.Stats = src.Stats()
	if d, ok := src.(traces.Describer); ok {
		info.Description = d.Describe()
	}
	s.describe()
	return info
}

// making is an Info in the making.
type making struct {
	info *Info
	gap  time.Duration
	rows map[trafficKey]int // where in Traffic each is counted
	last trafficKey         // that of the packet before
	row  int                // and where it was
}

// trafficKey is what traffic is told apart by.
type trafficKey struct {
	number uint32
	link   traces.LinkType
}

func (s *making) packet(p *traces.Packet) {
	info := s.info
	if info.Packets == 0 {
		info.First, info.Last = p.Time, p.Time
	}
	later := time.Duration(p.Time - info.Last)
	switch {
	case later < 0:
		info.Early++
		info.EarlyMost = max(info.EarlyMost, -later)
		info.First = min(info.First, p.Time)
	case later > info.LongestGap:
		info.LongestGap, info.GapAt = later, info.Last
		fallthrough
	default:
		if later >= s.gap && info.Packets > 0 {
			info.Gaps++
		}
		info.Last = p.Time
	}
	info.Longest = max(info.Longest, len(p.Data))
	info.Packets++
	info.Octets += uint64(p.Wire)
	info.Captured += uint64(len(p.Data))
	info.FCS += uint64(p.FCS)

	if k := (trafficKey{p.Interface, p.Link}); k != s.last || info.Packets == 1 {
		s.last, s.row = k, s.at(k)
	}
	t := &info.Traffic[s.row]
	t.Packets++
	t.Octets += uint64(p.Wire)
	t.Captured += uint64(len(p.Data))
}

// at returns where in Traffic k is counted.
func (s *making) at(k trafficKey) int {
	i, ok := s.rows[k]
	switch {
	case ok:
		return i
	case len(s.rows) == maxTraffic:
		return maxTraffic - 1
	}
	s.rows[k] = len(s.info.Traffic)
	s.info.Traffic = append(s.info.Traffic, Traffic{Interface: traces.Interface{Number: k.number, Link: k.link}})
	return s.rows[k]
}

// describe gives the interfaces what the trace tells of them, and those without
// packets their rows.
func (s *making) describe() {
	info := s.info
	for _, f := range info.Interfaces {
		i := s.at(trafficKey{f.Number, f.Link})
		if t := &info.Traffic[i]; t.Number == f.Number && t.Link == f.Link {
			t.Interface = f
		}
	}
	slices.SortStableFunc(info.Traffic, func(a, b Traffic) int { return cmp.Compare(a.Number, b.Number) })
}

// Exports is what a trace's export datagrams hold, as package netflow tells it.
type Exports interface {
	// Lines calls line with each line of a report: what it is about, and the text.
	Lines(line func(what, format string, args ...any))
}
