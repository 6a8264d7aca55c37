package traces

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// What makes the time of a packet an outlier.
const (
	// OutlierAhead is how far it must be ahead of the packets after it, in
	// nanoseconds.
	OutlierAhead = 3600e9
	// OutlierBehind is the number of packets that must follow it.
	OutlierBehind = 100
	// OutlierRun is the most packets in a row that may be outliers, and the most
	// among the packets after one that may be further outliers.
	OutlierRun = 10
)

// Outliers returns a Source that finds packets of src whose time is wrong: one
// such packet would take all that follow it to its time, since a meter's clock
// never goes back. A packet is an outlier if it is more than an hour later than
// the one before it, or is the first, and more than an hour ahead of
// OutlierBehind packets after it. These must be in order, except that up to
// OutlierRun more may be ahead of them. A gap after which packets stay ahead
// makes no outlier.
//
// An outlier gets the time of the packet before it; the first packet gets that
// of the first one after it. Outliers are counted, and notify is called with a
// message about the first of each file. To see what follows a packet that comes
// after more than an hour, or first, up to some 200 packets are read and kept.
// The result depends on the packets alone, not on how they are batched. Closing
// the source closes src.
func Outliers(src Source, notify func(message string)) Source {
	return &outliers{Source: src, notify: notify}
}

type outliers struct {
	Source
	notify func(message string)
	count  uint64
	latest int64 // the latest time of a packet that was given
	any    bool  // there was one
	file   string
	number uint64      // packets of file before the batch at hand
	told   bool        // of file
	ahead  []readAhead // what has been read and not given
	now    Stats       // of src when what was given last was read
	votes  []int64     // room for times
}

// readAhead is what one ReadBatch of the source has returned.
type readAhead struct {
	batch Batch
	err   error
	stats Stats
}

// ReadBatch implements Source.
func (o *outliers) ReadBatch(b *Batch) error {
	if len(o.ahead) > 0 {
		next := o.ahead[0]
		o.ahead = slices.Delete(o.ahead, 0, 1)
		o.now = next.stats
		next.batch.MayMap = b.MayMap
		*b = next.batch
		if next.err != nil {
			return next.err
		}
	} else {
		err := o.Source.ReadBatch(b)
		o.now = o.Source.Stats()
		if err != nil {
			return err
		}
	}
	if b.File != o.file {
		o.file, o.number, o.told = b.File, 0, false
	}
	for i := o.plausible(b, 0); i < len(b.Packets); i = o.plausible(b, i+1) {
		o.decide(b, i)
	}
	o.number += uint64(len(b.Packets))
	return nil
}

// plausible returns the next packet of b, from packet i on, whose time may be an
// outlier, or how many packets there are.
func (o *outliers) plausible(b *Batch, i int) int {
	latest := o.latest
	limit := later(latest, OutlierAhead)
	if !o.any {
		limit = -1
	}
	for i < len(b.Packets) {
		p := &b.Packets[i]
		p.Outlier = false // the memory may be that of a packet before
		if p.Time > limit {
			break
		}
		if p.Time > latest {
			latest, limit = p.Time, later(p.Time, OutlierAhead)
		}
		i++
	}
	o.latest = latest
	return i
}

// later returns t + d, or the latest time there is.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// decide finds out whether packet i of b is an outlier, and sets its time if so.
func (o *outliers) decide(b *Batch, i int) {
	p := &b.Packets[i]
	if behind, outlier := o.isOutlier(b, i); outlier {
		if !o.any {
			o.latest = behind
		}
		o.count++
		o.tell(p.Time, i)
		p.Time, p.Outlier = o.latest, true
	}
	o.any, o.latest = true, max(o.latest, p.Time)
}

// tell tells of an outlier, packet i of the batch at hand.
func (o *outliers) tell(t int64, i int) {
	if o.told || o.notify == nil {
		return
	}
	o.told = true
	o.notify(fmt.Sprintf("%s: packet %d is of %s, more than an hour ahead of those behind it: it counts at %s, as such packets do",
		o.file, o.number+uint64(i)+1, TimeText(t), TimeText(o.latest)))
}

// isOutlier reports whether packet i of b is an outlier, and the time of the
// first of the packets after it.
//
// A packet that is more than an hour later than one after it is not in order with that: it is
// passed over. What is left of the packets after the one in question shows whether
// it is: OutlierBehind of them must be more than an hour before it, or as many not.
func (o *outliers) isOutlier(b *Batch, i int) (first int64, outlier bool) {
	t := b.Packets[i].Time
	if t < OutlierAhead {
		return 0, false
	}
	left, low, passed := append(o.votes[:0], t), 0, 0
	defer func() { o.votes = left }()
	for next := (following{o, b, i + 1, -1}); ; {
		u, more := next.time()
		if !more {
			return 0, false
		}
		for len(left) > 0 && left[len(left)-1]-OutlierAhead > u {
			if left[len(left)-1] < t-OutlierAhead {
				low--
			}
			left = left[:len(left)-1]
			if passed++; passed > OutlierRun {
				return 0, false
			}
		}
		left = append(left, u)
		if u < t-OutlierAhead {
			low++
		}
		switch {
		case low == OutlierBehind:
			return left[0], true
		case len(left)-low > OutlierBehind:
			return 0, false
		}
	}
}

// following goes through the times of packets, from packet i of a batch on and
// then of those that are read ahead.
type following struct {
	o     *outliers
	batch *Batch
	i     int
	ahead int // the place of the batch among those that are read ahead, -1 for the one at hand
}

// time returns the next time, false if there is none.
func (f *following) time() (t int64, more bool) {
	for f.i == len(f.packets()) {
		if f.ahead >= 0 && f.o.ahead[f.ahead].err == io.EOF {
			return 0, false
		}
		f.ahead++
		f.i = 0
		if f.ahead == len(f.o.ahead) {
			if f.ahead == 0 {
				f.batch.keep()
			}
			f.o.readOne(f.batch)
		}
	}
	f.i++
	return f.packets()[f.i-1].Time, true
}

// packets returns those of the batch where f is.
func (f *following) packets() []Packet {
	if f.ahead < 0 {
		return f.batch.Packets
	}
	return f.o.ahead[f.ahead].batch.Packets
}

// readOne reads a batch such as b ahead.
func (o *outliers) readOne(b *Batch) {
	next := readAhead{batch: *NewBatch(cap(b.Packets))}
	next.batch.MayMap = b.MayMap
	next.err = o.Source.ReadBatch(&next.batch)
	next.stats = o.Source.Stats()
	if next.err != nil {
		next.batch.Packets = next.batch.Packets[:0]
	}
	next.batch.keep()
	o.ahead = append(o.ahead, next)
}

// keep has the packets' data stay valid when more is read.
func (b *Batch) keep() {
	if b.Mapping != nil {
		return // they are, as long as that is referred to
	}
	size := 0
	for i := range b.Packets {
		size += len(b.Packets[i].Data)
	}
	data := make([]byte, 0, size)
	for i := range b.Packets {
		p := &b.Packets[i]
		from := len(data)
		data = append(data, p.Data...)
		p.Data = data[from:len(data):len(data)]
	}
}

// Stats implements Source.
func (o *outliers) Stats() Stats {
	s := o.now
	s.Outliers = o.count
	return s
}
