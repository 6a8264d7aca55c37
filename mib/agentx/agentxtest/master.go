// Package agentxtest has a fake AgentX master, for tests of subagents: it
// accepts their sessions and registrations, sends them any PDU, checks what
// every response must have, and misbehaves on request.
package agentxtest

import (
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"rtfm/mib/agentx"
	"rtfm/mib/smi"
)

// patience is how long the master waits for the subagent before a test fails.
const patience = 30 * time.Second

// Master listens for subagents. Its methods are for the test's goroutine.
type Master struct {
	t        testing.TB
	listener net.Listener
	address  string

	// Refuse, if not nil, tells how to answer a PDU of administration (Open,
	// Register, Ping, Notify, Close, …): with which error, and whether at all.
	// It is called from another goroutine. Set it before Accept.
	Refuse func(p *agentx.PDU) (code agentx.Code, silent bool)
}

// Listen returns a Master at a Unix socket of its own. It closes when the test
// ends.
func Listen(t testing.TB) *Master {
	t.Helper()
	return ListenAt(t, "unix", filepath.Join(t.TempDir(), "master"))
}

// ListenAt returns a Master at this address, as net.Listen takes it.
func ListenAt(t testing.TB, network, address string) *Master {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	m := &Master{t: t, listener: l, address: network + ":" + l.Addr().String()}
	t.Cleanup(m.Close)
	return m
}

// Address returns where the master listens, as agentx.Config takes it.
func (m *Master) Address() string { return m.address }

// Close ends listening, as when the master ends. Sessions stay.
func (m *Master) Close() { m.listener.Close() }

// Accept waits for a connection. What the subagent sends is answered from then
// on.
func (m *Master) Accept() *Session {
	m.t.Helper()
	if l, ok := m.listener.(interface{ SetDeadline(time.Time) error }); ok {
		if err := l.SetDeadline(time.Now().Add(patience)); err != nil {
			m.t.Fatal(err)
		}
	}
	conn, err := m.listener.Accept()
	if err != nil {
		m.t.Fatalf("no subagent connects: %v", err)
	}
	s := &Session{
		t: m.t, conn: conn, refuse: m.Refuse,
		registered: make(chan smi.OID, 64), notified: make(chan []smi.VarBind, 1024),
		closed: make(chan agentx.Reason, 1), responses: make(chan *agentx.PDU, 64), ended: make(chan struct{}),
	}
	m.t.Cleanup(s.Drop)
	go s.read()
	return s
}

// SessionID is the identifier that a Master gives every session.
const SessionID = 0x01020304

// Session is a connection of a subagent. Its methods are for the test's
// goroutine.
type Session struct {
	// Flags are set in the PDUs sent: none, or agentx.NetworkByteOrder.
	Flags agentx.Flags
	// Split, if not 0, is how many octets are written at a time.
	Split int

	t          testing.TB
	conn       net.Conn
	refuse     func(*agentx.PDU) (agentx.Code, bool)
	registered chan smi.OID
	notified   chan []smi.VarBind
	closed     chan agentx.Reason
	responses  chan *agentx.PDU
	ended      chan struct{} // the subagent has closed the connection, or what it sent is no PDU
	packet     uint32        // identifier of the latest PDU sent

	mu    sync.Mutex // of writes, and of what follows
	pings int
	err   error
}

// read deals with all that the subagent sends.
func (s *Session) read() {
	defer close(s.ended)
	for {
		p := new(agentx.PDU)
		b, err := agentx.ReadPDU(s.conn, nil)
		if err == nil {
			err = p.Decode(b)
		}
		if err == nil && p.Type == agentx.Response {
			s.responses <- p
			continue
		}
		if err == nil {
			err = s.administer(p)
		}
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return
		}
	}
}

// administer answers a PDU of administration.
func (s *Session) administer(p *agentx.PDU) error {
	r := agentx.PDU{Header: p.Header}
	r.Type = agentx.Response
	if p.Type == agentx.Open {
		r.SessionID = SessionID
	} else if p.SessionID != SessionID {
		return fmt.Errorf("%v with session identifier %#x", p.Type, p.SessionID)
	}
	if s.refuse != nil {
		var silent bool
		if r.Error, silent = s.refuse(p); silent {
			return nil
		}
	}
	switch {
	case r.Error != agentx.NoError:
	case p.Type == agentx.Register:
		s.registered <- p.OID
	case p.Type == agentx.Notify:
		s.notified <- p.Vars
	case p.Type == agentx.Close:
		s.closed <- p.Reason
	case p.Type == agentx.Ping:
		s.mu.Lock()
		s.pings++
		s.mu.Unlock()
	}
	_, err := s.write(r.Append(nil), 0)
	if p.Type == agentx.Close {
		return nil // the subagent need not wait for the response
	}
	return err
}

func (s *Session) write(b []byte, split int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if split == 0 {
		return s.conn.Write(b)
	}
	for i := 0; i < len(b); i += split {
		if n, err := s.conn.Write(b[i:min(i+split, len(b))]); err != nil {
			return i + n, err
		}
		if i < 8*split {
			time.Sleep(time.Millisecond) // so that some arrive apart
		}
	}
	return len(b), nil
}

// Registered waits until n subtrees have been registered and returns them.
func (s *Session) Registered(n int) []smi.OID {
	s.t.Helper()
	var oids []smi.OID
	for range n {
		oids = append(oids, receive(s, s.registered, "registers"))
	}
	return oids
}

// Notified waits for a notification and returns its variables.
func (s *Session) Notified() []smi.VarBind {
	s.t.Helper()
	return receive(s, s.notified, "notifies")
}

// Closed waits until the subagent closes the session and returns why.
func (s *Session) Closed() agentx.Reason {
	s.t.Helper()
	return receive(s, s.closed, "closes the session")
}

// Pings returns how often the subagent has pinged.
func (s *Session) Pings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pings
}

// Ended waits until the subagent has closed the connection.
func (s *Session) Ended() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the subagent does not close the connection")
	}
}

func receive[T any](s *Session, ch <-chan T, what string) (v T) {
	s.t.Helper()
	select {
	case v = <-ch:
		return v
	default:
	}
	select {
	case v = <-ch:
	case <-s.ended:
		select {
		case v = <-ch: // was sent before the end
		default:
			s.t.Fatalf("the subagent is gone before it %s: %v", what, s.error())
		}
	case <-time.After(patience):
		s.t.Fatalf("the subagent never %s", what)
	}
	return v
}

func (s *Session) error() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Send sends p with the session's flags and identifier and a new packet
// identifier, and returns what was sent.
func (s *Session) Send(p agentx.PDU) agentx.PDU {
	s.t.Helper()
	s.packet++
	p.Flags |= s.Flags
	p.SessionID, p.PacketID = SessionID, s.packet
	s.SendOctets(p.Append(nil))
	return p
}

// SendOctets sends these octets, whatever they are.
func (s *Session) SendOctets(b []byte) {
	s.t.Helper()
	if _, err := s.write(b, s.Split); err != nil {
		s.t.Fatalf("sending %d octets: %v", len(b), err)
	}
}

// Receive waits for a response.
func (s *Session) Receive() *agentx.PDU {
	s.t.Helper()
	return receive(s, s.responses, "responds")
}

// Do sends p as Send does and returns the response, once sure that its header
// is the request's.
func (s *Session) Do(p agentx.PDU) *agentx.PDU {
	s.t.Helper()
	p = s.Send(p)
	r := s.Receive()
	want := p.Header
	want.Type = agentx.Response
	want.Flags &= agentx.NetworkByteOrder
	if r.Header != want {
		s.t.Fatalf("response to %v has header %+v, want %+v", p.Type, r.Header, want)
	}
	return r
}

// Silent fails the test if the subagent responds to anything within d.
func (s *Session) Silent(d time.Duration) {
	s.t.Helper()
	select {
	case r := <-s.responses:
		s.t.Fatalf("response %+v where none is due", r)
	case <-time.After(d):
	}
}

// Drop closes the connection.
func (s *Session) Drop() { s.conn.Close() }
