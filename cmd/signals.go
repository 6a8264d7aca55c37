package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// endWithin is how long after a signal a command may take to end that has
	// nothing to finish.
	endWithin = 800 * time.Millisecond
	// sameWish is how long after the first signal further ones are taken for the
	// same wish: timeout(1) sends SIGTERM twice, to its child and to its group.
	sameWish = 2 * time.Second
)

// ending is how signals end the program: SIGINT, SIGTERM and SIGHUP. The first
// one ends the context of the command. One that then writes what it has, and has
// said so by finishing, may take its time for that; any other is ended soon
// after. Further signals count from sameWish after the first on. Of these the
// first is offered to whoever waits for it; if nobody does, and it is of the same
// kind, it is answered with a warning, and what comes after it ends the program
// at once.
type ending struct {
	signals   chan os.Signal
	first     atomic.Int32  // the signal that came first, or 0
	finishing atomic.Int32  // how many are at finishing something
	ownHangup atomic.Bool   // SIGHUP means something else
	again     chan struct{} // has a signal that somebody waits for
	stopped   chan struct{}
	stderr    io.Writer
}

type endingKey struct{}

// withEnding returns a context that the first signal ends. stop is called when
// the command has ended.
func withEnding(ctx context.Context, stderr io.Writer) (_ context.Context, e *ending, stop func()) {
	e = &ending{signals: make(chan os.Signal, 8), again: make(chan struct{}), stopped: make(chan struct{}), stderr: stderr}
	ctx, cancel := context.WithCancel(context.WithValue(ctx, endingKey{}, e))
	signal.Notify(e.signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(e.signals, syscall.SIGHUP)
	}
	go e.watch(cancel)
	return ctx, e, func() {
		close(e.stopped) // signals are still caught, so that none falls into the exit
		cancel()
	}
}

// watch does as ending tells.
func (e *ending) watch(cancel context.CancelFunc) {
	var since time.Time // the first signal
	var over <-chan time.Time
	warned := false
	for {
		select {
		case <-e.stopped:
			return
		case <-over:
			if e.finishing.Load() == 0 {
				os.Exit(e.status())
			}
		case s := <-e.signals:
			sig := s.(syscall.Signal)
			switch {
			case sig == syscall.SIGHUP && e.ownHangup.Load():
			case since.IsZero():
				since, over = time.Now(), time.After(endWithin)
				e.first.Store(int32(sig))
				cancel()
			case time.Since(since) < sameWish:
			default:
				e.further(sig, warned)
				warned = true
			}
		}
	}
}

// further does what a signal long after the first one asks for.
func (e *ending) further(sig syscall.Signal, warned bool) {
	select {
	case e.again <- struct{}{}:
		return
	default:
	}
	if warned || int32(sig) != e.first.Load() {
		os.Exit(exitStatus(sig))
	}
	fmt.Fprintln(e.stderr, "rtfm: what was counted is still being written; another signal ends that")
}

// exitStatus is the one that a shell tells of a program that a signal has ended.
func exitStatus(sig syscall.Signal) int { return 128 + int(sig) }

// status returns the exit status of a command that a signal has ended, 0 if none
// came.
func (e *ending) status() int {
	if sig := syscall.Signal(e.first.Load()); sig != 0 {
		return exitStatus(sig)
	}
	return 0
}

// endingOf returns what ends the command with this context, nil in tests that
// have no signals.
func endingOf(ctx context.Context) *ending {
	e, _ := ctx.Value(endingKey{}).(*ending)
	return e
}

// finishing says that, when ctx is done, something will be finished until the
// function that it returns is called.
func finishing(ctx context.Context) (done func()) {
	e := endingOf(ctx)
	if e == nil {
		return func() {}
	}
	e.finishing.Add(1)
	return func() { e.finishing.Add(-1) }
}

// furtherSignal returns a channel that has a signal to end that comes long after
// the first, nil if there are none.
func furtherSignal(ctx context.Context) <-chan struct{} {
	if e := endingOf(ctx); e != nil {
		return e.again
	}
	return nil
}
