package agentx

import (
	"time"

	"rtfm/mib/smi"
)

// tooLong is more octets of BER than the variables of any Response take: a PDU
// has no sub-identifier or counter in less than two thirds of the octets.
const tooLong = 2 * MaxPDU

// answer carries out a request for our MIB and responds to it.
func (s *session) answer(p *PDU) error {
	switch p.Type {
	case Get:
		s.names = s.names[:0]
		for i := range p.Ranges {
			s.names = append(s.names, p.Ranges[i].Start)
		}
		s.vars = smi.Resize(s.vars, len(s.names))
		n, err := smi.InParts(s.vars, tooLong, func(from, to int) error { return s.h.Get(s.names[from:to], s.vars[from:to]) })
		s.vars = s.vars[:n]
		return s.respondVars(&p.Header, err)
	case GetNext:
		s.vars = smi.Resize(s.vars, len(p.Ranges))
		n, err := smi.InParts(s.vars, tooLong, func(from, to int) error { return s.h.Next(p.Ranges[from:to], s.vars[from:to]) })
		s.vars = s.vars[:n]
		return s.respondVars(&p.Header, err)
	case GetBulk:
		s.bulk.Ranges, s.bulk.NonRepeaters = p.Ranges, int(p.NonRepeaters)
		s.bulk.MaxRepetitions = min(int(p.MaxRepetitions), maxVars/max(1, len(p.Ranges)-int(p.NonRepeaters)))
		s.bulk.MaxOctets = MaxPDU
		var err error
		s.vars, err = s.h.Bulk(&s.bulk, s.vars)
		return s.respondVars(&p.Header, err)
	case TestSet:
		return s.test(p)
	case CommitSet:
		code, index := s.set.commit(p.TransactionID)
		return s.respond(&p.Header, code, index)
	case UndoSet:
		code, index := s.set.undo(p.TransactionID)
		return s.respond(&p.Header, code, index)
	}
	s.set.cleanup(p.TransactionID) // CleanupSet: no response
	return nil
}

// test begins a Set. A Set that the master has left without a CleanupSet ends
// here: one that it saw succeed stays.
func (s *session) test(p *PDU) error {
	if s.set.state == setCommitted {
		s.set.end()
	}
	s.set.abandon()
	tx, err := s.h.Test(p.Vars)
	if err != nil {
		return s.refuse(&p.Header, err)
	}
	s.in, s.set.pdu = s.set.pdu, p // the variables are to stay as they are
	s.set.state, s.set.tx, s.set.transactionID, s.set.since = setTested, tx, p.TransactionID, time.Now()
	return s.respond(&p.Header, NoError, 0)
}

// respond sends a Response without variables to the request that h is the
// header of.
func (s *session) respond(h *Header, code Code, index int) error {
	if h.Type == CleanupSet {
		return nil
	}
	e := h.beginResponse(s.out[:0])
	e.result(0, code, uint16(index))
	s.out = e.end()
	return s.write()
}

// refuse responds with the Handler's reason.
func (s *session) refuse(h *Header, err error) error {
	e := smi.Refusal(err)
	return s.respond(h, Code(e.Status), e.Index)
}

// respondVars sends a Response with s.vars, or with err. Where they are too
// long for a PDU, the response to a GetBulk has fewer, and others are an error
// of the first variable that does not fit.
func (s *session) respondVars(h *Header, err error) error {
	if err != nil {
		return s.refuse(h, err)
	}
	e := h.beginResponse(s.out[:0])
	e.result(0, NoError, 0)
	for i := range s.vars {
		fits := len(e.b)
		e.varBind(&s.vars[i])
		if e.size() <= MaxPDU {
			continue
		}
		if h.Type != GetBulk {
			s.vars = nil
			return s.respond(h, Code(smi.GenErr), i+1)
		}
		e.b = e.b[:fits]
		break
	}
	s.out = e.end()
	if s.asks++; s.asks >= lookEvery {
		s.asks = 0
		if smi.Held(s.vars) > keepAnswers {
			s.vars = nil
		}
	}
	return s.write()
}

// beginResponse begins the Response to a request with this header: all as in
// the request but for the type (RFC 2741 section 7.2.2). There is no context.
func (h *Header) beginResponse(b []byte) encoder {
	r := *h
	r.Type = Response
	r.Flags &= NetworkByteOrder
	return r.begin(b)
}
