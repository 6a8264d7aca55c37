package query

import (
	"errors"
	"slices"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Ahead returns a collection whose flows are read by another goroutine, some ahead of
// what is done with them: both take about as long where the collection is of a file.
func Ahead(from record.From) record.From { return &ahead{from} }

type ahead struct{ record.From }

// batch is some flows.
type batch struct {
	flows   [batchLen]match.Flow
	counted [batchLen]record.Counters
	known   [batchLen]bool // whether counted is
	n       int
}

const (
	batchLen = 256
	batches  = 4
)

var errStopped = errors.New("what was read is not wanted any longer")

// Flows implements record.From.
func (a *ahead) Flows(put func(*match.Flow, *record.Counters) error) error {
	empty, full, stop := make(chan *batch, batches), make(chan *batch, batches), make(chan struct{})
	for range batches {
		empty <- new(batch)
	}
	var failed error // read once full is closed
	go func() {
		defer close(full)
		failed = a.read(empty, full, stop)
	}()
	var err error
	for b := range full {
		for i := 0; i < b.n && err == nil; i++ {
			counted := &b.counted[i]
			if !b.known[i] {
				counted = nil
			}
			if err = put(&b.flows[i], counted); err != nil {
				close(stop)
			}
		}
		empty <- b
	}
	if err != nil {
		return err
	}
	return failed
}

// read fills empty batches with flows until stop is closed.
func (a *ahead) read(empty <-chan *batch, full chan<- *batch, stop <-chan struct{}) error {
	b := <-empty
	b.n = 0
	err := a.From.Flows(func(f *match.Flow, counted *record.Counters) error {
		b.take(f, counted)
		if b.n < batchLen {
			return nil
		}
		full <- b
		b = <-empty
		b.n = 0
		select {
		case <-stop:
			return errStopped
		default:
			return nil
		}
	})
	full <- b
	return err
}

// take copies a flow, which is valid for the moment only.
func (b *batch) take(f *match.Flow, counted *record.Counters) {
	to := &b.flows[b.n]
	counters := to.Counters[:0]
	*to = *f
	for _, c := range f.Counters {
		counters = append(counters, slices.Clone(c))
	}
	to.Counters = counters
	if b.known[b.n] = counted != nil; counted != nil {
		b.counted[b.n] = *counted
		b.counted[b.n].Distributions = slices.Clone(counted.Distributions)
	}
	b.n++
}
