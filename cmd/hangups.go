package cmd

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// hangups returns the SIGHUPs that come until stop is called. They do not end the
// command any more.
func hangups(ctx context.Context) (hups <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	ownHangup(ctx)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// endAfterAll has the signal that had another meaning end the command.
func endAfterAll(ctx context.Context) {
	if e := endingOf(ctx); e != nil {
		e.ownHangup.Store(false)
		e.signals <- syscall.SIGHUP
	}
}

// ownHangup gives SIGHUP another meaning than to end the command.
func ownHangup(ctx context.Context) {
	if e := endingOf(ctx); e != nil {
		e.ownHangup.Store(true)
	}
}
