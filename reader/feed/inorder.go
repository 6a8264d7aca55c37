package feed

import (
	"io"
	"time"

	"rtfm/traces/feed"
)

// InOrder is a Sink that writes packets as Lines and flows as a Book do, in the order in
// which they were told.
type InOrder struct {
	*Lines
	Book *Book
}

// NewInOrder returns one that writes to w, and is otherwise as NewBook's.
func NewInOrder(w io.Writer, interval time.Duration, flows int) *InOrder {
	return &InOrder{NewLines(w), NewBook(w, interval, flows)}
}

// New implements Sink.
func (o *InOrder) New(m *Meter, n *feed.New) error { return o.Book.New(m, n) }

// Packet implements Sink.
func (o *InOrder) Packet(m *Meter, p *feed.Packet) error {
	if err := o.Book.Packet(m, p); err != nil {
		return err
	}
	return o.Lines.Packet(m, p)
}

// End implements Sink.
func (o *InOrder) End(m *Meter, e *feed.End) error {
	if err := o.Lines.Flush(); err != nil {
		return err
	}
	if err := o.Book.End(m, e); err != nil {
		return err
	}
	return o.Book.Flush()
}

// Gone implements Sink.
func (o *InOrder) Gone(m *Meter) error {
	if err := o.Lines.Gone(m); err != nil {
		return err
	}
	return o.Book.Gone(m)
}
