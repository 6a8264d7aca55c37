package nats

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rtfm/reader/export"
)

const (
	mostRows   = 512 << 10 // octets of rows in a message, before they are packed
	headerRoom = 512       // octets
	inFlight   = 4         // messages that are not acknowledged yet
)

// part is what a message will have.
type part struct {
	subject string
	rows    bytes.Buffer
}

// publishFlows sends the flows of a collection in parts of a ruleset each, and returns when
// the stream has them.
func (p *publisher) publishFlows(ctx context.Context, c *export.Collection) error {
	to := p.newFlight(ctx)
	most := min(mostRows, p.most-headerRoom)
	leads, parts := export.Leads{}, map[*export.Lead]*part{}
	var all []*part // in the order in which they came
	err := c.Rows(func(row []byte) error {
		lead, err := leads.Of(row)
		if err != nil {
			return export.Refuse(err)
		}
		at := parts[lead]
		if at == nil {
			at = &part{subject: flowsSubject + token(lead.Meter) + "." + token(lead.RuleSetName)}
			parts[lead], all = at, append(all, at)
		}
		if at.rows.Len() > 0 && at.rows.Len()+len(row)+1 > most {
			if err := to.sendPart(at); err != nil {
				return err
			}
		}
		at.rows.Write(row)
		return at.rows.WriteByte('\n')
	})
	for _, at := range all {
		if err == nil && at.rows.Len() > 0 {
			err = to.sendPart(at)
		}
	}
	return to.land(err)
}

// publishOwn sends the row of a collection.
func (p *publisher) publishOwn(ctx context.Context, row []byte) error {
	lead, err := export.LeadOfCollection(row)
	if err != nil {
		return export.Refuse(err)
	}
	to := p.newFlight(ctx)
	return to.land(to.send(collectionsSubject+token(lead.Meter), append(row, '\n')))
}

// token returns a name as a part of a subject: letters, digits, @ and - of it, and _ for
// whatever else.
func token(name string) string {
	t := []byte(name[:min(len(name), 100)])
	for i, c := range t {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '@' {
			t[i] = '_'
		}
	}
	if len(t) == 0 {
		return "_"
	}
	return string(t)
}

// flight is messages that were sent and not acknowledged yet.
type flight struct {
	p      *publisher
	ctx    context.Context // done at the first error
	cancel context.CancelCauseFunc
	slots  chan struct{}
	out    sync.WaitGroup
}

func (p *publisher) newFlight(ctx context.Context) *flight {
	f := &flight{p: p, slots: make(chan struct{}, inFlight)}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	return f
}

func (f *flight) sendPart(at *part) error {
	err := f.send(at.subject, at.rows.Bytes())
	at.rows.Reset()
	return err
}

// send sends some rows, and returns before they are acknowledged. An error may be that of
// others.
func (f *flight) send(subject string, rows []byte) error {
	p, id := f.p, sha256.Sum256(rows)
	m := &nats.Msg{Subject: subject, Header: nats.Header{"Content-Type": {"application/x-ndjson"}}}
	if p.compressor != nil {
		m.Header.Set("Content-Encoding", "zstd")
		m.Data = p.compressor.EncodeAll(rows, nil)
	} else {
		m.Data = bytes.Clone(rows)
	}
	if size := len(m.Data) + headerRoom; size > p.most {
		return export.Refuse(fmt.Errorf("a message of %d octets, one row of which has more than others: %s takes %d (max_payload, and the stream's max_msg_size)", size, p.conn.ConnectedAddr(), p.most))
	}
	select {
	case f.slots <- struct{}{}:
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
	f.out.Go(func() {
		defer func() { <-f.slots }()
		if err := f.await(m, hex.EncodeToString(id[:16])); err != nil {
			f.cancel(err)
		}
	})
	return nil
}

// await sends a message and waits until the stream has it.
func (f *flight) await(m *nats.Msg, id string) error {
	ctx, cancel := context.WithTimeoutCause(f.ctx, f.p.timeout, errSlow)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := f.p.js.PublishMsg(ctx, m, jetstream.WithMsgID(id), jetstream.WithExpectStream(f.p.stream))
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil && context.Cause(ctx) == errSlow {
			err = fmt.Errorf("%s has not acknowledged a message in %v", f.p.conn.ConnectedAddr(), f.p.timeout)
		}
		if err != nil {
			return f.p.outcome(ctx, err)
		}
		return nil
	case denied := <-f.p.denied:
		cancel()
		<-done
		return export.Refuse(denied)
	}
}

var errSlow = errors.New("no acknowledgement")

// land waits until all was acknowledged, unless there was an error.
func (f *flight) land(err error) error {
	if err != nil {
		f.cancel(err)
	}
	f.out.Wait()
	err = context.Cause(f.ctx)
	f.cancel(nil)
	return err
}
