package feature

import "rtfm/reader/feed"

// meter is what is known of one.
type meter struct {
	*feed.Meter
	flows map[uint64]*Flow
	now   int64 // the latest time that it has told: at it packets count
	// Flows without a row wait in the slot of the tick at which they may be idle.
	// Packets do not move them: who is not idle by then waits on.
	slots [slots][]waiting
	tick  int64 // the latest one at which slots were looked at
}

type waiting struct {
	f      *Flow
	serial uint32
}

// Slots are as many as ticks that a flow can wait, or more: a power of two.
const (
	tick  = 1e8 // nanoseconds
	slots = 16
)

// await has a flow wait until it may be idle.
func (m *meter) await(f *Flow) {
	due := max((f.last+idle+tick-1)/tick, m.tick+1)
	slot := &m.slots[due&(slots-1)]
	*slot = append(*slot, waiting{f, f.serial})
}

// advance moves a meter's time on, and has rows of the flows that are idle.
func (t *Table) advance(m *meter, now int64) error {
	if now <= m.now {
		return nil
	}
	if m.now == 0 {
		m.tick = now / tick
	}
	m.now = now
	at := now / tick
	if at <= m.tick {
		return nil
	}
	from := m.tick + 1
	m.tick = at
	for i := range min(at-from+1, slots) {
		slot := &m.slots[(from+i)&(slots-1)]
		all := *slot
		*slot = nil
		for _, w := range all {
			if w.serial != w.f.serial || w.f.told {
				continue
			}
			if now-w.f.last < idle {
				m.await(w.f)
			} else if err := t.tell(m, w.f, Idle); err != nil {
				return err
			}
		}
		if len(*slot) == 0 {
			*slot = all[:0]
		}
	}
	return nil
}
