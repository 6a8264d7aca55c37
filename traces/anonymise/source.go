package anonymise

import (
	"fmt"

	"rtfm/traces"
)

// Source returns a Source of src's packets, rewritten by r, which must be used for
// nothing else. Headers that stand for flow records are rewritten, too; what else the
// records tell stays. Of packets in a file that becomes shorter there is an error instead.
// Closing the source closes src.
func Source(src traces.Source, r *Rewriter) traces.Source { return &rewritten{Source: src, r: r} }

type rewritten struct {
	traces.Source
	r *Rewriter
}

// ReadBatch implements traces.Source.
func (s *rewritten) ReadBatch(b *traces.Batch) error {
	if err := s.Source.ReadBatch(b); err != nil {
		return err
	}
	s.r.Reset()
	rewrite := func() {
		for i := range b.Packets {
			s.r.Rewrite(&b.Packets[i])
		}
	}
	in := b.Mapping
	b.Mapping = nil // nothing lies there any more
	if in == nil {
		rewrite()
		return nil
	}
	if err := in.Guard(rewrite); err != nil {
		err = fmt.Errorf("%s: %d packets are not counted: %w", b.File, len(b.Packets), err)
		b.Packets = b.Packets[:0]
		return err
	}
	return nil
}
