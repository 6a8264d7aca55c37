package meter

import (
	"context"
	"io"
	"runtime"

	"rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/traces"
)

// batch is packets that are read and metered together.
type batch struct {
	traces.Batch
	packets []ruleset.Packet // decoded
	alike   [][]alike        // by task, what its memo knows the packets by
	source  traces.Stats     // of the source, when it was read
	err     error            // instead of packets
	kept    []byte           // of keep
}

// batchLen is the number of packets in a batch.
const batchLen = 256

func newBatch() *batch { return &batch{Batch: *traces.NewBatch(batchLen)} }

// read reads and decodes a batch.
func (b *batch) read(src traces.Source) {
	b.err = src.ReadBatch(&b.Batch)
	b.source = src.Stats()
	if b.err != nil {
		return
	}
	n := len(b.Packets)
	if cap(b.packets) < n {
		b.packets = make([]ruleset.Packet, n)
	}
	b.packets = b.packets[:n]
	for i := range b.packets {
		from, p := &b.Packets[i], &b.packets[i]
		packet.Decode(p, uint32(from.Link), from.Data, from.Wire)
		ifIndex := uint16(min(from.Interface, 0xffff))
		p.Key.SetInterface(ruleset.Source, ifIndex)
		p.Key.SetInterface(ruleset.Dest, ifIndex)
		p.Time = from.Time
	}
}

// Most octets of transport header and payload that streams look at: of TCP the
// header, of others a DHCP message with options (RFC 2131 section 2).
const (
	keepTCP  = 20
	keepMost = 8 + 576
	protoTCP = 6
)

// keep copies what streams look at, since packets' data is only valid until the
// source is read again.
func (b *batch) keep() {
	b.kept = b.kept[:0]
	for i := range b.packets {
		p := &b.packets[i]
		if p.Flags&ruleset.HasTransport == 0 {
			p.Data, p.Transport = nil, 0
			continue
		}
		data, most := p.Data[p.Transport:], keepMost
		if p.Key.TransType() == protoTCP {
			most = keepTCP
		}
		from := len(b.kept)
		b.kept = append(b.kept, data[:min(len(data), most)]...)
		p.Data, p.Transport = b.kept[from:], 0
	}
}

// recognise prepares what the tasks' memos are asked by.
func (b *batch) recognise(tasks []*task) {
	for len(b.alike) < len(tasks) {
		b.alike = append(b.alike, nil)
	}
	for i, t := range tasks {
		b.alike[i] = t.memo.recognise(b.packets, b.alike[i])
	}
}

// aheadBatches is how many batches are read ahead of the one being metered.
const aheadBatches = 4

// feed returns a function that gives one batch after the other, valid until
// its next call, or nil when ctx is done, and one that ends the feed. A meter
// without a manager, whose tasks do not change, is fed by a goroutine that
// reads and decodes ahead; nothing that is seen depends on it.
func (m *Meter) feed(ctx context.Context, src traces.Source) (next func() *batch, stop func()) {
	if m.control != nil || runtime.GOMAXPROCS(0) == 1 {
		b := newBatch()
		return func() *batch {
			b.read(src)
			b.recognise(m.tasks)
			return b
		}, func() {}
	}
	free := make(chan *batch, aheadBatches+1)
	full := make(chan *batch, aheadBatches+1)
	ended := make(chan struct{})
	for range cap(free) {
		free <- newBatch()
	}
	streams := m.streams != nil
	go func() {
		defer close(ended)
		for b := range free {
			b.read(src)
			if streams && b.err == nil {
				b.keep()
			}
			b.recognise(m.tasks)
			full <- b
			if b.err == io.EOF {
				return
			}
		}
	}()
	var last *batch
	next = func() *batch {
		if last != nil {
			free <- last
		}
		select {
		case last = <-full:
		case <-ctx.Done():
			last = nil
		}
		return last
	}
	return next, func() {
		close(free)
		select {
		case <-ended:
		case <-ctx.Done(): // src may have nothing to read, for ever
		}
	}
}
