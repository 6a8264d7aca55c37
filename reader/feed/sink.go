package feed

import (
	"errors"
	"time"

	"rtfm/traces/feed"
)

// Meter is one that is heard: an observation domain of an exporter at one address, or in
// one file. An exporter that begins anew is another one, if its port is.
type Meter struct {
	// Name is the address that its messages come from, or the name of the file, with
	// the observation domain behind it if that is not 0.
	Name   string
	Domain uint32
	// Input is the number of the place where it is heard, from 0 as they were opened.
	Input int
	// Form is that of its records, and Heard when the message at hand was received.
	Form  feed.Form
	Heard time.Time
	// Messages and Records came from it; those that did not are Missing, Late ones came
	// twice or too late. Before is how many records it had made before the first that
	// came.
	Messages, Records, Missing, Late, Before uint64
	// Number is that of the packet at hand among all records of the meter, from 0.
	Number uint64
	// Gone is set if nothing more comes from it.
	Gone bool
	// Stats is the latest that it has told of itself.
	Stats feed.Stats
	// Damaged is how many messages could not be read, Fault what was wrong with the
	// first of them.
	Damaged uint64
	Fault   error

	begun  bool
	before feed.Counts // of what reads its messages, when it was met
}

// Sink takes the records of all meters, those of each one in their order. Values are
// valid until the call returns. An error ends the receiving.
type Sink interface {
	New(m *Meter, n *feed.New) error
	Packet(m *Meter, p *feed.Packet) error
	End(m *Meter, e *feed.End) error
	Stats(m *Meter, s *feed.Stats) error
	// Missing says that so many records did not come, between what came before and
	// what follows.
	Missing(m *Meter, records uint64) error
	// Gone says that nothing more comes from this meter.
	Gone(m *Meter) error
}

// Tee is a Sink that gives all to several ones, of which each has all even where another
// fails.
type Tee []Sink

func (t Tee) each(call func(Sink) error) (err error) {
	for _, s := range t {
		err = errors.Join(err, call(s))
	}
	return err
}

// New implements Sink.
func (t Tee) New(m *Meter, n *feed.New) error {
	return t.each(func(s Sink) error { return s.New(m, n) })
}

// Packet implements Sink.
func (t Tee) Packet(m *Meter, p *feed.Packet) (err error) {
	for _, s := range t {
		if e := s.Packet(m, p); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// End implements Sink.
func (t Tee) End(m *Meter, e *feed.End) error {
	return t.each(func(s Sink) error { return s.End(m, e) })
}

// Stats implements Sink.
func (t Tee) Stats(m *Meter, n *feed.Stats) error {
	return t.each(func(s Sink) error { return s.Stats(m, n) })
}

// Missing implements Sink.
func (t Tee) Missing(m *Meter, records uint64) error {
	return t.each(func(s Sink) error { return s.Missing(m, records) })
}

// Gone implements Sink.
func (t Tee) Gone(m *Meter) error { return t.each(func(s Sink) error { return s.Gone(m) }) }
