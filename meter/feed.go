package meter

import (
	"context"
	"io"
	"runtime"

	"rtfm/traces"
)

// Batches are read ahead in groups, so that it matters little what it costs to
// hand one over: the group being metered, one that waits, and one being read.
const (
	groups   = 3
	groupLen = 8
)

// feed returns a function that gives one batch after the other, valid until
// its next call, or nil when ctx is done, and one that ends the feed. A meter
// without a manager, whose tasks do not change, is fed by a goroutine that
// reads and decodes ahead; nothing that is seen depends on it.
func (m *Meter) feed(ctx context.Context, src traces.Source) (next func() *batch, stop func()) {
	in := m.newInput(src)
	if m.control != nil || runtime.GOMAXPROCS(0) == 1 {
		b := new(batch)
		var memos []*memo
		m.input = in
		return func() *batch {
			in.read(b)
			memos = m.memos(memos[:0])
			in.prepare(b, memos, m.streaming)
			return b
		}, func() {}
	}
	free := make(chan []*batch, groups)
	full := make(chan []*batch, groups)
	ended := make(chan struct{})
	for range groups {
		group := make([]*batch, groupLen)
		for i := range group {
			group[i] = new(batch)
		}
		free <- group
	}
	// What both goroutines read must not be beside what one of them writes.
	memos, streams := m.memos(nil), m.streaming
	for _, m := range memos {
		m.shared = true
	}
	go func() {
		defer close(ended)
		for group := range free {
			n, more := 0, true
			for more && n < groupLen {
				b := group[n]
				in.read(b)
				in.prepare(b, memos, streams)
				n++
				// Less than a whole batch: it may take time until there is more.
				more = len(b.seen) == batchLen
			}
			err := group[n-1].err
			full <- group[:n]
			if err == io.EOF {
				return
			}
		}
	}()
	var group []*batch
	given := 0
	next = func() *batch {
		if given == len(group) {
			if group != nil {
				free <- group[:groupLen]
			}
			select {
			case group = <-full:
			case <-ctx.Done():
				return nil
			}
			given = 0
		}
		given++
		return group[given-1]
	}
	return next, func() {
		close(free)
		select {
		case <-ended:
		case <-ctx.Done(): // src may have nothing to read, for ever
		}
	}
}
