package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// Gap is segments that were dropped because the spool was full.
type Gap struct {
	First, Last uint64 // their numbers
	// About is what is to be told in their place (Config.About), empty if that is not
	// known.
	About json.RawMessage `json:",omitempty"`
	// Told is set once an outlet was given the gap, which stays as it is from then on:
	// what is told again is the same.
	Told bool `json:",omitempty"`
}

const gapsName = "gaps.json"

func (s *Spool) readGaps() error {
	text, err := os.ReadFile(s.path(gapsName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &s.gaps); err != nil {
		return fmt.Errorf("%s: %w", s.path(gapsName), err)
	}
	for _, g := range s.gaps {
		s.next = max(s.next, g.Last+1)
	}
	return nil
}

// settleGaps removes segments that were being dropped when a process has ended.
func (s *Spool) settleGaps() error {
	if len(s.gaps) == 0 || s.lock == nil {
		return nil
	}
	last := s.gaps[len(s.gaps)-1].Last
	for len(s.segments) > 0 && s.segments[0].Number <= last {
		if err := s.remove(s.segments[0]); err != nil {
			return err
		}
	}
	return nil
}

// drop drops the oldest segment that not all outlets have passed. What cannot be read of
// it is not told.
func (s *Spool) drop() error {
	seg := s.segments[0]
	gap := Gap{First: seg.Number, Last: seg.Number}
	joined := false
	if n := len(s.gaps); n > 0 && s.joins(&s.gaps[n-1], seg.Number) {
		if about, ok := s.about(s.gaps[n-1].About, seg); ok {
			gap.First, gap.About, joined = s.gaps[n-1].First, about, true
			s.gaps[n-1] = gap
		}
	}
	if !joined {
		gap.About, _ = s.about(nil, seg)
		s.gaps = append(s.gaps, gap)
	}
	s.dropped++
	if err := s.writeGaps(); err != nil {
		return err
	}
	return s.remove(seg)
}

// joins reports whether a segment may be told of together with a gap: it is the next one,
// and each outlet gets both or neither, also if what it is sending now arrives.
func (s *Spool) joins(g *Gap, number uint64) bool {
	if g.Told || g.Last+1 != number || s.cfg.About != nil && g.About == nil {
		return false
	}
	for _, o := range s.outlets {
		if number == o.state.Next || number == o.state.Next+1 || number == o.state.Until+1 {
			return false
		}
	}
	return true
}

// about returns what is to be told of a segment and what was told before; false if these
// are to be told apart.
func (s *Spool) about(before json.RawMessage, seg *Segment) (json.RawMessage, bool) {
	if s.cfg.About == nil {
		return nil, true
	}
	about, err := s.cfg.About(before, seg)
	return about, err == nil && about != nil
}

func (s *Spool) writeGaps() error {
	if len(s.gaps) == 0 {
		return os.Remove(s.path(gapsName))
	}
	text, err := json.Marshal(s.gaps)
	if err != nil {
		return err
	}
	return replaceFile(s.path(gapsName), text)
}

// told notes that an outlet is given a gap.
func (s *Spool) told(first uint64) error {
	for i := range s.gaps {
		if g := &s.gaps[i]; first >= g.First && first <= g.Last && !g.Told {
			g.Told = true
			return s.writeGaps()
		}
	}
	return nil
}
