package cmd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"rtfm/mib/client"
	"rtfm/reader"
)

// pairReading collects the flows of two meters that see the same packets, and takes each
// interval from one of them.
type pairReading struct {
	halves [2]*pairHalf
	out    reader.Output
	log    *slog.Logger
	round  int // of collections, from 1
	taken  int // the half that was taken last
	to     int // the round that was, 0 before the first
	end    int64
}

// pairHalf is one of the two. It is the reader.Output of its own collections, and keeps
// the latest.
type pairHalf struct {
	reading
	name         string
	kept         held
	states       []reader.State // to be remembered
	last, before int            // the rounds of its latest collection, and of that before
	end, from    int64          // when these ended, by the meter's clock
	err          error
}

// Append implements reader.Output. Each collection has a header: what was before may be of
// the other meter.
func (h *pairHalf) Append(write func(w io.Writer, fresh bool) error) error {
	return write(&h.kept, true)
}

// Remember implements reader.Output.
func (h *pairHalf) Remember(s *reader.State) error {
	h.states = append(h.states, *s)
	return nil
}

// checkPair finds what does not fit a pair.
func (o *readerOptions) checkPair(args []string) error {
	switch {
	case !o.pair:
		return nil
	case len(args) < 2 || len(args) > 3:
		return errors.New("--pair wants the HOSTs of two meters, and a COMMUNITY if any")
	case o.isView() || o.trace:
		return errors.New("--pair is for collections: not for --once, --watch and -C")
	}
	return nil
}

// runPair collects the flows of two meters until ctx is done, and once more then.
func (o *readerOptions) runPair(ctx context.Context, args []string, r *reading, known *reader.State, warn io.Writer) error {
	p := &pairReading{out: r.out, log: r.log}
	for i, host := range args[:2] {
		config, err := o.snmp.config(append([]string{host}, args[2:]...), warn)
		if err != nil {
			return err
		}
		h := &pairHalf{reading: reading{options: o, log: r.log.With("meter", host)}, name: host}
		if h.client, err = client.Dial(ctx, config); err != nil {
			return err
		}
		defer h.client.Close()
		h.collector = reader.New(o.config(host, h.log), h, known)
		p.halves[i] = h
	}
	defer finishing(ctx)()
	for {
		p.collect(ctx)
		select {
		case <-time.After(time.Until(reader.Next(time.Now(), seconds(o.interval)))):
			continue
		case <-ctx.Done():
		}
		const grace = 30 * time.Second
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		return p.collect(last)
	}
}

// collect makes a collection of both meters, and takes one.
func (p *pairReading) collect(ctx context.Context) error {
	p.round++
	var both sync.WaitGroup
	for _, h := range p.halves {
		h.kept.close()
		h.states, h.result = nil, nil
		both.Go(func() {
			if h.err = h.collectOnce(ctx); h.err == nil && h.result.Summary != nil {
				h.before, h.last = h.last, p.round
				h.from, h.end = h.end, h.states[len(h.states)-1].ToNs
			}
		})
	}
	both.Wait()
	this, other := p.halves[p.taken], p.halves[1-p.taken]
	if other.fault(p) < this.fault(p) {
		this, other = other, this
		p.taken = 1 - p.taken
	}
	if this.fault(p) == nothing {
		err := errors.Join(this.err, other.err)
		if err != nil && ctx.Err() == nil {
			p.log.Error("no collection", "error", err)
		}
		return err
	}
	if this.fault(p) != none || other.fault(p) != none {
		p.log.Warn("one meter's interval is taken", append([]any{"meter", this.name, "it", this.tell(p), "the other", other.tell(p)}, this.seam(p)...)...)
	}
	p.to, p.end = p.round, this.end
	return p.take(this)
}

// take writes the collection of a half.
func (p *pairReading) take(h *pairHalf) error {
	last := len(h.states) - 1
	for i := range last {
		if err := p.out.Remember(&h.states[i]); err != nil {
			return err
		}
	}
	err := p.out.Append(func(w io.Writer, _ bool) error {
		_, err := io.Copy(w, h.kept.reader())
		return err
	})
	if err != nil {
		p.log.Error("no collection", "error", err)
		return err
	}
	return p.out.Remember(&h.states[last])
}
