package agentx

import (
	"bufio"
	"context"
	"net"
	"slices"
	"time"

	"rtfm/mib/smi"
)

// maxVars is how many variables a request may ask for or set, and about how
// many the response to a GetBulk may have. An SNMP message over UDP cannot
// hold as many with names of usual length.
const maxVars = 1 << 12

// keepBytes is how long a PDU may be for its memory to be kept for the next.
const keepBytes = 1 << 18

// Each of a PDU's variables may have grown to what the longest one took. So the
// memory for requests is allocated again when so many octets have used it, that for
// responses when it has so many octets, which is looked at every few requests.
const (
	keepRequests = 1 << 20
	keepAnswers  = 1 << 21
	lookEvery    = 16
)

// session is one connection to the master, from dial to close. Its own
// goroutine, Run's, does everything but read PDUs.
type session struct {
	*Subagent
	conn net.Conn

	id          uint32    // of the session
	open        bool      // the master has given id
	established bool      // and taken all registrations
	packetID    uint32    // of the latest request
	pending     []request // sent by us and not responded to, the oldest first
	set         set

	in    *PDU // the PDU being dealt with
	names []smi.OID
	vars  []smi.VarBind
	out   []byte
	bulk  smi.Bulk
	// Octets of the PDUs that the memory of in was used for, and requests since
	// that of vars was looked at.
	received, asks int
}

// request is a PDU that the master has yet to respond to.
type request struct {
	packetID uint32
	typ      Type
	op       string // for errors
	sent     time.Time
}

// inbound is a PDU as octets, or why there are no more.
type inbound struct {
	b   []byte
	err error
}

// session connects to the master, registers and serves, until ctx ends or
// something fails. It reports whether it got as far as having all registered.
func (s *Subagent) session(ctx context.Context) (established bool, err error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, s.network, s.addr)
	if err != nil {
		return false, &Error{"dial", err}
	}
	x := &session{Subagent: s, conn: conn, in: new(PDU)}
	x.set.pdu = new(PDU)
	ch := make(chan inbound)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		read(conn, ch, stop)
	}()
	err = x.serve(ctx, ch)
	close(stop)
	conn.Close()
	<-stopped
	if x.set.abandon() {
		s.stats.setsUndone.Add(1)
	}
	for _, r := range x.pending {
		if r.typ == Notify {
			s.stats.notifyFailed.Add(1)
		}
	}
	return x.established, err
}

// read sends every PDU that arrives to ch. The octets of one stay as they are
// until the one after the next is received from ch.
func read(conn net.Conn, ch chan<- inbound, stop <-chan struct{}) {
	r := bufio.NewReaderSize(conn, 1<<16)
	var bufs [2][]byte
	for i := 0; ; i = 1 - i {
		b, err := ReadPDU(r, bufs[i])
		select {
		case ch <- inbound{b, err}:
		case <-stop:
			return
		}
		if err != nil {
			return
		}
		bufs[i] = b
	}
}

// serve opens the session and deals with whatever happens in it.
func (s *session) serve(ctx context.Context, ch <-chan inbound) error {
	if err := s.send(&PDU{Header: Header{Type: Open}, OID: s.cfg.ID, Descr: []byte(s.cfg.Descr)}, "open"); err != nil {
		return err
	}
	tick := time.NewTicker(s.cfg.PingInterval)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			s.close(ReasonShutdown)
			return ctx.Err()
		case m := <-ch:
			if err = m.err; err != nil {
				return &Error{"read", err}
			}
			err = s.receive(m.b)
		case now := <-tick.C:
			err = s.watch(now)
		case <-s.notify.wake:
		}
		if err == nil {
			err = s.sendNotify()
		}
		if err != nil {
			return err
		}
	}
}

// send sends a request of ours and expects a response.
func (s *session) send(p *PDU, op string) error {
	s.packetID++
	p.Flags, p.SessionID, p.PacketID = NetworkByteOrder, s.id, s.packetID
	if s.cfg.Context != "" && p.Type.hasContext() && p.Type != Ping {
		p.Flags, p.Context = p.Flags|NonDefaultContext, []byte(s.cfg.Context)
	}
	s.pending = append(s.pending, request{p.PacketID, p.Type, op, time.Now()})
	s.out = p.Append(s.out[:0])
	return s.write()
}

// close tells the master that the session ends, as well as that goes.
func (s *session) close(r Reason) {
	// An error changes nothing: the connection is closed next.
	_ = s.send(&PDU{Header: Header{Type: Close}, Reason: r}, "close")
}

// write sends s.out. The deadline frees us from a master that does not read.
func (s *session) write() error {
	err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if err == nil {
		_, err = s.conn.Write(s.out)
	}
	if cap(s.out) > 2*keepBytes {
		s.out = nil
	}
	if err != nil {
		return &Error{"write", err}
	}
	return nil
}

// watch ends the session when the master keeps us waiting, and pings it.
func (s *session) watch(now time.Time) error {
	if len(s.pending) > 0 && now.Sub(s.pending[0].sent) > s.cfg.ResponseTimeout {
		return &Error{s.pending[0].op, errTimeout}
	}
	if s.set.state != setNone && now.Sub(s.set.since) > 3*s.cfg.ResponseTimeout {
		return &Error{"set", errTimeout}
	}
	if s.established && !s.waitsFor(Ping) {
		return s.send(&PDU{Header: Header{Type: Ping}}, "ping")
	}
	return nil
}

func (s *session) waitsFor(t Type) bool {
	return slices.ContainsFunc(s.pending, func(r request) bool { return r.typ == t })
}

// sendNotify sends the oldest notification that waits, once the master has
// responded to the one before.
func (s *session) sendNotify() error {
	for s.established && !s.waitsFor(Notify) {
		vbs := s.notify.pop()
		if vbs == nil {
			break
		}
		p := PDU{Header: Header{Type: Notify}, Vars: vbs}
		if len(p.Append(nil)) > MaxPDU {
			s.notify.lose()
			continue
		}
		return s.send(&p, "notify")
	}
	return nil
}

// receive deals with a PDU from the master.
func (s *session) receive(b []byte) error {
	if s.received += len(b); s.received > keepRequests || len(b) > keepBytes {
		// Also that of the Set before, unless it is still under way.
		defer func() {
			s.received, s.in, s.names, s.bulk = 0, new(PDU), nil, smi.Bulk{}
			if s.set.state == setNone {
				s.set.pdu = new(PDU)
			}
		}()
	}
	p := s.in
	if err := p.Decode(b); err != nil {
		s.stats.badPDUs.Add(1)
		if p.Type == Response { // dropped silently, RFC 2741 section 7.2.2
			return nil
		}
		return s.respond(&p.Header, ParseError, 0)
	}
	switch {
	case p.Type == Response:
		return s.response(p)
	case !s.open || p.SessionID != s.id:
		s.stats.badPDUs.Add(1)
		return s.respond(&p.Header, NotOpen, 0)
	case p.Type == Close:
		if err := s.respond(&p.Header, NoError, 0); err != nil {
			return err
		}
		return closedBy(p.Reason)
	case p.Type < Get || p.Type > CleanupSet:
		s.stats.badPDUs.Add(1)
		return s.respond(&p.Header, ProcessingError, 0)
	}
	s.stats.requests.Add(1)
	switch {
	case p.Type.hasContext() && p.context() != s.cfg.Context:
		return s.respond(&p.Header, UnsupportedContext, 0)
	case len(p.Ranges) > maxVars || len(p.Vars) > maxVars:
		return s.respond(&p.Header, Code(smi.ResourceUnavailable), 0)
	}
	return s.answer(p)
}

// response deals with the master's response to a request of ours.
func (s *session) response(p *PDU) error {
	i := slices.IndexFunc(s.pending, func(r request) bool { return r.packetID == p.PacketID })
	if i < 0 {
		s.stats.badPDUs.Add(1)
		return nil
	}
	r := s.pending[i]
	s.pending = slices.Delete(s.pending, i, i+1)
	if optional := r.typ == Notify || r.typ == AddAgentCaps; p.Error != NoError && (!optional || p.Error == NotOpen) {
		if r.typ == Register {
			s.close(ReasonOther)
		}
		return &Error{r.op, p.Error}
	}
	switch r.typ {
	case Open:
		s.id, s.open = p.SessionID, true
		for _, o := range s.cfg.Subtrees {
			reg := PDU{Header: Header{Type: Register}, OID: o, Priority: defaultPriority}
			if err := s.send(&reg, "register "+o.String()); err != nil {
				return err
			}
		}
		for _, c := range s.cfg.Capabilities {
			add := PDU{Header: Header{Type: AddAgentCaps}, OID: c.ID, Descr: []byte(c.Descr)}
			if err := s.send(&add, "add capabilities "+c.ID.String()); err != nil {
				return err
			}
		}
	case Notify:
		if p.Error != NoError {
			s.stats.notifyFailed.Add(1)
		} else {
			s.stats.notifySent.Add(1)
		}
	}
	if !s.established && len(s.pending) == 0 {
		s.established = true
		s.stats.sessions.Add(1)
		if s.cfg.Changed != nil {
			s.cfg.Changed(nil)
		}
	}
	return nil
}

// defaultPriority is for subagents without special knowledge (RFC 2741
// section 6.2.3).
const defaultPriority = 127
