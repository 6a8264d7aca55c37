package meter

import (
	"slices"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/meter/packet"
	"rtfm/meter/stream"
	"rtfm/traces"
)

// batchLen is the most packets in a batch.
const batchLen = 256

// batch is packets that are metered together.
type batch struct {
	file     string
	until    int64           // as traces.Batch has it
	source   traces.Stats    // of the source, when it was read
	err      error           // instead of packets
	seen     []seen          // of each packet, what is counted whatever the rulesets
	known    []known         // by memo, what it knew of the packets when they were read
	odd      []odd           // packets that not every memo knows
	records  []traces.Record // what the packets stand for, if for anything
	streamed stream.Packets  // what streams need of the packets, of these forms
	digested stream.Forms
	filtered int      // how many of the packets do not pass the filter
	tcp      []uint8  // flags of the packets, if there is a feed
	digests  []uint32 // of the packets, if the feed has them
	// interfaces are those of the packets, if a series asks for them, and mixed is set
	// if they are not all the same.
	interfaces []uint32
	mixed      bool
}

// known is what a memo knows of the packets of a batch.
type known struct {
	sights  []uint64   // the packets' sights, one after the other
	asked   bool       // it was asked for them
	results [][]result // by task, what it remembered of them, if it was asked
}

// seen is what is counted of a packet.
type seen struct {
	time   int64
	octets uint32 // as Config.IPOctets says
	link   uint16
	flags  match.PacketFlags
	found  packet.Opening // of envelopes
}

// odd is a packet that not every memo knows.
type odd struct {
	number int // in the batch
	packet match.Packet
}

// input decodes packets that were read from a source.
type input struct {
	ipOctets bool // see Config
	tunnels  packet.TunnelKinds
	depth    int
	raw      traces.Batch
	packet   match.Packet   // room for the one at hand
	found    packet.Opening // of its envelopes
	usual    packet.Usual   // or for this of it
	screen   *screen        // nil if all packets are metered
	series   bool           // batches are to have interfaces
	fed      bool           // there is a feed
	digests  bool           // which has digests
	look     bool           // rulesets see what packets carry in tunnels
	inner    match.Packet   // room for that
}

func (m *Meter) newInput() *input {
	return &input{
		ipOctets: m.cfg.IPOctets, tunnels: m.cfg.Tunnels, depth: max(m.cfg.TunnelDepth, 1),
		raw: *traces.NewBatch(batchLen), screen: m.newScreen(), series: m.cfg.Series.Interval > 0,
		fed: m.tap != nil, digests: m.tap != nil && m.tap.feed.Digests(),
	}
}

// read reads packets from the source into b.
func (in *input) read(b *batch, src traces.Source) {
	b.err = src.ReadBatch(&in.raw)
	b.source = src.Stats()
	b.file, b.until = in.raw.File, in.raw.Until
}

// prepare decodes the packets that were read last into b, for the tasks of these
// memos, and for streams of these forms.
func (in *input) prepare(b *batch, memos []*memo, streams stream.Forms) {
	b.seen, b.odd, b.digested, b.filtered = b.seen[:0], b.odd[:0], 0, 0
	if b.err != nil {
		return
	}
	b.records = append(b.records[:0], in.raw.Records...)
	n := len(in.raw.Packets)
	if in.series {
		in.takeInterfaces(b)
	}
	b.seen = room(b.seen, n)
	if in.fed {
		b.tcp = room(b.tcp, n)
	}
	if in.digests {
		b.digests = room(b.digests, n)
	}
	b.known = room(b.known, len(memos))
	for i, m := range memos {
		b.known[i].sights = room(b.known[i].sights, n*m.view.sightLen())
		b.known[i].asked = false
	}
	if streams != 0 {
		b.streamed.Reset(n, streams)
		b.digested = streams
	}
	simple := len(in.raw.Records) == 0 && (in.screen == nil || in.screen.view.tuple)
	in.look = in.screen != nil && in.screen.view.tunnel
	for _, m := range memos {
		simple = simple && m.view.tuple
		in.look = in.look || m.view.tunnel
	}
	p := &in.packet
	for i := range in.raw.Packets {
		if simple && in.prepareUsual(b, i, memos, streams) {
			continue
		}
		in.decode(i)
		b.seen[i] = in.seen(i)
		if in.fed {
			b.tcp[i] = packet.TCPFlags(p)
		}
		if in.digests {
			b.digests[i] = packet.Digest(p)
		}
		if in.screen != nil && !in.screen.passes(p) {
			b.leaveOut(i, memos)
			continue
		}
		known := true
		for j, m := range memos {
			known = m.view.see(p, m.view.sight(b.known[j].sights, i)) && known
		}
		if !known {
			b.odd = append(b.odd, odd{i, *p})
		}
		if streams != 0 {
			b.streamed.Set(i, p)
		}
	}
}

// takeInterfaces sets the packets' interfaces.
func (in *input) takeInterfaces(b *batch) {
	b.interfaces, b.mixed = room(b.interfaces, len(in.raw.Packets)), false
	for i := range in.raw.Packets {
		n := in.raw.Packets[i].Interface
		b.interfaces[i] = n
		b.mixed = b.mixed || n != b.interfaces[0]
	}
}

// seen returns what is counted of packet i, which has been decoded.
func (in *input) seen(i int) seen {
	from, p := &in.raw.Packets[i], &in.packet
	s := seen{time: from.Time, octets: p.FrameOctets, link: uint16(from.Link), flags: p.Flags, found: in.found}
	if from.Outlier {
		s.flags |= match.Outlier
	}
	if in.ipOctets {
		s.octets = p.IPOctets
	}
	return s
}

// lookUp sets the results to what these memos remember of the packets that were
// prepared, but for memos that are strange: it makes those so that knew less
// than half of the packets.
func (b *batch) lookUp(memos []*memo, strange []bool) {
	if len(b.seen) == 0 {
		return
	}
	for i, m := range memos {
		if strange[i] {
			continue
		}
		k := &b.known[i]
		k.results = m.lookUp(k.sights, k.results)
		k.asked = true
		known := 0
		for _, r := range k.results[0] {
			if r != 0 {
				known++
			}
		}
		strange[i] = known < (len(b.seen)-b.filtered)/2
	}
}

// prepareUsual is prepare for packet i if it is one that rulesets see no more of
// than a packet.Usual has, else it returns false. The views must all be of tuples.
func (in *input) prepareUsual(b *batch, i int, memos []*memo, streams stream.Forms) bool {
	from, s, u := &in.raw.Packets[i], &b.seen[i], &in.usual
	if from.Link != traces.LinkEthernet || !u.Read(from.Data) || in.tunnels != 0 && u.MayBe(in.tunnels) {
		return false
	}
	s.time, s.link, s.flags, s.found = from.Time, uint16(from.Link), match.IsIP|match.HasTransport, packet.NoEnvelope
	if from.Outlier {
		s.flags |= match.Outlier
	}
	if in.fed {
		b.tcp[i] = u.TCPFlags(from.Data)
	}
	if in.digests {
		b.digests[i] = u.Digest(from.Data)
	}
	if s.octets = from.Wire; in.ipOctets {
		s.octets = u.IPOctets
	}
	source, dest := interfaces(from)
	u.Source.Trans |= attr.InterfaceNumber(source)
	u.Dest.Trans |= attr.InterfaceNumber(dest)
	if in.screen != nil && !in.screen.passesUsual(u) {
		b.leaveOut(i, memos)
		return true
	}
	for j, m := range memos {
		m.view.seeTuple(&u.Source, &u.Dest, u.PeerLen, packet.UsualAdjacentLen, (*tupleSight)(m.view.sight(b.known[j].sights, i)))
	}
	if streams != 0 {
		at, octets := u.Transport()
		b.streamed.SetEnds(i, &u.Source, &u.Dest, from.Data[at:], octets)
		if streams&stream.Details != 0 {
			ip := stream.IP{Family: u.Source.PeerType(), HopLimit: u.HopLimit, ID: u.IPID(from.Data), Octets: u.IPHeader()}
			b.streamed.SetDetail(i, ip, u.Source.TransType(), from.Data[at:], octets)
		}
	}
	return true
}

// room returns n elements, in the memory of s if that is enough.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// decode decodes the i-th of the packets that were read last.
func (in *input) decode(i int) {
	from, p := &in.raw.Packets[i], &in.packet
	packet.Decode(p, from.Link, from.Data, from.Wire)
	in.found = packet.NoEnvelope
	if in.tunnels != 0 && len(in.raw.Records) == 0 {
		in.found = in.tunnels.Decapsulate(p, in.depth)
	}
	if in.look {
		(in.tunnels | packet.PlainTunnels).Look(p, &in.inner, in.tunnels == 0)
	}
	p.Key.SetInterfaces(interfaces(from))
	p.Key.SetDuplicate(uint8(from.Duplicate))
	p.Time = from.Time
	if len(in.raw.Records) > 0 {
		setRecord(p, &in.raw.Records[i])
	}
}

// interfaces returns the interface numbers of a packet's source and dest.
func interfaces(p *traces.Packet) (source, dest uint16) {
	n := uint16(min(p.Interface, 0xffff))
	switch p.Direction {
	case traces.Incoming:
		return n, 0
	case traces.Outgoing:
		return 0, n
	}
	return n, n
}

// sights returns the sights, and no results, of the packets that were read last
// into b, for a task that was not there when they were prepared.
func (in *input) sights(b *batch, v *view) ([]uint64, []result) {
	sights := make([]uint64, len(b.seen)*v.sightLen())
	in.look = in.look || v.tunnel
	before := b.odd
	b.odd = nil
	for i := range b.seen {
		if b.seen[i].flags&match.Filtered != 0 {
			v.blank(v.sight(sights, i))
			continue
		}
		in.decode(i)
		known := v.see(&in.packet, v.sight(sights, i))
		if len(before) > 0 && before[0].number == i {
			known, before = false, before[1:]
		}
		if !known {
			b.odd = append(b.odd, odd{i, in.packet})
		}
	}
	return sights, make([]result, len(b.seen))
}

// digest prepares in b what streams of these forms need of the packets that were
// read last, if that was not done by prepare.
func (in *input) digest(b *batch, streams stream.Forms) {
	b.streamed.Reset(len(b.seen), streams)
	b.digested = streams
	for i := range in.raw.Packets {
		in.decode(i)
		b.streamed.Set(i, &in.packet)
	}
}

// oddPacket returns packet i, which some memo does not know.
func (b *batch) oddPacket(i int) *match.Packet {
	at, _ := slices.BinarySearchFunc(b.odd, i, func(o odd, i int) int { return o.number - i })
	return &b.odd[at].packet
}
