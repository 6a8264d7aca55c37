package agentx

import (
	"time"

	"rtfm/mib/smi"
)

// setState is how far a Set has come (RFC 2741 section 7.3.1). A test that
// failed leaves nothing to remember, so that state D is A here.
type setState uint8

const (
	setNone      setState = iota // A
	setTested                    // B
	setCommitted                 // C
	setFailed                    // E
)

// set is the Set under way in a session, if any.
type set struct {
	state         setState
	tx            smi.Transaction
	transactionID uint32
	since         time.Time
	pdu           *PDU // TestSet, which holds the variables until the end
}

// commit carries the Set out.
func (s *set) commit(id uint32) (Code, int) {
	if s.state != setTested || s.transactionID != id {
		return Code(smi.CommitFailed), 0
	}
	if err := s.tx.Commit(); err != nil {
		s.state = setFailed
		return Code(smi.CommitFailed), smi.Refusal(err).Index
	}
	s.state = setCommitted
	return NoError, 0
}

// undo takes the Set back and ends it: no CleanupSet follows an UndoSet.
func (s *set) undo(id uint32) (Code, int) {
	if s.state == setNone || s.transactionID != id {
		return Code(smi.UndoFailed), 0
	}
	var err error
	if s.state != setTested {
		err = s.tx.Undo()
	}
	s.end()
	if err != nil {
		return Code(smi.UndoFailed), smi.Refusal(err).Index
	}
	return NoError, 0
}

// cleanup ends the Set, as it is.
func (s *set) cleanup(id uint32) {
	if s.transactionID == id {
		s.end()
	}
}

// abandon ends a Set that the master has left: what is not committed in full
// never happened. It reports whether it had to undo a commit that succeeded.
func (s *set) abandon() (undone bool) {
	switch s.state {
	case setCommitted:
		undone = true
		fallthrough
	case setFailed:
		s.tx.Undo() // nobody is left to be told whether that failed
	}
	s.end()
	return undone
}

func (s *set) end() {
	if s.state != setNone {
		s.tx.Cleanup()
	}
	s.state, s.tx = setNone, nil
}
