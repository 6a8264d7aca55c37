package reader

import (
	"fmt"
	"io"
	"os"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
)

// recalled is how many octets of a flow data file, beside its latest collection,
// are read to learn what flows had counted.
const recalled = 64 << 20

// recall learns from the flow data file what flows had counted, of collections
// that a process before has made of the meter's present run. When it has the
// latest of them, then flows that began later have never been read.
func (k *Collector) recall() {
	if k.known == nil || !k.differs {
		return
	}
	d := k.newDeltas()
	complete, err := k.known.recall(d)
	if err != nil {
		k.cfg.Warn(fmt.Errorf("what flows had counted cannot be read, so their differences are null once: %w", err))
	}
	if complete {
		k.deltas, k.alone = d, k.known.To
	}
}

// recall puts what flows had counted into d. It returns false if the latest
// collection is not in the file, or there is no room in d.
func (s *State) recall(d *record.Deltas) (complete bool, err error) {
	from := max(s.Run, min(s.Last, s.Size-recalled))
	if s.path == "" || from >= s.Size {
		return false, nil
	}
	file, err := os.Open(s.path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	to, err := flowfile.Recall(io.NewSectionReader(file, from, s.Size-from), func(f *flowfile.Recalled) bool {
		return d.Recall(f.RuleSet, f.Index, f.FirstTime, &f.Counters)
	})
	return err == nil && to > 0 && to == s.To, err
}
