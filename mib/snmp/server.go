package snmp

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"rtfm/mib/smi"
)

// MaxMessage is the longest message that UDP carries over IPv4, in octets.
const MaxMessage = 65507

// minMessage is what every SNMP entity has to accept (RFC 3417 section 3.2.1).
const minMessage = 484

// Config says who may do what, and what the agent says of itself.
type Config struct {
	// ReadCommunity may read, WriteCommunity read and set. Nobody is in a
	// community whose name is empty.
	ReadCommunity, WriteCommunity string
	// MaxMessage is the length of the longest message to answer with, in
	// octets, from 484 to MaxMessage. 0 means MaxMessage.
	MaxMessage int
	// System is what the system group says.
	System System
}

// Stats counts messages, mostly as the snmp group of RFC 3418 does.
type Stats struct {
	InPkts              uint64 // received
	OutPkts             uint64 // sent
	InBadVersions       uint64 // dropped: another version than 2c
	InBadCommunityNames uint64 // dropped: unknown community
	InBadCommunityUses  uint64 // refused: Set by who may only read
	InASNParseErrs      uint64 // dropped: malformed
	UnknownPDUHandlers  uint64 // dropped: no request, or none that an agent answers (RFC 3412)
	SilentDrops         uint64 // dropped: even the answer tooBig was too long
	SendErrors          uint64 // answers that the socket did not take
}

// A Server answers SNMP requests from an smi.Handler.
type Server struct {
	read, write []byte // communities
	max         int
	h           handler
	stats       struct {
		in, out, version, community, use, parse, unknown, silent, send atomic.Uint64
	}

	// What follows is Serve's, one request after the other.
	req    message
	names  []smi.OID
	ranges []smi.Range
	bulk   smi.Bulk
	vars   []smi.VarBind
	out    []byte
	asked  int // octets of the requests that the memory of req was used for
	asks   int // requests since the memory of vars was looked at
}

// Memory of variables is kept from one message to the next, and each of them may
// have grown to what the longest one took. That for requests is allocated again when
// so many octets have used it, that for answers when it has so many octets, which
// is looked at every few requests.
const (
	keepRequests = 1 << 18
	keepAnswers  = 1 << 20
	lookEvery    = 16
)

// New returns a Server of h.
func New(cfg Config, h smi.Handler) (*Server, error) {
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = MaxMessage
	}
	if cfg.MaxMessage < minMessage || cfg.MaxMessage > MaxMessage {
		return nil, fmt.Errorf("snmp: messages of at most %d octets: the limit has to be from %d to %d", cfg.MaxMessage, minMessage, MaxMessage)
	}
	return &Server{
		read: []byte(cfg.ReadCommunity), write: []byte(cfg.WriteCommunity),
		max: cfg.MaxMessage, h: handler{h, newSystem(cfg.System)},
	}, nil
}

// Serve answers what arrives at conn, one request after the other, until ctx
// ends or conn fails. It returns nil in the first case. Serve may be called
// once.
func (s *Server) Serve(ctx context.Context, conn net.PacketConn) error {
	wake := context.AfterFunc(ctx, func() {
		// If that fails, conn is closed, and ReadFrom fails too.
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	})
	defer wake()
	buf := make([]byte, 1<<16)
	for {
		n, from, err := conn.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue // a deadline of the caller's own
		}
		if err != nil {
			return fmt.Errorf("snmp: read: %w", err)
		}
		s.stats.in.Add(1)
		answer := s.handle(buf[:n])
		if answer == nil {
			continue
		}
		if _, err := conn.WriteTo(answer, from); err != nil {
			s.stats.send.Add(1)
			continue
		}
		s.stats.out.Add(1)
	}
}

// Stats returns the counts until now. Safe for concurrent use.
func (s *Server) Stats() Stats {
	return Stats{
		InPkts: s.stats.in.Load(), OutPkts: s.stats.out.Load(),
		InBadVersions: s.stats.version.Load(), InBadCommunityNames: s.stats.community.Load(),
		InBadCommunityUses: s.stats.use.Load(), InASNParseErrs: s.stats.parse.Load(),
		UnknownPDUHandlers: s.stats.unknown.Load(), SilentDrops: s.stats.silent.Load(),
		SendErrors: s.stats.send.Load(),
	}
}

// handle returns the answer to a message, valid until the next call, or nil if
// there is to be none.
func (s *Server) handle(b []byte) []byte {
	m := &s.req
	d := smi.NewDecoder(b)
	d, err := m.decodeVersion(d)
	if err != nil {
		s.stats.parse.Add(1)
		return nil
	}
	if m.version != version2c {
		s.stats.version.Add(1)
		return nil
	}
	if d, err = m.decodeCommunity(d); err != nil {
		s.stats.parse.Add(1)
		return nil
	}
	// Both comparisons take place, and as long for a name that nearly fits.
	mayWrite := member(s.write, m.community)
	mayRead := member(s.read, m.community) | mayWrite
	if mayRead == 0 {
		s.stats.community.Add(1)
		return nil
	}
	s.forget(len(b))
	if err := m.decodePDU(d); err != nil {
		s.stats.parse.Add(1)
		return nil
	}
	switch m.pdu {
	case getRequest, getNextRequest, getBulkRequest:
		return s.answerRead()
	case setRequest:
		if mayWrite == 0 {
			s.stats.use.Add(1)
			return s.fail(&smi.Error{Status: smi.NoAccess, Index: min(1, len(m.vars))})
		}
		return s.answerSet()
	}
	s.stats.unknown.Add(1)
	return nil
}

// forget gives up memory that was used for many messages, given that one of so
// many octets is to be decoded.
func (s *Server) forget(octets int) {
	if s.asked += octets; s.asked > keepRequests {
		s.asked, s.req.vars, s.names, s.ranges, s.bulk = octets, nil, nil, nil, smi.Bulk{}
	}
	if s.asks++; s.asks >= lookEvery {
		s.asks = 0
		if smi.Held(s.vars) > keepAnswers {
			s.vars = nil
		}
	}
}

// member returns 1 if name is that of the community, 0 if not.
func member(community, name []byte) int {
	if len(community) == 0 {
		return 0
	}
	return subtle.ConstantTimeCompare(community, name)
}

// answerRead answers a request to read (RFC 3416 sections 4.2.1 to 4.2.3).
func (s *Server) answerRead() []byte {
	m := &s.req
	s.h.system.refresh()
	var err error
	answered := len(m.vars)
	if m.pdu == getRequest {
		s.names = s.names[:0]
		for i := range m.vars {
			s.names = append(s.names, m.vars[i].Name)
		}
		s.vars = smi.Resize(s.vars, len(s.names))
		answered, err = smi.InParts(s.vars, s.max, func(from, to int) error {
			return s.h.Get(s.names[from:to], s.vars[from:to])
		})
	} else {
		s.ranges = s.ranges[:0]
		for i := range m.vars {
			s.ranges = append(s.ranges, smi.Range{Start: m.vars[i].Name})
		}
		if m.pdu == getNextRequest {
			s.vars = smi.Resize(s.vars, len(s.ranges))
			answered, err = smi.InParts(s.vars, s.max, func(from, to int) error {
				return s.h.Next(s.ranges[from:to], s.vars[from:to])
			})
		} else {
			s.bulk.Ranges, s.bulk.MaxOctets = s.ranges, s.max
			s.bulk.NonRepeaters, s.bulk.MaxRepetitions = int(m.status), int(m.index)
			s.vars, err = s.h.Bulk(&s.bulk, s.vars)
		}
	}
	if err != nil {
		return s.fail(err)
	}
	if answered < len(m.vars) {
		return s.tooBig()
	}
	return s.respond(smi.NoError, 0, s.vars)
}

// answerSet answers a SetRequest (RFC 3416 section 4.2.5).
func (s *Server) answerSet() []byte {
	m := &s.req
	if m.responseSize(maxStatus, maxIndex, octets(m.vars)) > s.max {
		return s.tooBig()
	}
	tx, err := s.h.Test(m.vars)
	if err != nil {
		return s.fail(err)
	}
	defer tx.Cleanup()
	if err := tx.Commit(); err != nil {
		if tx.Undo() != nil {
			return s.fail(&smi.Error{Status: smi.UndoFailed})
		}
		return s.fail(&smi.Error{Status: smi.CommitFailed, Index: smi.Refusal(err).Index})
	}
	return s.respond(smi.NoError, 0, m.vars)
}

// fail answers with an error and the request's own variables.
func (s *Server) fail(err error) []byte {
	e := smi.Refusal(err)
	return s.respond(e.Status, e.Index, s.req.vars)
}

// tooBig answers that the answer would be too long.
func (s *Server) tooBig() []byte {
	if s.req.responseSize(smi.TooBig, 0, 0) > s.max {
		s.stats.silent.Add(1)
		return nil
	}
	s.out = s.req.appendResponse(s.out[:0], smi.TooBig, 0, nil, 0)
	return s.out
}

// respond answers with these variables. If they are too many, the answer to a
// GetBulk has fewer, and others are answered with tooBig.
func (s *Server) respond(status smi.Status, index int, vars []smi.VarBind) []byte {
	m := &s.req
	n := octets(vars)
	for m.pdu == getBulkRequest && status == smi.NoError && len(vars) > 0 && m.responseSize(status, index, n) > s.max {
		n -= vars[len(vars)-1].BERSize()
		vars = vars[:len(vars)-1]
	}
	if m.responseSize(status, index, n) > s.max {
		return s.tooBig()
	}
	s.out = m.appendResponse(s.out[:0], status, index, vars, n)
	return s.out
}

// octets returns the length of the variables' encodings together.
func octets(vars []smi.VarBind) (n int) {
	for i := range vars {
		n += vars[i].BERSize()
	}
	return n
}
