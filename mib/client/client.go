package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosnmp/gosnmp"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// maxVariables is how many variables a request has at most. An error index
// beyond 255 would be cut to one octet.
const maxVariables = 128

// Client talks to one meter. It is not safe for concurrent use.
type Client struct {
	asking  sync.Mutex // held for a request: flows may be read ahead
	config  Config     // for sessions to come
	snmp    *gosnmp.GoSNMP
	proven  bool // the agent has answered a request of this session
	heard   bool // a datagram came since the latest request was sent
	refused bool // and it was no answer that could be believed
	address string
	timeout time.Duration
	retries int
	sent    time.Time // when the latest request was sent

	// patient is set once the meter gave no answer to a request for much:
	// less is asked for from then on.
	patient atomic.Bool
}

// Dial opens a socket for a meter. It sends nothing: a meter that is not there
// shows with the first request.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	c := &Client{config: cfg, address: cfg.Address}
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// connect opens a socket, in the place of the one that there is.
func (c *Client) connect(ctx context.Context) error {
	s, err := c.config.session()
	if err != nil {
		return err
	}
	c.timeout, c.retries = s.Timeout, s.Retries
	s.Context = ctx
	s.PreSend = func(*gosnmp.GoSNMP) { c.sent, c.heard = time.Now(), false }
	s.OnRecv = func(*gosnmp.GoSNMP) { c.heard = true }
	s.OnRetry = c.wait
	if err := s.Connect(); err != nil {
		return fmt.Errorf("%s: %w", c.address, err)
	}
	if c.snmp != nil {
		c.snmp.Conn.Close()
	}
	c.snmp, c.proven = s, false
	return nil
}

// Close closes the socket.
func (c *Client) Close() error { return c.snmp.Conn.Close() }

// Address returns the address that the Client was given.
func (c *Client) Address() string { return c.address }

// ended is a context that has ended.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// wait keeps a request from being sent again before it was due: garbage, or
// word that the port is closed, may come at once. An SNMPv3 session that was
// refused something ends; see stale.
func (c *Client) wait(s *gosnmp.GoSNMP) {
	if c.heard && c.proven && s.Version == gosnmp.Version3 {
		c.refused, s.Context = true, ended
		return
	}
	left := c.timeout - time.Since(c.sent)
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.Context.Done():
	}
}

// ask makes a request and returns the variables of the answer. A request that
// is sent once is not sent again without an answer.
func (c *Client) ask(ctx context.Context, once bool, request func() (*gosnmp.SnmpPacket, error)) ([]smi.VarBind, error) {
	c.asking.Lock()
	defer c.asking.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, c.wrap(err)
	}
	p, err := c.send(ctx, once, request)
	if err != nil && ctx.Err() == nil && c.stale(err) {
		if err := c.connect(ctx); err != nil {
			return nil, err
		}
		if once {
			return nil, c.wrap(fmt.Errorf("%w that can be believed: the agent was started again", ErrNoAnswer))
		}
		p, err = c.send(ctx, once, request)
	}
	switch {
	case ctx.Err() != nil:
		return nil, c.wrap(ctx.Err())
	case err != nil:
		return nil, c.wrap(c.fault(err))
	case p.PDUType != gosnmp.GetResponse:
		return nil, c.wrap(fmt.Errorf("%w: the answer is no response", ErrNonsense))
	}
	c.proven = true
	vars := make([]smi.VarBind, len(p.Variables))
	for i := range vars {
		if err := convert(&p.Variables[i], &vars[i]); err != nil {
			return nil, c.wrap(err)
		}
	}
	if p.Error != gosnmp.NoError {
		refused := &Error{Status: smi.Status(p.Error)}
		if at := int(p.ErrorIndex); at > 0 && at <= len(vars) {
			refused.Object = module.InstanceName(vars[at-1].Name)
		}
		return nil, c.wrap(refused)
	}
	return vars, nil
}

// send makes a request.
func (c *Client) send(ctx context.Context, once bool, request func() (*gosnmp.SnmpPacket, error)) (*gosnmp.SnmpPacket, error) {
	c.snmp.Context, c.snmp.Retries, c.refused = ctx, c.retries, false
	if once {
		c.snmp.Retries = 0
	}
	// A blocked read takes no notice of ctx. If setting the deadline fails, the
	// socket is closed, and the read fails too.
	conn := c.snmp.Conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	return request()
}

// stale reports whether an SNMPv3 session has to start over: an agent that has
// answered in it has refused something, or what came in place of an answer cannot
// be believed. It has most likely been started again and has another engine ID,
// with which keys are made (RFC 3414 section 2.6).
func (c *Client) stale(err error) bool {
	return c.proven && c.snmp.Version == gosnmp.Version3 && (c.refused || errors.Is(c.fault(err), ErrAccess) ||
		errors.Is(err, gosnmp.ErrUnknownEngineID) || errors.Is(err, gosnmp.ErrNotInTimeWindow))
}

// wrap says which meter an error is about.
func (c *Client) wrap(err error) error { return fmt.Errorf("%s: %w", c.address, err) }

// fault returns what an error of gosnmp's means.
func (c *Client) fault(err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, gosnmp.ErrUnknownUsername):
		return fmt.Errorf("%w: the agent does not know the SNMPv3 user", ErrAccess)
	case errors.Is(err, gosnmp.ErrWrongDigest):
		return fmt.Errorf("%w: wrong authentication passphrase or protocol", ErrAccess)
	case errors.Is(err, gosnmp.ErrDecryption):
		return fmt.Errorf("%w: wrong privacy passphrase or protocol", ErrAccess)
	case errors.Is(err, gosnmp.ErrUnknownSecurityLevel):
		return fmt.Errorf("%w: the agent wants another security level", ErrAccess)
	case strings.Contains(text, "not authentic"):
		// The agent says what is wrong in a report that is not authenticated.
		return fmt.Errorf("%w: the agent does not know the SNMPv3 user or its authentication passphrase", ErrAccess)
	case strings.HasPrefix(text, "recover: "):
		// gosnmp gave up an answer by a panic; its stack follows.
		return fmt.Errorf("%w: the answer is malformed", ErrNonsense)
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded) || errors.Is(err, context.DeadlineExceeded):
		why := "is the meter running there, may it be asked from here, and is this its community?"
		if c.snmp.Version == gosnmp.Version3 {
			why = "is the meter running there, and is its privacy passphrase right?"
		}
		return fmt.Errorf("%w within %v: %s", ErrNoAnswer, c.timeout*time.Duration(c.snmp.Retries+1), why)
	case strings.Contains(text, "connection refused"):
		return fmt.Errorf("%w: nothing listens at this port", ErrNoAnswer)
	}
	return fmt.Errorf("%w: %v", ErrNoAnswer, err)
}

// convert makes a variable of gosnmp's one of ours.
func convert(p *gosnmp.SnmpPDU, vb *smi.VarBind) error {
	name, err := smi.ParseOID(p.Name)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrNonsense, err)
	}
	vb.Name = name
	v := &vb.Value
	v.Type = smi.Type(p.Type)
	switch value := p.Value.(type) {
	case nil:
		if v.Type.Valid() && v.Type >= smi.NoSuchObject || v.Type == smi.Null {
			return nil
		}
	case int:
		if int(int32(value)) == value && v.Type == smi.Integer32 {
			v.Int = int32(value)
			return nil
		}
	case uint:
		if uint64(value) <= 0xffffffff && (v.Type == smi.Counter32 || v.Type == smi.Gauge32) {
			v.Uint = uint64(value)
			return nil
		}
	case uint32:
		if v.Type == smi.TimeTicks {
			v.Uint = uint64(value)
			return nil
		}
	case uint64:
		if v.Type == smi.Counter64 {
			v.Uint = value
			return nil
		}
	case []byte:
		if v.Type == smi.OctetString || v.Type == smi.Opaque {
			v.Octets = value
			return nil
		}
	}
	switch v.Type {
	case smi.Integer32, smi.Counter32, smi.Gauge32, smi.TimeTicks, smi.Counter64, smi.OctetString, smi.Opaque:
		return nonsense(name, "a malformed value of type %v", v.Type)
	}
	// A walk may run into any object after the Meter MIB's. In the place of
	// one of those, the type is wrong.
	return nil
}

// pdu makes a variable of ours one of gosnmp's.
func pdu(vb *smi.VarBind) gosnmp.SnmpPDU {
	p := gosnmp.SnmpPDU{Name: vb.Name.String(), Type: gosnmp.Asn1BER(vb.Value.Type)}
	switch vb.Value.Type {
	case smi.Integer32:
		p.Value = int(vb.Value.Int)
	case smi.TimeTicks, smi.Gauge32:
		p.Value = uint32(vb.Value.Uint)
	case smi.OctetString:
		p.Value = vb.Value.Octets
	}
	return p
}

func texts(names []smi.OID) []string {
	s := make([]string, len(names))
	for i, n := range names {
		s[i] = n.String()
	}
	return s
}

// get reads variables. Those that the meter does not have come as exceptions.
func (c *Client) get(ctx context.Context, names ...smi.OID) ([]smi.VarBind, error) {
	vars, err := c.ask(ctx, false, func() (*gosnmp.SnmpPacket, error) { return c.snmp.Get(texts(names)) })
	if err != nil {
		return nil, err
	}
	if len(vars) != len(names) {
		return nil, c.wrap(fmt.Errorf("%w: asked for %d variables, the answer has %d", ErrNonsense, len(names), len(vars)))
	}
	for i := range vars {
		if vars[i].Name.Compare(names[i]) != 0 {
			return nil, c.wrap(nonsense(names[i], "the answer names %s", module.InstanceName(vars[i].Name)))
		}
	}
	return vars, nil
}

// bulk makes a GetBulk request. The answer may have fewer variables than were
// asked for, but none of a range that does not go on; see cursor.
func (c *Client) bulk(ctx context.Context, names []smi.OID, repetitions int) ([]smi.VarBind, error) {
	vars, err := c.ask(ctx, false, func() (*gosnmp.SnmpPacket, error) {
		return c.snmp.GetBulk(texts(names), 0, uint32(repetitions))
	})
	if err != nil {
		return nil, err
	}
	if len(vars) == 0 || len(vars) > len(names)*repetitions {
		return nil, c.wrap(nonsense(names[0], "asked for up to %d variables behind it, the answer has %d", len(names)*repetitions, len(vars)))
	}
	return vars, nil
}

// set sets variables, all or none. Without an answer it sends the request
// again if done is nil, and else only when done says that nothing was set.
func (c *Client) set(ctx context.Context, done func() (bool, error), vars ...smi.VarBind) error {
	pdus := make([]gosnmp.SnmpPDU, len(vars))
	for i := range vars {
		pdus[i] = pdu(&vars[i])
	}
	for try := 0; ; try++ {
		_, err := c.ask(ctx, done != nil, func() (*gosnmp.SnmpPacket, error) { return c.snmp.Set(pdus) })
		if err == nil || done == nil || ctx.Err() != nil || !unsure(err) {
			return err
		}
		ok, doneErr := done()
		if ok || doneErr != nil {
			return doneErr
		}
		if try >= c.retries {
			return err
		}
	}
}

// unsure reports whether a request may have been carried out although it failed.
func unsure(err error) bool { return errors.Is(err, ErrNoAnswer) || errors.Is(err, ErrNonsense) }

// integer, ticks and text make variables to set.

func integer(name smi.OID, n int) smi.VarBind {
	vb := smi.VarBind{Name: name}
	vb.Value.SetInt(int32(n))
	return vb
}

func ticks(name smi.OID, n uint32) smi.VarBind {
	vb := smi.VarBind{Name: name}
	vb.Value.SetUint(smi.TimeTicks, uint64(n))
	return vb
}

func text(name smi.OID, s string) smi.VarBind {
	vb := smi.VarBind{Name: name}
	vb.Value.SetOctets(smi.OctetString, []byte(s))
	return vb
}
