package cmd

import (
	"context"
	"io"
	"time"

	"rtfm/traces"
)

// paced gives the packets of a trace as they came: each when as much time has
// passed since the first as between their time stamps.
type paced struct {
	traces.Source
	ctx   context.Context
	batch traces.Batch    // read from Source
	rest  []traces.Packet // of batch, not yet given
	began time.Time       // when the first packet was given
	first int64           // its time
}

// ReadBatch implements traces.Source.
func (p *paced) ReadBatch(b *traces.Batch) error {
	if len(p.rest) == 0 {
		if err := p.Source.ReadBatch(&p.batch); err != nil {
			return err
		}
		p.rest = p.batch.Packets
	}
	if p.began.IsZero() {
		p.began, p.first = time.Now(), p.rest[0].Time
	}
	due := func(i int) time.Duration {
		return time.Duration(p.rest[i].Time-p.first) - time.Since(p.began)
	}
	if wait := due(0); wait > 0 {
		select {
		case <-time.After(wait):
		case <-p.ctx.Done():
			return io.EOF // what was not due yet has not been seen
		}
	}
	n := 1
	for n < len(p.rest) && due(n) <= 0 {
		n++
	}
	b.File = p.batch.File
	b.Packets, b.Records = append(b.Packets[:0], p.rest[:n]...), b.Records[:0]
	if given := len(p.batch.Packets) - len(p.rest); len(p.batch.Records) > 0 {
		b.Records = append(b.Records, p.batch.Records[given:given+n]...)
	}
	p.rest = p.rest[n:]
	return nil
}
