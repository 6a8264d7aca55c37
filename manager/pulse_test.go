package manager

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/mib/smi"
)

// subagent is a Handler as snmpd shows it: while it is away it has no objects.
// asked is told of each Get that it is asked for then.
type subagent struct {
	smi.Handler
	away  atomic.Bool
	asked chan struct{}
	gets  atomic.Int64
}

func (s *subagent) Get(names []smi.OID, out []smi.VarBind) error {
	s.gets.Add(1)
	if !s.away.Load() {
		return s.Handler.Get(names, out)
	}
	for i := range names {
		out[i].SetName(names[i])
		out[i].Value.SetNone(smi.NoSuchObject)
	}
	select {
	case s.asked <- struct{}{}:
	default:
	}
	return nil
}

func (s *subagent) Next(ranges []smi.Range, out []smi.VarBind) error {
	if !s.away.Load() {
		return s.Handler.Next(ranges, out)
	}
	for i := range ranges {
		out[i].SetName(ranges[i].Start)
		out[i].Value.SetNone(smi.EndOfMibView)
	}
	return nil
}

func (s *subagent) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	return b.Fill(s.Next, out)
}

func (s *subagent) Test(vbs []smi.VarBind) (smi.Transaction, error) {
	if s.away.Load() {
		return nil, &smi.Error{Status: smi.NotWritable, Index: 1}
	}
	return s.Handler.Test(vbs)
}

// TestSubagentAway: what snmpd answers while the meter is away counts as silence,
// and the meter is known to be back soon, however long it was away: at the next
// attempt it could be an hour. What a meter refuses that is there is no silence.
func TestSubagentAway(t *testing.T) {
	front := &subagent{asked: make(chan struct{})}
	l := startLoop(t, "", 1000, func(h *mib.Handler) smi.Handler { front.Handler = h; return front })
	m, c := testMeter(l), l.dial()
	k := newKeeper(m, &Options{Log: slog.New(slog.DiscardHandler)})
	for _, try := range []func() error{
		func() error { _, err := c.Status(t.Context()); return err },
		func() error { return c.SetFloodMark(t.Context(), 90) },
	} {
		front.away.Store(true)
		err := try()
		if err == nil || errors.Is(err, client.ErrNoAnswer) {
			t.Fatalf("got %v, want that there is no such object", err)
		}
		back := make(chan struct{})
		go func() {
			k.knock(t.Context(), err, time.Hour)
			close(back)
		}()
		for range 2 { // the first look, and one later
			select {
			case <-front.asked:
			case <-time.After(time.Minute):
				t.Fatalf("after %v: the meter is not looked at", err)
			}
		}
		front.away.Store(false)
		select {
		case <-back:
		case <-time.After(time.Minute):
			t.Fatalf("after %v: the meter is not looked at again", err)
		}
	}
	refused := fmt.Errorf("m: %w", &client.Error{Status: smi.NotWritable})
	before := front.gets.Load()
	k.knock(t.Context(), refused, 3*client.PulseEvery/2)
	if n := front.gets.Load() - before; n != 1 {
		t.Errorf("a meter that is there, and refuses a Set, is asked %d times, want once", n)
	}
}
