package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"rtfm/reader/export"
	"rtfm/reader/record"
)

const (
	mostBatch     = 1_000_000 // octets, a little less than brokers take if nobody says otherwise
	mostBuffered  = 16 << 20  // octets of rows that are not acknowledged yet
	batchRoom     = 200       // octets: what a batch has beside its only row, its key and the values of its headers
	recordRetries = 10        // by the producer itself, from 0.25 to 5 s apart
)

// Send implements export.Exporter. Batches that are too large for the topic are sent as
// smaller ones.
func (p *producer) Send(ctx context.Context, c *export.Collection) error {
	for {
		err := p.connected(ctx, func() error {
			if err := p.produceFlows(ctx, c); err != nil {
				return err
			}
			row, err := c.Row()
			if err != nil {
				return err
			}
			return p.produceOwn(ctx, row)
		})
		if !errors.Is(err, kerr.MessageTooLarge) && !errors.Is(err, kerr.RecordListTooLarge) {
			return err
		}
		largest, failed := largestRecord(c)
		if failed != nil {
			return failed
		}
		smaller := max(p.batch/4, largest+batchRoom)
		if smaller >= p.batch {
			return export.Refuse(fmt.Errorf("a row of %d octets: %w (the topic's max.message.bytes)", largest, err))
		}
		p.batch = smaller
	}
}

// largestRecord returns how many octets of a batch the largest row of a collection takes.
func largestRecord(c *export.Collection) (octets int, err error) {
	leads := export.Leads{}
	err = c.Rows(func(row []byte) error {
		lead, err := leads.Of(row)
		if err == nil {
			octets = max(octets, len(row)+len(lead.Meter)+len(lead.RuleSetName))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	row, err := c.Row()
	if err != nil {
		return 0, err
	}
	lead, err := export.LeadOfCollection(row)
	if err != nil {
		return 0, err
	}
	return max(octets, len(row)+len(lead.Meter)), nil
}

// produceFlows sends the flows of a collection and returns when they are acknowledged.
func (p *producer) produceFlows(ctx context.Context, c *export.Collection) error {
	to := p.newFlight(ctx)
	leads, headers := export.Leads{}, map[*export.Lead][]kgo.RecordHeader{}
	var meter []byte
	return to.land(c.Rows(func(row []byte) error {
		lead, err := leads.Of(row)
		if err != nil {
			return export.Refuse(err)
		}
		if headers[lead] == nil {
			meter = []byte(lead.Meter)
			headers[lead] = append(schemaHeader(), kgo.RecordHeader{Key: "RuleSetName", Value: []byte(lead.RuleSetName)})
		}
		return to.produce(&kgo.Record{Topic: p.flows, Key: meter, Value: bytes.Clone(row), Headers: headers[lead]})
	}))
}

// produceOwn sends the row of a collection.
func (p *producer) produceOwn(ctx context.Context, row []byte) error {
	lead, err := export.LeadOfCollection(row)
	if err != nil {
		return export.Refuse(err)
	}
	to := p.newFlight(ctx)
	return to.land(to.produce(&kgo.Record{Topic: p.collections, Key: []byte(lead.Meter), Value: row, Headers: schemaHeader()}))
}

func schemaHeader() []kgo.RecordHeader {
	return []kgo.RecordHeader{{Key: "Schema", Value: []byte(strconv.Itoa(record.Schema))}}
}

// flight is records that were sent and not acknowledged yet.
type flight struct {
	p       *producer
	ctx     context.Context // done at the first error, or if nothing is acknowledged for long
	cancel  context.CancelCauseFunc
	out     sync.WaitGroup
	overdue *time.Timer
}

func (p *producer) newFlight(ctx context.Context) *flight {
	f := &flight{p: p}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	f.overdue = time.AfterFunc(p.timeout, func() { f.cancel(p.slow(fmt.Errorf("nothing was acknowledged in %v", p.timeout))) })
	return f
}

// produce sends a record, and returns before it is acknowledged. An error may be that of
// others.
func (f *flight) produce(r *kgo.Record) error {
	if f.ctx.Err() != nil {
		return context.Cause(f.ctx)
	}
	f.out.Add(1)
	f.p.client.Produce(f.ctx, r, func(_ *kgo.Record, err error) {
		if err != nil {
			f.cancel(f.p.outcome(err))
		} else {
			f.overdue.Reset(f.p.timeout)
		}
		f.out.Done()
	})
	return nil
}

// land waits until all was acknowledged, unless there was an error: then the client is
// closed, for it would go on.
func (f *flight) land(err error) error {
	if err != nil {
		f.cancel(err)
	}
	acknowledged := make(chan struct{})
	go func() {
		f.out.Wait()
		close(acknowledged)
	}()
	select {
	case <-acknowledged:
	case <-f.ctx.Done():
		f.p.disconnect()
		<-acknowledged
	}
	f.overdue.Stop()
	err = context.Cause(f.ctx)
	f.cancel(nil)
	return err
}
