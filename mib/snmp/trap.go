package snmp

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"rtfm/mib/smi"
)

// TrapConfig says who is told of notifications.
type TrapConfig struct {
	Address   string // HOST:PORT by UDP; the host is looked up once
	Community string
	// Uptime returns how long the agent runs, for sysUpTime.
	Uptime func() time.Duration
	// Failed, if not nil, is called from Run's goroutine with why a trap was not
	// taken. A receiver that is not there is known when the next trap is sent.
	Failed func(error)
}

// TrapSink sends notifications as traps of SNMPv2c (RFC 3416 section 4.2.6) to one
// receiver. Traps are not acknowledged: one that the network loses is lost.
type TrapSink struct {
	cfg   TrapConfig
	conn  net.Conn
	queue chan []byte
	id    atomic.Int32 // request-id of the latest
	lost  atomic.Uint64
}

const (
	maxTraps    = 64 // that wait to be sent
	trapTimeout = time.Second
)

// The first variables of a trap (RFC 3418 section 2).
var (
	sysUpTime0  = smi.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}
	snmpTrapOID = smi.OID{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0}
)

// NewTrapSink returns a TrapSink that sends once it runs.
func NewTrapSink(cfg TrapConfig) (*TrapSink, error) {
	conn, err := net.Dial("udp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("snmp: traps: %w", err)
	}
	return &TrapSink{cfg: cfg, conn: conn, queue: make(chan []byte, maxTraps)}, nil
}

// Notify sends a notification: trap is the value of its snmpTrapOID.0, and vars
// follow. It copies both and never waits: beyond 64 that wait to be sent, further
// ones are lost. Safe for concurrent use.
func (s *TrapSink) Notify(trap smi.OID, vars ...smi.VarBind) {
	all := make([]smi.VarBind, 2, 2+len(vars))
	all[0].SetName(sysUpTime0)
	all[0].Value.SetUint(smi.TimeTicks, uint64(s.cfg.Uptime()/(10*time.Millisecond)))
	all[1].SetName(snmpTrapOID)
	all[1].Value.SetOID(trap)
	all = slices.Concat(all, vars)
	m := message{community: []byte(s.cfg.Community), requestID: s.id.Add(1)}
	select {
	case s.queue <- m.append(nil, snmpV2Trap, smi.NoError, 0, all, octets(all)):
	default:
		s.lost.Add(1)
	}
}

// Run sends what waits until ctx ends, then what still waits, and closes the
// socket. Run may be called once.
func (s *TrapSink) Run(ctx context.Context) {
	defer s.conn.Close()
	for {
		select {
		case m := <-s.queue:
			s.send(m)
			continue
		default:
		}
		select {
		case m := <-s.queue:
			s.send(m)
		case <-ctx.Done():
			if len(s.queue) == 0 {
				return
			}
		}
	}
}

// send sends a trap. The first try may fail since the receiver refused the one
// before.
func (s *TrapSink) send(m []byte) {
	for range 2 {
		err := s.conn.SetWriteDeadline(time.Now().Add(trapTimeout))
		if err == nil {
			_, err = s.conn.Write(m)
		}
		if err == nil {
			return
		}
		if s.cfg.Failed != nil {
			s.cfg.Failed(err)
		}
	}
}

// Lost returns how many notifications found too many waiting. Safe for concurrent
// use.
func (s *TrapSink) Lost() uint64 { return s.lost.Load() }
