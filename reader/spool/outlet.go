package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Outlet is where one place has come to in a spool.
type Outlet struct {
	spool *Spool
	name  string
	state outletState
}

// outletState is what the outlet's file tells.
type outletState struct {
	// To is where the segments go, as people write it.
	To string `json:"to"`
	// Next is the number of the segment that is sent next.
	Next uint64 `json:"next"`
	// Stopped is why that segment was refused for good, empty if it was not.
	Stopped string `json:"stopped,omitempty"`
}

// OutletStatus is what is to be told of an outlet.
type OutletStatus struct {
	Name, To string
	// Waiting segments, with so many octets together, were not sent yet.
	Waiting int
	Octets  int64
	Stopped string // why the first of them was refused, empty if it was not
	Next    uint64
}

func readOutlet(s *Spool, name string) (*Outlet, error) {
	o := &Outlet{spool: s, name: name}
	text, err := os.ReadFile(o.path())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &o.state); err != nil {
		return nil, fmt.Errorf("%s: %w", o.path(), err)
	}
	return o, nil
}

func (o *Outlet) path() string { return o.spool.path(o.name + outletSuffix) }

// Outlet returns the outlet of this name, for segments that go to a place. A new one
// begins with the next segment.
func (s *Spool) Outlet(name, to string) (*Outlet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outlets[name]
	if o == nil {
		o = &Outlet{spool: s, name: name, state: outletState{Next: s.next}}
	}
	if o.state.To != to || s.outlets[name] == nil {
		o.state.To = to
		if err := o.write(); err != nil {
			return nil, err
		}
		s.outlets[name] = o
	}
	return o, nil
}

// Keep removes the outlets with other names than these: nothing goes there any more.
func (s *Spool) Keep(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, o := range s.outlets {
		if slices.Contains(names, name) {
			continue
		}
		if err := os.Remove(o.path()); err != nil {
			return err
		}
		delete(s.outlets, name)
	}
	return s.tidy()
}

func (o *Outlet) write() error {
	text, err := json.Marshal(o.state)
	if err != nil {
		return err
	}
	return replaceFile(o.path(), append(text, '\n'))
}

// Next returns the segment to be sent next, or the gap in its place. It waits for one
// until ctx is done.
func (o *Outlet) Next(ctx context.Context) (*Segment, *Gap, error) {
	s := o.spool
	for {
		s.mu.Lock()
		seg, gap := o.next()
		changed := s.changed
		s.mu.Unlock()
		if seg != nil || gap != nil {
			return seg, gap, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

func (o *Outlet) next() (*Segment, *Gap) {
	s := o.spool
	for _, g := range s.gaps {
		if o.state.Next >= g.First && o.state.Next <= g.Last {
			return nil, &Gap{o.state.Next, g.Last}
		}
	}
	for _, seg := range s.segments {
		if seg.Number >= o.state.Next {
			return seg, nil
		}
	}
	return nil, nil
}

// Done notes that everything to this number was sent.
func (o *Outlet) Done(number uint64) error {
	s := o.spool
	s.mu.Lock()
	defer s.mu.Unlock()
	o.state.Next, o.state.Stopped = number+1, ""
	if err := o.write(); err != nil {
		return err
	}
	err := s.tidy()
	s.tell()
	return err
}

// Stop notes why the next segment was refused.
func (o *Outlet) Stop(why string) error {
	o.spool.mu.Lock()
	defer o.spool.mu.Unlock()
	if o.state.Stopped == why {
		return nil
	}
	o.state.Stopped = why
	return o.write()
}

// Skip passes over the next segment, which was refused: a person's decision.
func (o *Outlet) Skip() error {
	o.spool.mu.Lock()
	seg, gap := o.next()
	o.spool.mu.Unlock()
	switch {
	case seg != nil:
		return o.Done(seg.Number)
	case gap != nil:
		return o.Done(gap.Last)
	}
	return errors.New("nothing waits to be sent")
}

// Waiting returns how many segments were not sent yet.
func (o *Outlet) Waiting() int {
	o.spool.mu.Lock()
	defer o.spool.mu.Unlock()
	return o.status().Waiting
}

func (o *Outlet) status() OutletStatus {
	st := OutletStatus{Name: o.name, To: o.state.To, Stopped: o.state.Stopped, Next: o.state.Next}
	for _, seg := range o.spool.segments {
		if seg.Number >= o.state.Next {
			st.Waiting++
			st.Octets += seg.Size
		}
	}
	return st
}
