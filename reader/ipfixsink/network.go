package ipfixsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"rtfm/reader/record"
)

// datagrams is the carrier over UDP. Nobody tells whether they came.
type datagrams struct {
	address string
	mtu     int // octets of a message
	again   time.Duration

	conn    net.Conn
	session *session
	burst   int
}

// Datagrams that come all at once have no room in a collector's socket buffer, which
// mostly holds 208 KiB. So there is a pause behind each burst.
const (
	burst = 16 << 10 // octets
	pause = 4 * time.Millisecond
)

func (d *datagrams) begin(ctx context.Context) (*session, bool, error) {
	if d.conn != nil {
		return d.session, false, nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", d.address)
	if err != nil {
		return nil, false, err
	}
	d.conn = conn
	if d.session == nil {
		d.session = newSession()
	}
	return d.session, true, nil
}

// check finds whether the collector's name has an address to which there is a way.
func (d *datagrams) check(ctx context.Context) error {
	_, _, err := d.begin(ctx)
	return errors.Join(err, d.close())
}

func (d *datagrams) write(message []byte) error {
	if d.burst += len(message); d.burst > burst {
		time.Sleep(pause)
		d.burst = len(message)
	}
	_, err := d.conn.Write(message)
	return err
}

func (d *datagrams) has(*record.Collection) bool                   { return false }
func (d *datagrams) end(context.Context, *record.Collection) error { return nil }
func (d *datagrams) limits() (most int, again time.Duration)       { return d.mtu, d.again }

// failed looks the collector's address up anew: it may be another by now.
func (d *datagrams) failed() { d.close() }

func (d *datagrams) close() error {
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}

// stream is the carrier over TCP and TLS: templates and numbers are a connection's.
type stream struct {
	address string
	tls     *tls.Config // nil: TCP

	conn    net.Conn
	tcp     *net.TCPConn  // below conn
	gone    chan struct{} // closed once the collector has closed the connection
	session *session
}

// A message over TCP and TLS may be as long as IPFIX has it; this is enough not to wait
// for each.
const streamMost = 16 << 10

// patience is how long a collector may take for a write, or for all that was written.
const patience = 60 * time.Second

func (s *stream) begin(ctx context.Context) (*session, bool, error) {
	if s.conn != nil {
		select {
		case <-s.gone:
			s.close()
		default:
			return s.session, false, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, false, err
	}
	s.conn, s.tcp = conn, conn.(*net.TCPConn)
	if s.tls != nil {
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			s.close()
			return nil, false, err
		}
		s.conn = secure
	}
	s.session, s.gone = newSession(), make(chan struct{})
	go func(conn net.Conn, gone chan<- struct{}) {
		defer close(gone)
		io.Copy(io.Discard, conn) // collectors have nothing to say, but that they go
	}(s.conn, s.gone)
	return s.session, true, nil
}

// check finds whether the collector takes connections, and is who it says.
func (s *stream) check(ctx context.Context) error {
	_, _, err := s.begin(ctx)
	return errors.Join(err, s.close())
}

func (s *stream) write(message []byte) error {
	s.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := s.conn.Write(message)
	return err
}

// end waits until the collector's system has all.
func (s *stream) end(ctx context.Context, _ *record.Collection) error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		left, err := unacknowledged(s.tcp)
		if err != nil {
			return err
		}
		select {
		case <-s.gone:
			return errGone
		default:
		}
		if left == 0 {
			return nil
		}
		next := time.NewTimer(wait)
		select {
		case <-s.gone:
			return errGone
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("the collector has not taken %d octets within %v", left, patience)
		case <-next.C:
		}
	}
}

func (s *stream) has(*record.Collection) bool             { return false }
func (s *stream) limits() (most int, again time.Duration) { return streamMost, 0 }
func (s *stream) failed()                                 { s.close() }

func (s *stream) close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
