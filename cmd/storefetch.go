package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/store"
)

// fetch gets packets out of a store.
type fetch struct {
	pass func(p *traces.Packet) bool // says which are wanted; nil for all
	keep func(p *traces.Packet) int  // says how many octets of each; nil for all
	most int64                       // octets of packets, 0 for any number
	tell func(damage error)          // is told of chunks that are damaged, and files that are gone

	packets uint64
	octets  int64
	latest  int64 // time of the packet that was written last
	full    bool  // there are more than most
	damaged bool
	covered store.Covered
}

// packetStore is a store, or a trace that is asked like one.
type packetStore interface {
	traces.Source
	traces.Describer
	Covered() store.Covered
}

// run writes packets of src to w. The error is that of writing.
func (f *fetch) run(ctx context.Context, w *format.Writer, src packetStore) error {
	c := format.Conversion{Pass: f.passes, Keep: f.keep}
	for { // damage in a chunk ends only that
		part, err := format.Convert(ctx, w, &untilFull{src, f}, c)
		if err != nil {
			return err
		}
		f.packets += part.Packets
		f.covered = src.Covered()
		if part.Damage == nil || ctx.Err() != nil {
			return nil
		}
		f.damaged = f.damaged || !errors.Is(part.Damage, store.ErrRemoved)
		f.tell(part.Damage)
	}
}

// passes reports whether a packet is wanted and there is room for it.
func (f *fetch) passes(p *traces.Packet) bool {
	if f.full || f.pass != nil && !f.pass(p) {
		return false
	}
	n := len(p.Data)
	if f.keep != nil {
		n = min(n, f.keep(p))
	}
	if f.most > 0 && f.octets+int64(n) > f.most {
		f.full = true
		return false
	}
	f.octets += int64(n)
	f.latest = p.Time
	return true
}

// untilFull ends when there is no room for more.
type untilFull struct {
	packetStore
	f *fetch
}

// ReadBatch implements traces.Source.
func (u *untilFull) ReadBatch(b *traces.Batch) error {
	if u.f.full {
		return io.EOF
	}
	return u.packetStore.ReadBatch(b)
}

// status returns the exit status, 0 if all is there.
func (f *fetch) status() int {
	switch {
	case f.damaged:
		return StatusDamaged
	case f.full || !f.covered.Complete():
		return StatusMissing
	}
	return 0
}

// verdict tells what was found, and whether that is all.
func (f *fetch) verdict() string {
	if !f.full {
		return verdict(f.packets, &f.covered)
	}
	at := "before the first one"
	if f.packets > 0 {
		at = "behind the one of " + traces.TimeText(f.latest)
	}
	text := fmt.Sprintf("%s; not complete: it ends %s, as there are more than %d octets", packets(f.packets), at, f.most)
	if !f.covered.Complete() {
		text += "; " + verdict(f.packets, &f.covered)
	}
	return text
}

// both returns a function that asks two of packets, the first of all of them; nil if both
// are.
func both(first, second func(*traces.Packet) bool) func(*traces.Packet) bool {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return func(p *traces.Packet) bool { return first(p) && second(p) }
}
