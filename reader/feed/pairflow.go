package feed

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/traces/feed"
)

// tally counts packets and octets, forward and backward.
type tally struct{ pdus, octets [2]int64 }

func (t *tally) add(p *feed.Packet, flipped bool) {
	d := 0
	if p.Backward != flipped {
		d = 1
	}
	t.pdus[d]++
	t.octets[d] += int64(p.Octets)
}

func (t *tally) remove(p *feed.Packet) {
	d := 0
	if p.Backward {
		d = 1
	}
	t.pdus[d]--
	t.octets[d] -= int64(p.Octets)
}

func (t *tally) count() int64 { return t.pdus[0] + t.pdus[1] }

// pairFlow is a flow of the one stream.
type pairFlow struct {
	feed.New
	hash   uint64 // of what it is
	key    string
	either string // it or, if that is less, the key from the other direction
	named  bool   // its NEW has come
	isTold bool   // and was told
	isGone bool   // its END was told
	// flipped says for which side the flow's source is its dest.
	flipped [2]bool
	open    [2]int  // meters of the side at which it has not ended
	ended   [2]bool // it has ended there, and was not seen there since
	held    int     // records that wait
	told    tally
	only    [2]tally // what was told of one side's records only
	// total is what the side's ENDs have counted, lack how much more that is than its
	// records, lackTold how many PACKETs did not come.
	total, lack [2]tally
	lackTold    [2]int64
	begun, last int64 // times of packets that were told
	reason      feed.Reason
	quiet       int64 // when something of it has come last
	isEnding    bool  // it is in flowsOfPair.ending
}

// pairedFlow is a flow of one meter that has not ended there.
type pairedFlow struct {
	flow     *pairFlow
	flipped  bool // its source is the other's dest
	received tally
}

// flowsOfPair is the flows that have not ended.
type flowsOfPair struct {
	byKey  map[string]*pairFlow
	byID   map[uint64]*pairFlow // as told
	ending []*pairFlow
	keys   int // octets of what flows are named by
	tries  int // identifiers that were tried for flows
	looked int64
	seed   maphash.Seed
	room   []byte
}

func newFlowsOfPair() flowsOfPair {
	return flowsOfPair{byKey: make(map[string]*pairFlow), byID: make(map[uint64]*pairFlow), seed: maphash.MakeSeed()}
}

// A flow that has ended at one meter waits so long for its end at the other one: as long
// as meters take to see that one is idle, or that TCP has ended it. One that is at no
// meter any longer waits for packets that are late.
const (
	endWait  = 15 * time.Second
	lateWait = time.Second
	endLook  = 100 * time.Millisecond // how often they are looked at
)

// identity appends what a flow is but for its identifier: as it is, or with source and
// dest in each other's place. It returns nil if that cannot be told.
func identity(b []byte, n *feed.New, flipped bool) []byte {
	b = append(append(b, n.Shape.Name...), 0)
	at := make([]int, len(n.Shape.Saved)+1)
	for i, s := range n.Shape.Saved {
		at[i+1] = at[i] + len(s.Mask)
	}
	if at[len(n.Shape.Saved)] != len(n.Key) {
		return nil
	}
	for i, s := range n.Shape.Saved {
		j := i
		if flipped {
			want := uint16(attr.Attr(s.Attribute).Reverse())
			if j = slices.IndexFunc(n.Shape.Saved, func(o feed.Saved) bool { return o.Attribute == want }); j < 0 {
				return nil
			}
		}
		from := &n.Shape.Saved[j]
		b = binary.BigEndian.AppendUint16(b, s.Attribute)
		b = append(append(b, uint8(len(from.Mask))), from.Mask...)
		b = append(b, n.Key[at[j]:at[j+1]]...)
	}
	return b
}

// flow returns a meter's flow of an identifier. If its NEW has not come it is that of the
// other meter, which has the same identifiers but for salted ones, or one without a name.
func (p *Pair) flow(h *paired, id uint64) *pairedFlow {
	l := h.flows[id]
	if l != nil && !l.flow.isGone {
		return l
	}
	if l != nil { // it has ended, but this meter does not know
		n := &l.flow.New
		if f := p.flows.byKey[l.flow.key]; l.flow.named && f != nil {
			l.flow = f
		} else {
			l.flow = p.flows.add(n, l.flow.key)
		}
		p.join(h, l.flow)
		return l
	}
	if !p.hasRoom(h) { // it is matched, and told, by its identifier alone
		return &pairedFlow{flow: &pairFlow{New: feed.New{Flow: id}, hash: maphash.Comparable(p.flows.seed, id)}}
	}
	f := p.flows.byID[id]
	for _, o := range p.heard {
		if of := o.flows[id]; f == nil && o.side != h.side && of != nil && !of.flow.isGone {
			f = of.flow
		}
	}
	if f == nil {
		f = p.flows.add(&feed.New{Flow: id}, "")
	}
	return p.link(h, id, f, f.flipped[h.side])
}

// hasRoom reports whether another flow of a meter may be kept. All meters that come from a
// place have the room of one, and flows that have ended are kept for a while.
func (p *Pair) hasRoom(h *paired) bool {
	return p.links[h.side] < p.MaxFlows && len(p.flows.byID) < 2*p.MaxFlows
}

// link has a meter's flow be this one.
func (p *Pair) link(h *paired, id uint64, f *pairFlow, flipped bool) *pairedFlow {
	l := &pairedFlow{flow: f, flipped: flipped}
	f.flipped[h.side] = flipped
	h.flows[id] = l
	p.links[h.side]++
	p.join(h, f)
	return l
}

func (p *Pair) join(h *paired, f *pairFlow) {
	f.open[h.side]++
	f.ended[h.side] = false
	f.quiet = p.now
}

// leave has a meter's flow be open there no longer.
func (p *Pair) leave(h *paired, id uint64, l *pairedFlow) {
	delete(h.flows, id)
	p.links[h.side]--
	f := l.flow
	if f.isGone {
		return
	}
	f.open[h.side]--
	f.quiet = p.now
	if !f.isEnding {
		f.isEnding = true
		p.flows.ending = append(p.flows.ending, f)
	}
}

// mostNext is how many identifiers behind one that another flow has are tried.
const mostNext = 8

// add adds a flow; its key is "" if it has no name yet.
func (x *flowsOfPair) add(n *feed.New, key string) *pairFlow {
	f := &pairFlow{New: *n, begun: math.MaxInt64, last: math.MinInt64}
	for try := 0; x.byID[f.Flow] != nil; try++ {
		x.tries++
		if f.Flow++; try >= mostNext { // somebody has chosen them
			f.Flow = maphash.Comparable(x.seed, [2]uint64{n.Flow, uint64(x.tries)})
		}
		f.Collisions += uint16(min(1, math.MaxUint16-f.Collisions))
	}
	x.byID[f.Flow] = f
	f.hash = maphash.Comparable(x.seed, n.Flow)
	if key != "" {
		x.name(f, n, key)
		f.hash = maphash.String(x.seed, f.either)
	}
	return f
}

// name gives a flow its name. What its packets are known by stays.
func (x *flowsOfPair) name(f *pairFlow, n *feed.New, key string) {
	f.Shape, f.First, f.Index, f.Key = n.Shape, n.First, n.Index, slices.Clone(n.Key)
	f.named, f.key, f.either = true, key, key
	if x.room = identity(x.room[:0], n, true); x.room != nil && string(x.room) < key {
		f.either = string(x.room)
	}
	x.byKey[key] = f
	x.keys += f.keyLen()
}

// keyLen returns the octets of what a flow is named by.
func (f *pairFlow) keyLen() int { return len(f.Key) + len(f.key) + len(f.either) }

// find returns the flow that n is of, and whether its source is the other's dest; nil
// and the key of a new one if there is none.
func (x *flowsOfPair) find(n *feed.New, side int) (f *pairFlow, key string, flipped bool) {
	x.room = identity(x.room[:0], n, false)
	if f := x.byKey[string(x.room)]; f != nil {
		return f, "", false
	}
	key = string(x.room)
	if x.room = identity(x.room[:0], n, true); x.room != nil {
		if f := x.byKey[string(x.room)]; f != nil && f.open[side] == 0 {
			return f, "", true
		}
	}
	return nil, key, false
}

// New implements Sink.
func (p *Pair) New(m *Meter, n *feed.New) error {
	h, err := p.meter(m)
	if err != nil {
		return err
	}
	p.begin(h, n)
	return check(m)
}

// begin links a meter's flow with the one it is of, and returns nil if there is no room.
func (p *Pair) begin(h *paired, n *feed.New) *pairedFlow {
	l := h.flows[n.Flow]
	if l != nil && l.flow.named && !l.flow.isGone {
		x := &p.flows
		x.room = identity(x.room[:0], n, l.flipped)
		if string(x.room) == l.flow.key {
			return l // it is told again
		}
	}
	if l == nil && !p.hasRoom(h) {
		return nil
	}
	f, key, flipped := p.flows.find(n, h.side)
	fits := p.flows.keys+len(n.Key)+2*len(key) <= 2*p.MaxFlows*keyRoom
	if f == nil && fits && key != "" && p.flows.byID[n.Flow] != nil && !p.flows.byID[n.Flow].named {
		f = p.flows.byID[n.Flow] // whose NEW was missing so far
		p.flows.name(f, n, key)
	}
	if l != nil && l.flow == f {
		return l
	}
	if l != nil {
		p.leave(h, n.Flow, l)
	}
	if f == nil && (!fits || !p.hasRoom(h)) {
		return nil
	}
	if f == nil {
		own := *n
		own.First = p.skew.correct(n.First, h.side)
		f = p.flows.add(&own, key)
	}
	return p.link(h, n.Flow, f, flipped)
}

// tellNew tells of the beginning of a flow, unless that was told or has not come.
func (p *Pair) tellNew(f *pairFlow) error {
	if f.isTold || !f.named {
		return nil
	}
	f.isTold = true
	return p.Sink.New(&p.out, &f.New)
}

// End implements Sink.
func (p *Pair) End(m *Meter, e *feed.End) error {
	h, err := p.meter(m)
	if err != nil {
		return err
	}
	l := h.flows[e.Flow]
	if l == nil {
		l = p.begin(h, &e.New) // NEW and all PACKETs are missing
	}
	if l == nil {
		return nil
	}
	f, s := l.flow, h.side
	if !f.isGone {
		told := l.received.pdus[0] + l.received.pdus[1]
		for d := range 2 {
			to := d
			if l.flipped {
				to = 1 - d
			}
			f.total[s].pdus[to] += int64(e.PDUs[d])
			f.total[s].octets[to] += int64(e.Octets[d])
			f.lack[s].pdus[to] += int64(e.PDUs[d]) - l.received.pdus[to]
			f.lack[s].octets[to] += int64(e.Octets[d]) - l.received.octets[to]
		}
		f.lackTold[s] += int64(e.Told) - told
		f.reason, f.ended[s] = e.Reason, true
	}
	p.leave(h, e.Flow, l)
	return nil
}

// endFlows ends the flows that have ended long enough ago.
func (p *Pair) endFlows() error {
	x := &p.flows
	if p.now-x.looked < int64(endLook) {
		return nil
	}
	x.looked = p.now
	left := x.ending[:0]
	for i, f := range x.ending {
		wait := int64(endWait)
		if f.open == [2]int{} {
			wait = int64(lateWait)
		}
		switch {
		case f.held == 0 && p.now-f.quiet >= wait && (f.open == [2]int{} || f.ended[0] || f.ended[1]):
			if err := p.finish(f); err != nil {
				x.ending = append(left, x.ending[i:]...)
				return err
			}
		case f.open[0] > 0 && f.open[1] > 0:
			f.isEnding = false
		default:
			left = append(left, f)
		}
	}
	clear(x.ending[len(left):])
	x.ending = left
	return nil
}

// finish tells END of a flow, if a meter has, and forgets it.
func (p *Pair) finish(f *pairFlow) error {
	f.isGone, f.isEnding = true, false
	delete(p.flows.byID, f.Flow)
	if !f.named {
		return nil
	}
	delete(p.flows.byKey, f.key)
	p.flows.keys -= f.keyLen()
	e := feed.End{New: f.New, Reason: f.reason, Begun: f.begun, Last: f.last}
	lacks := false
	for d := range 2 {
		var pdus, octets int64
		for side := range 2 {
			if n := missing(f.lack[side].pdus[d], f.only[1-side].pdus[d]); n > 0 {
				pdus += n
				octets += missing(f.lack[side].octets[d], f.only[1-side].octets[d])
			}
		}
		e.PDUs[d], e.Octets[d] = uint64(f.told.pdus[d]+pdus), uint64(f.told.octets[d]+octets)
		lacks = lacks || pdus > 0
	}
	if e.Told = e.PDUs[0] + e.PDUs[1]; p.first {
		e.Told = uint64(f.told.count() + missing(f.lackTold[0], f.only[1].count()) + missing(f.lackTold[1], f.only[0].count()))
		for d := range 2 {
			e.PDUs[d] = uint64(max(f.told.pdus[d], f.total[0].pdus[d], f.total[1].pdus[d]))
			e.Octets[d] = uint64(max(f.told.octets[d], f.total[0].octets[d], f.total[1].octets[d]))
		}
	}
	if !f.isTold && !lacks || f.reason == 0 {
		return nil // nothing of it was told, or no meter has told of its end
	}
	if f.told == (tally{}) {
		e.Begun, e.Last = f.First, f.First
	}
	if err := p.tellNew(f); err != nil {
		return err
	}
	return p.Sink.End(&p.out, &e)
}

// missing returns how much is missing of what a side lacks, if the other side's records
// that nobody else had are so many.
func missing(lack, others int64) int64 { return max(lack-max(others, 0), 0) }
