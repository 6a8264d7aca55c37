package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rtfm/reader/feed"
)

// makePair has the receiver make one stream of two meters, and go on where another one
// has ended. It is called when all else is open: what the other one has written is read
// once.
func (r *feedRun) makePair() error {
	r.pair = feed.NewPair(r.sinks)
	r.pair.MaxFlows = r.options.maxFlows
	r.receiver.Sink, r.receiver.Every = r.pair, pairTick
	if r.options.pairState == "" {
		return nil
	}
	if err := r.tryState(); err != nil {
		return err
	}
	f, err := os.Open(r.options.pairState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.pair.Tick(time.Now()); err != nil {
		return err
	}
	if err := r.pair.Load(f); err != nil {
		return fmt.Errorf("%s: %w", r.options.pairState, err)
	}
	return os.Remove(r.options.pairState) // what it says is true once
}

// closePair tells of what waits at the end, and keeps what the next receiver must know.
func (r *feedRun) closePair() error {
	if r.pair == nil {
		return nil
	}
	err := r.pair.Close()
	if r.options.pairState == "" {
		return err
	}
	f, e := r.stateFile()
	if e != nil {
		return errors.Join(err, e)
	}
	e = errors.Join(r.pair.Save(f), f.Close())
	if e == nil {
		e = os.Rename(f.Name(), r.options.pairState)
	}
	if e != nil {
		os.Remove(f.Name())
	}
	return errors.Join(err, e)
}

// stateFile makes the file that becomes that of --pair-state when it is whole.
func (r *feedRun) stateFile() (*os.File, error) {
	return os.CreateTemp(filepath.Dir(r.options.pairState), ".pair")
}

// tryState finds that --pair-state could not be written at the end.
func (r *feedRun) tryState() error {
	f, err := r.stateFile()
	if err != nil {
		return fmt.Errorf("--pair-state: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
