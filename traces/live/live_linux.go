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
	// holdBack is how long after it was found ready a block's packets may have
	// to wait for earlier ones of other rings: twice retireAfter, and what the
	// kernel's timer may be late.
	holdBack = 2*retireAfter*time.Millisecond + 5*time.Millisecond
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
	stop       time.Time // when ctx was found done
	closed     bool
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
	s := &source{ctx: ctx, config: c, control: control, file: strings.Join(c.Interfaces, ",")}
	for _, name := range c.Interfaces {
		i := &captured{device: device{name: name}, stats: -1}
		s.interfaces = append(s.interfaces, i)
		if err := s.open(i); err != nil {
			s.Close()
			return nil, err
		}
	}
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

func (s *source) makeRings(i *captured) error {
	d, err := lookUp(s.control, i.name)
	if err != nil {
		return err
	}
	i.device = d
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
	i.port = isPort(i.index)
	number := uint32(i.index)
	i.stats = slices.IndexFunc(s.stats.PerInterface, func(st traces.InterfaceStats) bool { return st.Number == number })
	if i.stats < 0 {
		i.stats = len(s.stats.PerInterface)
		s.stats.PerInterface = append(slices.Clone(s.stats.PerInterface), traces.InterfaceStats{Number: number, Name: i.name})
	}
	if i.loopback {
		return
	}
	if on := offloadsOf(i.rings[0].fd, i.name); len(on) > 0 {
		s.notify("%s: %s on: several packets may be counted as one; see ethtool -K", i.name, strings.Join(on, ", "))
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
		wait := s.merge(b, now)
		switch {
		case len(b.Packets) > 0:
			s.told = now
			return nil
		case s.over(now):
			s.tend(now) // the last losses
			return io.EOF
		case now.Sub(s.told) > tendEvery:
			s.told = now
			b.Until = now.Add(-2 * holdBack).UnixNano()
			return nil
		}
		if err := s.wait(wait); err != nil {
			return err
		}
	}
}

// merge fills b with packets in the order of their times, as far as no ring can
// come with an earlier one. If there is none, it returns for how long at most
// there will not be any but in rings that have none ready now.
func (s *source) merge(b *traces.Batch, now time.Time) time.Duration {
	for len(b.Packets) < cap(b.Packets) {
		var first *ring
		var from *device
		until := int64(math.MaxInt64) // the others' earliest time
		empty := false
		for _, i := range s.interfaces {
			for _, r := range i.rings {
				switch {
				case !r.look(now):
					empty = true
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
			return tendEvery
		}
		if empty && !s.over(now) {
			if held := first.seen[first.head].Add(holdBack).Sub(now); held > 0 {
				return held
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

// over tells whether all that came before ctx was done is in blocks that are
// ready.
func (s *source) over(now time.Time) bool {
	return !s.stop.IsZero() && now.After(s.stop.Add(holdBack))
}

// wait waits until a ring that has nothing ready has, but not for longer than
// the given time.
func (s *source) wait(most time.Duration) error {
	s.polled = s.polled[:0]
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			if r.cur.left == 0 {
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
// notes that ctx is done: then each ring is read once round at most.
func (s *source) tend(now time.Time) error {
	s.tendAt = now.Add(tendEvery)
	stopped := s.stop.IsZero() && s.ctx.Err() != nil
	if stopped {
		s.stop = now
	}
	for _, i := range s.interfaces {
		for _, r := range i.rings {
			if stopped {
				r.budget = len(r.seen)
			}
			n, err := r.dropped()
			if err != nil {
				return fmt.Errorf("%s: %w", i.name, err)
			}
			s.lose(i, n)
			// The error of an interface that is down; polling would return at
			// once until it is taken away.
			unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		}
		s.lookAfter(i)
	}
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
			i.device = d
			s.begun(i)
		}
	} else {
		for _, r := range i.rings {
			if r.look(time.Now()) {
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
