package nats

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"rtfm/reader/export"
)

// connection is one to a server. It is given up at the first error: the next is to
// another server, perhaps.
type connection struct {
	conn   *nats.Conn
	js     jetstream.JetStream
	most   int        // octets of a message, its header included
	denied chan error // what the server does not allow
}

// Time for a server to answer, if all is well.
const (
	dialTimeout = 10 * time.Second
	apiTimeout  = 5 * time.Second
)

// connect connects, unless that was done, and looks for the stream.
func (p *publisher) connect(ctx context.Context) error {
	if p.connection != nil && p.conn.IsConnected() {
		return nil
	}
	if err := p.dial(ctx); err != nil {
		return err
	}
	info, err := p.findStream(ctx)
	if p.create && errors.Is(err, jetstream.ErrStreamNotFound) {
		info, err = p.createStream(ctx)
	}
	if err != nil {
		return err
	}
	if most := int(info.Config.MaxMsgSize); most > 0 {
		p.most = min(p.most, most)
	}
	p.tellRisks(ctx, info)
	return nil
}

// dial connects to the first server that lets us.
func (p *publisher) dial(ctx context.Context) error {
	p.disconnect()
	denied := make(chan error, 1)
	d := &dialer{ctx: ctx}
	defer d.done()
	conn, err := nats.Connect(strings.Join(p.servers, ","), slices.Concat(p.options, []nats.Option{
		nats.Timeout(dialTimeout), nats.SetCustomDialer(d),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				select {
				case denied <- err:
				default: // one is enough
				}
			}
		}),
	})...)
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return export.Refuse(err)
	case errors.Is(err, nats.ErrNoServers) && d.err != nil:
		return d.err
	case err != nil:
		return err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return err
	}
	p.connection = &connection{conn: conn, js: js, most: int(conn.MaxPayload()), denied: denied}
	return nil
}

func (p *publisher) disconnect() {
	if p.connection != nil {
		p.conn.Close()
		p.connection = nil
	}
}

// dialer is that of a connection. Whatever it has dialled ends with its context.
type dialer struct {
	ctx   context.Context
	err   error // of the last server that did not answer
	ended []func() bool
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	var to net.Dialer
	ctx, cancel := context.WithTimeout(d.ctx, dialTimeout)
	defer cancel()
	conn, err := to.DialContext(ctx, network, address)
	if err != nil {
		d.err = err
		return nil, err
	}
	d.ended = append(d.ended, context.AfterFunc(d.ctx, func() { conn.Close() }))
	return conn, nil
}

// done leaves what was dialled to whoever has it.
func (d *dialer) done() {
	for _, stop := range d.ended {
		stop()
	}
}

// findStream looks whether there is the stream, and whether it takes what we send.
func (p *publisher) findStream(ctx context.Context) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	s, err := p.js.Stream(ctx, p.stream)
	if err != nil {
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, export.Refuse(fmt.Errorf("%w: there is no stream %s; ?create makes it", err, p.stream))
		}
		return nil, p.outcome(ctx, err)
	}
	info := s.CachedInfo()
	for _, subject := range p.wanted.Subjects {
		if !slices.ContainsFunc(info.Config.Subjects, func(of string) bool { return covers(of, subject) }) {
			return nil, export.Refuse(fmt.Errorf("stream %s has no subject %s", p.stream, subject))
		}
	}
	return info, nil
}

// covers reports whether a subject with wildcards has all that another one has, which
// ends in >.
func covers(subject, other string) bool {
	has, want := strings.Split(subject, "."), strings.Split(other, ".")
	for i, token := range has {
		switch {
		case token == ">":
			return true
		case i >= len(want), token != "*" && token != want[i], token == "*" && want[i] == ">":
			return false
		}
	}
	return len(has) == len(want)
}

func (p *publisher) createStream(ctx context.Context) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	s, err := p.js.CreateStream(ctx, p.wanted)
	if err != nil {
		return nil, p.outcome(ctx, fmt.Errorf("stream %s: %w", p.stream, err))
	}
	return s.CachedInfo(), nil
}

// Codes of errors of JetStream that pass, though they look as if it were us.
const (
	noPeers         = 10005 // no suitable peers for placement
	duplicateAtWork = 10158 // a duplicate message is in process
)

// outcome returns what an error means: a Refusal if the server will not have what we
// send.
func (p *publisher) outcome(ctx context.Context, err error) error {
	select {
	case denied := <-p.denied:
		return export.Refuse(denied)
	default:
	}
	var js jetstream.JetStreamError
	if errors.As(err, &js) {
		if api := js.APIError(); api != nil && api.Code/100 == 4 && api.ErrorCode != noPeers && api.ErrorCode != duplicateAtWork {
			return export.Refuse(err)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer of %s", p.conn.ConnectedAddr())
	}
	return err
}
