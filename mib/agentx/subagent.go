package agentx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"rtfm/mib/smi"
)

// DefaultAddress is where masters listen by RFC 2741 section 8.2.1.
const DefaultAddress = "unix:/var/agentx/master"

// Limits of time where Config says nothing else.
const (
	defaultPing     = time.Second
	defaultResponse = 10 * time.Second // snmpd may wait as long for another subagent
	dialTimeout     = time.Second
	writeTimeout    = 5 * time.Second
	firstRetry      = 50 * time.Millisecond
	lastRetry       = 500 * time.Millisecond
)

// Config says how a Subagent presents itself to which master.
type Config struct {
	// Address is the master's: "unix:PATH", "tcp:HOST:PORT", or one of these
	// without its first word. Empty means DefaultAddress.
	Address string
	// ID and Descr tell the master who opens the session. Both may be empty.
	ID    smi.OID
	Descr string
	// Context is that in which the MIB is registered and what is notified is told,
	// at most 32 octets; empty for the default one.
	Context string
	// Subtrees are the parts of the MIB to register.
	Subtrees []smi.OID
	// Capabilities are rows for the master's sysORTable. A master that does not
	// take them is served all the same.
	Capabilities []smi.Capability
	// Changed, if not nil, is called with nil when all is registered, and
	// with an *Error when that ends or when an attempt fails for another
	// reason than the one before. It is called from Run's goroutine.
	Changed func(error)

	// PingInterval is how often the master is asked whether it still knows
	// the session, 1 s by default.
	PingInterval time.Duration
	// ResponseTimeout is how long the master may take to respond, 10 s by
	// default. A Set that the master leaves open for three times as long ends
	// the session.
	ResponseTimeout time.Duration
}

// Error is why there is no session with the master, or no longer.
type Error struct {
	// Op is what was being done: "dial", "open", "register" and the subtree,
	// "ping", "read", "write", "set", "session".
	Op string
	// Err is the cause, a Code when the master refused.
	Err error
}

// Error returns operation and cause.
func (e *Error) Error() string { return "agentx: " + e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Stats counts what a Subagent has done.
type Stats struct {
	Sessions     uint64 // opened and registered
	Requests     uint64 // PDUs of types Get to CleanupSet
	BadPDUs      uint64 // that could not be decoded, or have no place in a session
	NotifySent   uint64 // accepted by the master
	NotifyFailed uint64 // refused by the master, or its response lost
	NotifyLost   uint64 // dropped since the queue was full, or too long for a PDU
	SetsUndone   uint64 // committed Sets undone as the session ended before their cleanup
}

// A Subagent serves an smi.Handler to an AgentX master.
type Subagent struct {
	cfg           Config
	network, addr string
	h             smi.Handler
	notify        notifyQueue
	stats         struct {
		sessions, requests, badPDUs, notifySent, notifyFailed, setsUndone atomic.Uint64
	}
}

// New returns a Subagent that serves h once it runs.
func New(cfg Config, h smi.Handler) (*Subagent, error) {
	s := &Subagent{cfg: cfg, h: h}
	if s.cfg.PingInterval <= 0 {
		s.cfg.PingInterval = defaultPing
	}
	if s.cfg.ResponseTimeout <= 0 {
		s.cfg.ResponseTimeout = defaultResponse
	}
	s.notify.wake = make(chan struct{}, 1)
	if len(cfg.Context) > maxContext {
		return nil, fmt.Errorf("agentx: context %q has more than %d octets", cfg.Context, maxContext)
	}
	var err error
	s.network, s.addr, err = splitAddress(cfg.Address)
	return s, err
}

// maxContext is the length of a context's name (RFC 3415 section 4, vacmContextName).
const maxContext = 32

// splitAddress returns what net.Dial needs to know.
func splitAddress(a string) (network, addr string, err error) {
	if a == "" {
		a = DefaultAddress
	}
	if path, ok := strings.CutPrefix(a, "unix:"); ok && path != "" {
		return "unix", path, nil
	}
	host, isTCP := strings.CutPrefix(a, "tcp:")
	if !isTCP && strings.Contains(a, "/") {
		return "unix", a, nil
	}
	if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
		return "", "", fmt.Errorf("agentx: address %q is neither unix:PATH nor tcp:HOST:PORT", a)
	}
	return "tcp", host, nil
}

// Run keeps a session with the master until ctx ends. After a session or an
// attempt has failed it tries again, at first after 50 ms, then at intervals
// of up to half a second. Run may be called once.
func (s *Subagent) Run(ctx context.Context) {
	retry := firstRetry
	reported := ""
	for {
		established, err := s.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if established {
			retry, reported = firstRetry, ""
		}
		if err.Error() != reported && s.cfg.Changed != nil {
			s.cfg.Changed(err)
		}
		reported = err.Error()
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// Notify has the master send a notification: trap is the value of its
// snmpTrapOID.0, and vars follow. Notify copies both and never waits;
// notifications that the master has not taken wait for it, also from one
// session to the next, and beyond 64 the oldest are dropped. Safe for
// concurrent use.
func (s *Subagent) Notify(trap smi.OID, vars ...smi.VarBind) {
	n := make([]smi.VarBind, 1+len(vars))
	n[0].SetName(snmpTrapOID)
	n[0].Value.SetOID(trap)
	for i := range vars {
		n[1+i].Set(&vars[i])
	}
	s.notify.push(n)
}

// Stats returns the counts until now. Safe for concurrent use.
func (s *Subagent) Stats() Stats {
	return Stats{
		Sessions:     s.stats.sessions.Load(),
		Requests:     s.stats.requests.Load(),
		BadPDUs:      s.stats.badPDUs.Load(),
		NotifySent:   s.stats.notifySent.Load(),
		NotifyFailed: s.stats.notifyFailed.Load(),
		NotifyLost:   s.notify.lostCount(),
		SetsUndone:   s.stats.setsUndone.Load(),
	}
}

// closedBy returns the error of a session that the master ended.
func closedBy(r Reason) error {
	return &Error{"session", fmt.Errorf("closed by the master: %v", r)}
}

var errTimeout = errors.New("the master does not respond")

// snmpTrapOID is snmpTrapOID.0 (RFC 3418 section 2).
var snmpTrapOID = smi.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}
