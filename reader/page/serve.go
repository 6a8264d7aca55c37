package page

import (
	"context"
	"crypto/tls"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// MostConnections is how many connections there may be at a time, of which
	// MostStreams are viewers'.
	MostConnections = 128
	// inTime is how long a request may take to come, and an answer to go that is no
	// stream.
	inTime = 5 * time.Second
	// sendBuffer is what waits in the system for a viewer that does not read.
	sendBuffer = 256 << 10
)

// Serve serves the page until ctx is done, which ends all connections at once.
func (p *Page) Serve(ctx context.Context, l net.Listener, errors *log.Logger) error {
	s := &http.Server{
		Handler: p, ErrorLog: errors, MaxHeaderBytes: 16 << 10, DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: p.inTime, ReadTimeout: p.inTime, WriteTimeout: 2 * p.inTime, IdleTimeout: time.Minute,
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 2 * MostStreams, WriteByteTimeout: p.patience},
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withConn,
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	bounded := &bounded{Listener: l, most: MostConnections}
	var err error
	if p.cfg.TLS != nil {
		s.TLSConfig = p.cfg.TLS.Clone()
		s.TLSConfig.MinVersion = tls.VersionTLS12
		err = s.ServeTLS(bounded, "", "")
	} else {
		err = s.Serve(bounded)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// bounded is a Listener that has at most so many connections. Where there are more, the
// oldest one that is no viewer's is closed, not the one that has just come: who opens
// many takes them from themselves.
type bounded struct {
	net.Listener
	most int
	mu   sync.Mutex
	open []*conn // the oldest first
}

// conn is a connection of a bounded Listener.
type conn struct {
	net.Conn
	of      *bounded
	viewers int
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	accepted, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := accepted.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	c := &conn{Conn: accepted, of: b}
	var old *conn
	b.mu.Lock()
	b.open = append(b.open, c)
	if len(b.open) > b.most {
		old = b.open[slices.IndexFunc(b.open, func(c *conn) bool { return c.viewers == 0 })] // c, if there is no other
	}
	b.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return c, nil
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.of.mu.Lock()
	c.of.open = slices.DeleteFunc(c.of.open, func(o *conn) bool { return o == c })
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// connKey is where the context of a request has its conn.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}

// keep has the connection of a request be a viewer's until the function that it returns
// is called.
func keep(r *http.Request) func() {
	c, ok := r.Context().Value(connKey{}).(*conn)
	if !ok {
		return func() {}
	}
	add := func(n int) {
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		c.viewers += n
	}
	add(1)
	return func() { add(-1) }
}
