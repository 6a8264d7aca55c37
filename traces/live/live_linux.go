package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

const (
	// holdBack is how long after it was found ready a block's packets wait for
	// earlier ones that may be on their way to other rings.
	holdBack = 2*retireAfter*time.Millisecond + 5*time.Millisecond
	// patience is how long they wait at most for those that are in another ring,
	// in a block that the kernel is late to hand over.
	patience = time.Second
	// tendEvery is how often interfaces are looked after, losses asked for,
	// and the longest wait for packets.
	tendEvery = 100 * time.Millisecond
)

// source is a traces.Source of packets of one or more interfaces.
type source struct {
	ctx        context.Context
	config     Config
	file       string
	control    int // a socket, to ask of interfaces
	interfaces []*captured
	polled     []unix.PollFd
	stats      traces.Stats
	tendAt     time.Time
	told       time.Time // when ReadBatch returned last
	quiet      time.Time // when no ring had packets
	stop       time.Time // when ctx was found done
	ending     bool      // each ring has a budget
	closed     bool
	clockAt    time.Time // when the system's clock is looked at next
}

// captured is an interface and its rings.
type captured struct {
	device
	rings []*ring
	state string // as Notify was told
	stats int    // its place in Stats.PerInterface
}

// Open begins to capture at the interfaces. Its process needs CAP_NET_RAW, but
// not after that: an interface that vanishes and returns is captured again
// without, unless it has several rings.
//
// The source ends, with io.EOF, when ctx is done and what was captured until
// then has been read. It tells Batch.Until, and its ReadBatch returns an empty
// batch when no packets come for a tenth of a second.
func Open(ctx context.Context, c Config) (traces.Source, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket to control interfaces: %w", err)
	}
	s := &source{ctx: ctx, config: c, control: control, file: strings.Join(c.Interfaces, ","), quiet: time.Now()}
	for _, name := range c.Interfaces {
		i := &captured{device: device{name: name}, stats: -1}
		s.interfaces = append(s.interfaces, i)
		if err := s.open(i); err != nil {
			s.Close()
			return nil, err
		}
	}
	s.lookAtClock(time.Now())
	return s, nil
}

// open makes the interface's rings and begins to capture.
func (s *source) open(i *captured) error {
	if err := s.makeRings(i); err != nil {
		i.close()
		return fmt.Errorf("capture at %s: %w", i.name, err)
	}
	s.begun(i)
	return nil
}

// set takes d for the device that has the interface's name now.
func (i *captured) set(d device) {
	d.stamped = i.stamped // by all that had the name
	i.device = d
}

func (s *source) makeRings(i *captured) error {
	d := s.all()
	if i.name != All {
		var err error
		if d, err = lookUp(s.control, i.name); err != nil {
			return err
		}
	}
	i.set(d)
	if s.config.CardStamps && d.all == nil {
		s.stampByCard(i.name)
	}
	group := newGroup
	for range s.config.Rings {
		r, err := openRing(&s.config, &i.device)
		if err != nil {
			return err
		}
		i.rings = append(i.rings, r)
		if err := r.bind(&s.config, &i.device); err != nil {
			return err
		}
		if s.config.Rings > 1 {
			if group, err = r.join(group); err != nil {
				return err
			}
		}
	}
	// Only now, since before they share them all rings get all packets.
	for _, r := range i.rings {
		if err := r.accept(s.config.SnapLen); err != nil {
			return err
		}
	}
	return nil
}

// begun notes that the interface is captured, with the number it has now.
func (s *source) begun(i *captured) {
	i.port = i.all == nil && isPort(i.index)
	number := uint32(i.index)
	if i.all != nil {
		number = allNumber
	}
	i.stats = s.place(number, i.name)
	if !i.loopback && i.all == nil {
		s.warnOffloads(i.rings[0].fd, i.name)
	}
}

// place returns the place of the interface with this number in Stats.PerInterface.
func (s *source) place(number uint32, name string) int {
	place := slices.IndexFunc(s.stats.PerInterface, func(st traces.InterfaceStats) bool { return st.Number == number })
	if place < 0 {
		place = len(s.stats.PerInterface)
		s.stats.PerInterface = append(slices.Clone(s.stats.PerInterface), traces.InterfaceStats{Number: number, Name: name})
	}
	return place
}

// warnOffloads tells of what an interface has on that falsifies counts.
func (s *source) warnOffloads(fd int, name string) {
	if on := offloadsOf(fd, name); len(on) > 0 {
		s.notify("%s: %s on: several packets may be counted as one; see ethtool -K", name, strings.Join(on, ", "))
	}
}

func (s *source) notify(format string, args ...any) {
	if s.config.Notify != nil {
		s.config.Notify(fmt.Sprintf(format, args...))
	}
}

// ReadBatch implements traces.Source.
func (s *source) ReadBatch(b *traces.Batch) error {
	if s.closed {
		return errors.New("read from interfaces that are closed")
	}
	if cap(b.Packets) == 0 {
		*b = *traces.NewBatch(256)
	}
	b.Packets, b.Records, b.File, b.Until, b.Mapping = b.Packets[:0], b.Records[:0], s.file, 0, nil
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			r.giveBack()
		}
	}
	for {
		now := time.Now()
		if now.After(s.tendAt) {
			if err := s.tend(now); err != nil {
				return err
			}
		}
		if !s.stop.IsZero() && !s.ending && now.After(s.stop.Add(holdBack)) {
			s.end(now)
		}
		wait := s.merge(b, now)
		switch {
		case len(b.Packets) > 0:
			s.told = now
			return nil
		case s.over(now):
			s.tend(now) // the last losses
			return io.EOF
		case now.Sub(s.told) > s.idle():
			s.told = now
			b.Until = s.quiet.Add(-2 * holdBack).UnixNano()
			return nil
		}
		if err := s.wait(min(wait, s.idle())); err != nil {
			return err
		}
	}
}

// idle returns for how long nobody is told that there are no packets.
func (s *source) idle() time.Duration {
	if s.config.Idle > 0 {
		return min(s.config.Idle, tendEvery)
	}
	return tendEvery
}

// merge fills b with packets in the order of their times, as far as no ring can
// come with an earlier one. If there is none, it returns for how long at most
// there will not be any but in rings that have none ready now.
func (s *source) merge(b *traces.Batch, now time.Time) time.Duration {
	for len(b.Packets) < cap(b.Packets) {
		var first *ring
		var from *device
		until := int64(math.MaxInt64) // the others' earliest time
		empty, filling := false, false
		for _, i := range s.interfaces {
			for _, r := range i.rings {
				switch {
				case !r.look(now):
					empty = empty || r.budget != 0
					filling = filling || r.budget != 0 && r.filling()
				case first == nil:
					first, from = r, &i.device
				case r.cur.time() < first.cur.time():
					until = min(until, first.cur.time())
					first, from = r, &i.device
				default:
					until = min(until, r.cur.time())
				}
			}
		}
		if first == nil {
			if !filling {
				s.quiet = now
			}
			return tendEvery
		}
		if empty {
			wait := holdBack
			if filling && s.roomy() {
				wait = patience
			}
			if held := first.seen[first.head].Add(wait).Sub(now); held > 0 {
				return min(held, tendEvery)
			}
		}
		before := len(b.Packets)
		octets, cut := first.take(b, until, from)
		s.stats.Records += uint64(len(b.Packets) - before)
		s.stats.Bytes += octets
		s.stats.Cut += cut
	}
	return 0
}

// roomy reports whether packets may wait: no ring is more than half full.
func (s *source) roomy() bool {
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			if 2*(r.ready+r.done) > len(r.seen) {
				return false
			}
		}
	}
	return true
}

// end has the rings come to their ends, once all that came before ctx was done
// is in them.
func (s *source) end(now time.Time) {
	s.ending = true
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			r.end(now)
		}
	}
}

// over reports whether all rings have come to their ends.
func (s *source) over(now time.Time) bool {
	if !s.ending {
		return false
	}
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			if r.budget > 0 && now.Before(s.stop.Add(patience)) {
				return false // the kernel is late
			}
		}
	}
	return true
}

// wait waits until a ring that has nothing ready has, but not for longer than
// the given time.
func (s *source) wait(most time.Duration) error {
	s.polled = s.polled[:0]
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			if r.cur.left == 0 && r.budget != 0 {
				s.polled = append(s.polled, unix.PollFd{Fd: int32(r.fd), Events: unix.POLLIN})
			}
		}
	}
	_, err := unix.Poll(s.polled, int(most/time.Millisecond)+1)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("wait for packets: %w", err)
	}
	for _, p := range s.polled {
		if p.Revents&^unix.POLLIN != 0 {
			s.tendAt = time.Time{} // an interface has gone down or vanished
		}
	}
	return nil
}

// tend asks for losses and looks after interfaces that have vanished. It also
// notes that ctx is done.
func (s *source) tend(now time.Time) error {
	s.tendAt = now.Add(tendEvery)
	if s.stop.IsZero() && s.ctx.Err() != nil {
		s.stop = now
	}
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			n, err := r.dropped()
			if err != nil {
				return fmt.Errorf("%s: %w", i.name, err)
			}
			s.lose(i, n)
			// The error of an interface that is down; polling would return at
			// once until it is taken away.
			unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		}
		if !s.ending && i.all == nil {
			s.lookAfter(i)
		}
	}
	s.tellStamps()
	s.lookAtClock(now)
	return nil
}

// lose counts packets lost at an interface. Those who have got the counts
// before keep what they have.
func (s *source) lose(i *captured, n uint64) {
	if n == 0 {
		return
	}
	s.stats.Lost += n
	s.stats.PerInterface = slices.Clone(s.stats.PerInterface)
	s.stats.PerInterface[i.stats].Lost += n
}

// lookAfter tells of an interface that goes down or vanishes, and captures at
// it again when it has come back.
func (s *source) lookAfter(i *captured) {
	d, err := lookUp(s.control, i.name)
	if len(i.rings) > 0 && i.rings[0].isBound() {
		if err == nil && !d.up { // it may have been renamed
			s.tell(i, "is down")
		} else {
			s.tell(i, "")
		}
		return
	}
	if err != nil {
		s.tell(i, "is gone; its return is waited for")
		return
	}
	if len(i.rings) == 1 && d.link == i.link && d.loopback == i.loopback {
		if err = i.rings[0].bind(&s.config, &d); err == nil {
			i.set(d)
			s.begun(i)
		}
	} else {
		for _, r := range i.rings {
			if r.look(time.Now()) || r.filling() {
				return // later
			}
		}
		i.close()
		err = s.open(i)
	}
	if err != nil {
		s.tell(i, fmt.Sprintf("is back, but not captured: %v", err))
		return
	}
	s.tell(i, "")
}

// tell tells of the state of an interface, "" for a good one, when it changes.
func (s *source) tell(i *captured, state string) {
	if i.state == state {
		return
	}
	if i.state = state; state == "" {
		state = "is captured again"
	}
	s.notify("%s %s", i.name, state)
}

func (i *captured) close() {
	for _, r := range i.rings {
		r.close()
	}
	i.rings = nil
}

// Stats implements traces.Source. Losses are as of a tenth of a second before,
// but at the end, when they are complete.
func (s *source) Stats() traces.Stats { return s.stats }

// Close implements traces.Source.
func (s *source) Close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	for _, i := range s.interfaces {
		i.close()
	}
	return unix.Close(s.control)
}
