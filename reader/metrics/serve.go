package metrics

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	// mostConnections is how many connections there may be at a time. One more closes
	// the oldest: who opens many takes them from themselves.
	mostConnections = 16
	// inTime is how long a request may take to come, and its answer to go.
	inTime = 10 * time.Second
)

// Page answers GET /metrics, and nothing else.
type Page struct {
	gather func(context.Context, *Set)
	one    sync.Mutex
}

// NewPage returns a Page that has gather put together each answer, one at a time.
func NewPage(gather func(context.Context, *Set)) *Page { return &Page{gather: gather} }

// ServeHTTP implements http.Handler.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	switch {
	case r.URL.Path != "/metrics":
		http.Error(w, "there is only /metrics", http.StatusNotFound)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	var s Set
	p.one.Lock()
	p.gather(r.Context(), &s)
	p.one.Unlock()
	b := s.Append(nil)
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", fmt.Sprint(len(b)))
	w.Write(b)
}

// Serve serves until ctx is done.
func (p *Page) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler: p, ErrorLog: log.New(io.Discard, "", 0), MaxHeaderBytes: 16 << 10, DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout: inTime, ReadTimeout: inTime, WriteTimeout: inTime, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(&bounded{Listener: l}); ctx.Err() == nil {
		return err
	}
	return nil
}

// bounded is a Listener of mostConnections.
type bounded struct {
	net.Listener
	mu   sync.Mutex
	open []*conn // the oldest first
}

// conn is a connection of a bounded Listener.
type conn struct {
	net.Conn
	of *bounded
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	accepted, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &conn{accepted, b}
	var old *conn
	b.mu.Lock()
	if b.open = append(b.open, c); len(b.open) > mostConnections {
		old = b.open[0]
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
