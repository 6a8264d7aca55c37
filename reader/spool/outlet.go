package spool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// Outlet is where one place has come to in a spool.
type Outlet struct {
	spool *Spool
	name  string
	state outletState
	// damage is why it is not known what was sent; then all that is there is sent again.
	damage error
}

// outletState is what the outlet's file tells.
type outletState struct {
	// To is where the segments go, as people write it.
	To string `json:"to"`
	// Next is the number of the segment that is sent next.
	Next uint64 `json:"next"`
	// Until is the last segment that it gets, 0 if there is none: nothing goes there any
	// more but what waited.
	Until uint64 `json:"until,omitempty"`
	// Stopped is why that segment was refused for good, empty if it was not.
	Stopped string `json:"stopped,omitempty"`
}

// OutletStatus is what is to be told of an outlet.
type OutletStatus struct {
	Name, To string
	// Waiting segments, with so many octets together, were not sent yet.
	Waiting int
	Octets  int64
	// Oldest is when the first of them was made.
	Oldest time.Time
	// Gaps is how many segments were dropped before they could be sent, of which the
	// place was not told.
	Gaps    uint64
	Stopped string // why the first of them was refused, empty if it was not
	Next    uint64
	Damage  error // see Outlet.Damage
}

func readOutlet(s *Spool, name string) (*Outlet, error) {
	o := &Outlet{spool: s, name: name}
	text, err := os.ReadFile(o.path())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &o.state); err != nil {
		o.state, o.damage = outletState{}, fmt.Errorf("%s: damaged, so that all that is in the spool is sent again: %w", o.path(), err)
	} else if o.state.Next == 0 {
		o.damage = fmt.Errorf("%s: damaged, so that all that is in the spool is sent again: it has no next segment", o.path())
	}
	return o, nil
}

// Damage tells why it was not known what was sent when the spool was opened, nil if it
// was.
func (o *Outlet) Damage() error { return o.damage }

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
	if o.state.To != to || o.state.Until != 0 || s.outlets[name] == nil {
		o.state.To, o.state.Until = to, 0
		if err := o.write(); err != nil {
			return nil, err
		}
		s.outlets[name] = o
	}
	return o, nil
}

// Keep has no more segments go to the outlets with other names than these. It returns
// those for which some wait, which are still to be sent there, in order of name; the
// others are removed.
func (s *Spool) Keep(names ...string) (left []*Outlet, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.outlets)) {
		o := s.outlets[name]
		if slices.Contains(names, name) {
			continue
		}
		if seg, gap := o.next(); seg == nil && gap == nil {
			if err := s.forget(o); err != nil {
				return nil, err
			}
			continue
		}
		if left = append(left, o); o.state.Until == 0 {
			o.state.Until = s.next - 1
			if err := o.write(); err != nil {
				return nil, err
			}
		}
	}
	return left, s.tidy()
}

// Forget removes the outlet of this name, and with it what waits for no other.
func (s *Spool) Forget(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outlets[name]
	if o == nil {
		return fmt.Errorf("%s: there is no outlet %s", s.folder, name)
	}
	if err := s.forget(o); err != nil {
		return err
	}
	return s.tidy()
}

func (s *Spool) forget(o *Outlet) error {
	delete(s.outlets, o.name)
	return os.Remove(o.path())
}

// All returns the outlets, in order of name.
func (s *Spool) All() (all []*Outlet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.outlets)) {
		all = append(all, s.outlets[name])
	}
	return all
}

// Name returns the outlet's name, To where its segments go.
func (o *Outlet) Name() string { return o.name }

// To returns where the outlet's segments go.
func (o *Outlet) To() string { return o.state.To }

// gets reports whether a segment, or a part of a gap, is for the outlet and was not sent.
func (o *Outlet) gets(number uint64) bool {
	return number >= o.state.Next && (o.state.Until == 0 || number <= o.state.Until)
}

func (o *Outlet) write() error {
	text, err := json.Marshal(o.state)
	if err != nil {
		return err
	}
	return replaceFile(o.path(), append(text, '\n'))
}

// Next returns the segment to be sent next, or the gap in its place, which is the same
// until it is Done. It waits for one until ctx is done.
func (o *Outlet) Next(ctx context.Context) (*Segment, *Gap, error) {
	s := o.spool
	for {
		s.mu.Lock()
		seg, gap := o.next()
		changed := s.changed
		var err error
		if gap != nil {
			err = s.told(gap.First)
		}
		s.mu.Unlock()
		if err != nil {
			return nil, nil, err
		}
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
		if o.state.Next >= g.First && o.state.Next <= g.Last && o.gets(o.state.Next) {
			g.First = o.state.Next
			return nil, &g
		}
	}
	for _, seg := range s.segments {
		if o.gets(seg.Number) {
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
		// On a full disk there is room once segments go that all have, also those of which
		// that is not noted: nobody looks for a segment that is gone.
		if err := errors.Join(s.tidy(), o.write()); err != nil {
			return err
		}
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

// Stopped returns why the next segment was refused, empty if it was not.
func (o *Outlet) Stopped() string {
	o.spool.mu.Lock()
	defer o.spool.mu.Unlock()
	return o.state.Stopped
}

// Waiting returns how many segments were not sent yet.
func (o *Outlet) Waiting() int {
	o.spool.mu.Lock()
	defer o.spool.mu.Unlock()
	return o.status().Waiting
}

func (o *Outlet) status() OutletStatus {
	st := OutletStatus{Name: o.name, To: o.state.To, Stopped: o.state.Stopped, Next: o.state.Next, Damage: o.damage}
	for _, seg := range o.spool.segments {
		if o.gets(seg.Number) {
			if st.Waiting++; st.Waiting == 1 {
				st.Oldest = seg.Sealed
			}
			st.Octets += seg.Size
		}
	}
	for _, g := range o.spool.gaps {
		if g.Last >= o.state.Next && o.gets(o.state.Next) {
			st.Gaps += g.Last - max(g.First, o.state.Next) + 1
		}
	}
	return st
}
