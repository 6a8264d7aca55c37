package meter

import (
	"context"
	"io"
	"runtime"

	"rtfm/meter/packet"
	"rtfm/meter/stream"
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
	// What streams need of the packets, if digested is set, and the memory for
	// that: packets' data is valid until the source is read again.
	streamed []stream.Packet
	kept     []byte
	digested bool
}

// batchLen is the number of packets in a batch.
const batchLen = 256

func newBatch() *batch { return &batch{Batch: *traces.NewBatch(batchLen)} }

// read reads and decodes a batch.
func (b *batch) read(src traces.Source) {
	b.err = src.ReadBatch(&b.Batch)
	b.source = src.Stats()
	b.digested = false
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
	for i := range b.Records {
		setRecord(&b.packets[i], &b.Records[i])
	}
}

// digest prepares what streams need of the packets.
func (b *batch) digest() {
	if cap(b.streamed) < len(b.packets) {
		b.streamed = make([]stream.Packet, len(b.packets))
	}
	b.streamed, b.kept = b.streamed[:len(b.packets)], b.kept[:0]
	for i := range b.packets {
		b.kept = b.streamed[i].Set(&b.packets[i], b.kept)
	}
	b.digested = true
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
				b.digest()
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
