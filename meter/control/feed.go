package control

import (
	"io"
	"sync"
	"time"

	"rtfm/meter/export"
	"rtfm/meter/feed"
	"rtfm/mib"
)

// FeedConfig is how feeds are opened. Managers say which.
type FeedConfig struct {
	// First is the feed that there is before managers set another.
	First mib.Feed
	// Open says what is told, and where it goes.
	Open func(mib.Feed) (feed.Config, export.Config, error)
	// Paced says that packets come by the machine's clock, although they are not live.
	Paced bool
}

// feeds is the feed that a meter has, and those that it had.
type feeds struct {
	is     mib.Feed
	to     *export.Exporter // nil without one
	ended  *feed.Tap        // of the feed that there was when metering ended
	opened int64
	err    error // why there is none
	// leaving has flows of another feed end, before this one is begun, at latest by a
	// time whatever the queue has room for.
	leaving bool
	leaveBy time.Time
	past    export.Counts  // of the others
	ending  sync.WaitGroup // feeds that still send what waits
	mu      sync.Mutex
	lost    error // why one of the others has not sent all; under mu
}

// settleFeed has the meter's feed be what managers ask for.
func (c *Meter) settleFeed() {
	f := &c.feeds
	if !c.running || c.control.Feed == f.is {
		return
	}
	f.is, f.err = c.control.Feed, nil
	f.leaving, f.leaveBy = f.to != nil, time.Now().Add(leaveWithin)
	c.turnFeed()
}

// Of a feed that is to be another one the flows of leaveRows rows are ended at a time, as
// the queue has room for it, for so long.
const (
	leaveRows   = 1 << 11
	leaveWithin = 10 * time.Second
)

// turnFeed ends the feed that there is, of a live meter a part at a time, and then begins
// the one that is asked for.
func (c *Meter) turnFeed() {
	f := &c.feeds
	if f.leaving {
		if c.cfg.Live && f.to.IsFull() && time.Now().Before(f.leaveBy) {
			return
		}
		if c.cfg.Live && !c.meter.EndFeedPart(leaveRows) {
			c.spent += clearSpent
			return
		}
		f.leaving = false
		c.endFeed()
	}
	c.beginFeed()
}

// beginFeed begins the feed that is asked for, if one is.
func (c *Meter) beginFeed() {
	f := &c.feeds
	if f.is.URL == "" || c.cfg.Feed.Open == nil {
		return
	}
	told, to, err := c.cfg.Feed.Open(f.is)
	if err != nil {
		f.err = err
		return
	}
	f.to, f.opened = export.New(to), c.wall()
	told.Anew, told.Remember = f.to.Anew, f.to.Remember
	told.Index = func(number int) int { return int(c.indexes[number]) }
	c.meter.SetFeed(feed.New(told, c.meter.Table(), f.to.Send, f.to.Dropped))
	if c.cfg.Live || c.cfg.Feed.Paced {
		go c.flushFeed(f.to, max(told.Delay, time.Millisecond))
	}
}

// endFeed ends the feed that there is. What waits is sent meanwhile.
func (c *Meter) endFeed() {
	f := &c.feeds
	to := f.to
	if to == nil {
		return
	}
	c.meter.EndFeed()
	c.meter.SetFeed(nil)
	f.to = nil
	f.ending.Go(func() {
		err := to.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.past.Add(to.Counts())
		if err != nil {
			f.lost = err
		}
	})
}

// flushFeed has what waits be sent, so often, while the feed goes there: as long as no
// packets come nobody else does.
func (c *Meter) flushFeed(to *export.Exporter, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for more := true; more; {
		select {
		case <-t.C:
			c.Do(func() {
				if more = c.feeds.to == to; more {
					c.meter.FlushFeed()
				}
			})
		case <-to.Ending():
			return
		}
	}
}

// roomForFeed waits, while others may have the meter, until a feed that is not to lose
// anything has room.
func (c *Meter) roomForFeed() {
	if to := c.feeds.to; to != nil {
		c.release()
		to.Room()
		c.acquire()
	}
}

// endFeeds ends the feed that there is, and waits until all feeds have sent what waits,
// while others may have the meter.
func (c *Meter) endFeeds() error {
	c.running = false
	c.feeds.leaving = false
	c.feeds.ended = c.meter.Feed()
	if to := c.feeds.to; to != nil {
		to.Finish()
	}
	c.endFeed()
	c.release()
	c.feeds.ending.Wait()
	c.acquire()
	return c.feeds.lost
}

// FeedCounts returns what has become of the messages of all feeds.
func (c *Meter) FeedCounts() export.Counts {
	f := &c.feeds
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.past
	if f.to != nil {
		n.Add(f.to.Counts())
	}
	return n
}

// FeedFile has a feed that goes into a file go on in this one.
func (c *Meter) FeedFile(file io.Writer) {
	c.Do(func() {
		if c.feeds.to != nil {
			c.feeds.to.Into(file)
		}
	})
}

// FeedStatus implements mib.Meter.
func (c *Meter) FeedStatus() mib.FeedStatus {
	n, f := c.FeedCounts(), &c.feeds
	s := mib.FeedStatus{
		State: mib.FeedOff, Messages: n.Messages, Records: n.Records,
		DroppedMessages: n.DroppedMessages, DroppedRecords: n.DroppedRecords,
	}
	switch {
	case f.err != nil:
		s.State, s.Error = mib.FeedFailed, mib.FeedText(f.err.Error())
	case f.to == nil:
	default:
		s.State, s.Error, s.Opened = mib.FeedOpening, mib.FeedText(f.to.Trouble()), f.opened
		if f.to.Open() && !f.leaving {
			s.State = mib.FeedOpen
		}
		s.Flows = c.meter.Feed().Flows()
	}
	return s
}

// tap returns the feed's: after metering that of the last one, since flows can be looked
// for still.
func (c *Meter) tap() *feed.Tap {
	if c.running {
		return c.meter.Feed()
	}
	return c.feeds.ended
}

// NextFeedFlow implements mib.Meter.
func (c *Meter) NextFeedFlow(id uint64) mib.FlowPlace {
	for tap := c.tap(); tap != nil; tap = c.tap() {
		next, row := tap.Next(id)
		if row == 0 {
			return mib.FlowPlace{}
		}
		c.spent += idSpent
		if s := c.slots[c.meter.Table().Owner(row)]; s != nil && !s.doomed {
			return mib.FlowPlace{ID: next, RuleSet: s.index, Row: row, FirstTime: c.meter.Table().FirstTime(row)}
		}
		if id = next + 1; id == 0 {
			return mib.FlowPlace{}
		}
		c.Spend(idSpent)
	}
	return mib.FlowPlace{}
}
