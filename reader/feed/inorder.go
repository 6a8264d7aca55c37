package feed

import (
	"io"

	"rtfm/traces/feed"
)

// InOrder is a Sink that writes packets as Lines does and flows as a Book, in the order in
// which they were told.
type InOrder struct {
	*Lines
	Book *Book
}

// NewInOrder returns one that writes to w, with room for so many flows.
func NewInOrder(w io.Writer, flows int) *InOrder {
	return &InOrder{NewLines(w), NewBook(w, 0, flows)}
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
	return o.Book.End(m, e)
}

// Gone implements Sink.
func (o *InOrder) Gone(m *Meter) error {
	if err := o.Lines.Gone(m); err != nil {
		return err
	}
	return o.Book.Gone(m)
}
