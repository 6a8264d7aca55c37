package export

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// outlet is where messages go.
type outlet interface {
	// open makes ready to send before there is anything.
	open()
	// deliver sends, or discards, the messages of the exporter's batch. An error says
	// that nothing can be sent any more.
	deliver() error
	close()
}

func (e *Exporter) newOutlet() outlet {
	switch e.cfg.To.Network {
	case "udp":
		return &datagrams{e: e}
	case "file":
		return &file{e: e, greeting: greeting{e: e}, w: e.cfg.File}
	}
	return &stream{e: e, greeting: greeting{e: e}}
}

// greeting puts messages one after the other. Their sequence numbers go on where those
// that were put before have ended, whatever was put in between.
type greeting struct {
	e     *Exporter
	begun bool
	more  uint32 // data records that the meter does not know of
	out   []byte
}

// begin begins anew: whoever reads this knows nothing.
func (g *greeting) begin() {
	g.out = g.out[:0]
	if !g.begun {
		g.begun = true
		return
	}
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	at := g.e.batch[0].sequence()
	for _, m := range g.e.known {
		g.put(m, at)
		g.more += uint32(m.records)
	}
	g.e.anew.Store(true)
}

// put puts a message with this sequence number.
func (g *greeting) put(m message, sequence uint32) {
	i := len(g.out)
	g.out = append(g.out, m.octets...)
	binary.BigEndian.PutUint32(g.out[i+sequenceAt:], sequence+g.more)
}

// putBatch puts the messages of the batch.
func (g *greeting) putBatch() {
	for _, m := range g.e.batch {
		g.put(m, m.sequence())
	}
}

// whole returns how many messages of the batch are in the first n octets of what was
// put, as its end.
func (g *greeting) whole(n int) (messages int) {
	before := len(g.out)
	for _, m := range g.e.batch {
		before -= len(m.octets)
	}
	for _, m := range g.e.batch {
		if before += len(m.octets); before > n {
			break
		}
		messages++
	}
	return messages
}

// sequenceAt is where a message has its sequence number (RFC 7011 section 3.1).
const sequenceAt = 8

func (m message) sequence() uint32 { return binary.BigEndian.Uint32(m.octets[sequenceAt:]) }

// file writes messages into a file (RFC 5655), which may be opened again.
type file struct {
	greeting
	e     *Exporter
	w     io.Writer
	fault error
}

func (f *file) open() {}

// deliver implements outlet.
func (f *file) deliver() error {
	f.out = f.out[:0]
	if w := f.e.next.Swap(nil); w != nil {
		f.close()
		f.w, f.fault = *w, nil
		f.begin()
	}
	if f.fault != nil {
		return f.fault
	}
	if !f.begun {
		f.begin()
	}
	f.putBatch()
	n, err := f.w.Write(f.out)
	f.e.sent(f.whole(n))
	f.e.open.Store(err == nil)
	f.fault = err
	return err
}

func (f *file) close() {
	if c, ok := f.w.(io.Closer); ok {
		c.Close()
	}
}

// stream sends messages over a connection, which it makes again and again.
type stream struct {
	greeting
	e     *Exporter
	conn  net.Conn
	fresh bool  // nothing was sent over it
	fault error // why there will be none any more
}

// defaultStall is Config.Stall without one.
const defaultStall = 30 * time.Second

func (s *stream) open() { s.fault = s.connect() }

// deliver implements outlet.
func (s *stream) deliver() error {
	for len(s.e.batch) > 0 {
		if s.conn == nil && s.fault == nil {
			s.fault = s.connect()
		}
		if s.fault != nil {
			return s.fault
		}
		if s.out = s.out[:0]; s.fresh {
			s.fresh = false
			s.begin()
		}
		s.putBatch()
		s.conn.SetWriteDeadline(time.Now().Add(cmp.Or(s.e.cfg.Stall, defaultStall)))
		n, err := s.conn.Write(s.out)
		s.e.sent(s.whole(n))
		if err != nil {
			s.close()
			s.e.open.Store(false)
			if errors.Is(err, net.ErrClosed) { // see hear
				err = errors.New("it has closed the connection")
			}
			s.e.warn(fmt.Sprintf("the feed's receiver at %s is away: %v", s.e.cfg.To, err))
		}
	}
	return nil
}

// Between two tries to connect at least and at most so long passes.
const (
	leastWait = 100 * time.Millisecond
	mostWait  = 5 * time.Second
)

// connect makes a connection, and tries for as long as it may.
func (s *stream) connect() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.e.cfg.Waits {
		time.AfterFunc(s.e.cfg.Patience, cancel)
	} else {
		go func() {
			select {
			case <-s.e.ending:
				time.AfterFunc(s.e.cfg.Patience, cancel)
			case <-ctx.Done():
			}
		}()
	}
	var d net.Dialer
	var last error
	for wait := leastWait; ; wait = min(2*wait, mostWait) {
		conn, err := d.DialContext(ctx, s.e.cfg.To.Network, s.e.cfg.To.Address)
		if err == nil {
			s.conn, s.fresh = conn, true
			s.e.open.Store(true)
			s.e.connections.Add(1)
			go hear(conn)
			if last != nil || s.begun {
				s.e.tell(fmt.Sprintf("the feed has a receiver at %s now", s.e.cfg.To))
			}
			return nil
		}
		if last == nil {
			last = err
			s.e.warn(fmt.Sprintf("the feed has no receiver yet: %v", err))
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("the feed has no receiver: %w", last)
		}
	}
}

// hear closes a connection as soon as the other end does. Nothing comes from there.
func hear(conn net.Conn) {
	io.Copy(io.Discard, conn)
	conn.Close()
}

func (s *stream) close() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}
