package schedule

import (
	"fmt"

	"rtfm/traces"
)

// Select returns a Source of those of src's packets that s selects; others are counted as
// not sampled, and nothing but their times is looked at, unless FlowIDs are asked for. Of
// packets in a file that becomes shorter there is an error then instead. src must have no
// flow records. Closing the source closes src.
//
// If src is live, whoever reads learns of the time of packets that are left out.
func Select(src traces.Source, s *Selector, live bool) traces.Source { return &selected{src, s, live} }

type selected struct {
	traces.Source
	s    *Selector
	live bool
}

// ReadBatch implements traces.Source.
func (f *selected) ReadBatch(b *traces.Batch) error {
	for {
		if err := f.Source.ReadBatch(b); err != nil {
			return err
		}
		if err := f.choose(b); err != nil || len(b.Packets) > 0 || b.Until != 0 {
			return err
		}
	}
}

// choose leaves those packets in b that are selected.
func (f *selected) choose(b *traces.Batch) error {
	n := 0
	choose := func() {
		for i := range b.Packets {
			if !f.s.Take(&b.Packets[i]) {
				continue
			}
			if n != i {
				b.Packets[n] = b.Packets[i]
			}
			n++
		}
	}
	if f.s.flowID == nil || b.Mapping == nil {
		choose()
	} else if err := b.Mapping.Guard(choose); err != nil {
		err = fmt.Errorf("%s: %d packets are not counted: %w", b.File, len(b.Packets), err)
		b.Packets = b.Packets[:0]
		return err
	}
	if n == 0 && f.live && len(b.Packets) > 0 {
		b.Until = b.Packets[len(b.Packets)-1].Time
	}
	b.Packets = b.Packets[:n]
	return nil
}

// Stats implements traces.Source.
func (f *selected) Stats() traces.Stats {
	st := f.Source.Stats()
	st.NotSampled = f.s.counts.NotSampled
	return st
}

// Describe implements traces.Describer.
func (f *selected) Describe() (d traces.Description) {
	if src, ok := f.Source.(traces.Describer); ok {
		d = src.Describe()
	}
	return d
}
