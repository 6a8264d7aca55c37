package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"rtfm/reader/feature"
	"rtfm/reader/feed"
)

// feedRun is a running `rtfm feed`.
type feedRun struct {
	options  *feedReceiverOptions
	receiver *feed.Receiver
	book     *feed.Book
	pair     *feed.Pair // nil without
	strange  bool       // it was told that the pair is none
	sinks    feed.Tee
	flush    []func() error
	close    []io.Closer
	stderr   io.Writer
	progress feedProgress
	both     *feed.InOrder   // nil if not all is written to standard output
	table    *feature.Table  // nil without features
	scorer   *feature.Scorer // or without one
}

// run receives feeds to their end, and tells what was missing.
func (o *feedReceiverOptions) run(cmd *cobra.Command, files []string) error {
	if err := errors.Join(o.check(files), o.features.check(cmd, o.flows, o.packets)); err != nil {
		return err
	}
	r := &feedRun{options: o, stderr: cmd.ErrOrStderr(), progress: newFeedProgress(cmd.ErrOrStderr(), o.quiet)}
	defer r.closeAll()
	if err := r.open(cmd, files); err != nil {
		return err
	}
	defer finishing(cmd.Context())()
	err := r.receiver.Run(cmd.Context())
	r.progress.clear()
	err = errors.Join(err, r.closePair())
	if r.scorer != nil {
		err = errors.Join(err, r.scorer.Close())
	}
	if err = errors.Join(err, r.book.Close(), r.flushAll()); err != nil {
		return err
	}
	for _, c := range r.close {
		err = errors.Join(err, c.Close())
	}
	if r.close = nil; err != nil {
		return err
	}
	return r.tell()
}

// open opens what is written and where feeds come from.
func (r *feedRun) open(cmd *cobra.Command, files []string) error {
	o := r.options
	flows, err := r.output(cmd, o.flows)
	if err != nil {
		return err
	}
	packets, err := r.output(cmd, o.packets)
	if err != nil {
		return err
	}
	if err := r.addFeatures(o.onlyFiles(files)); err != nil {
		return err
	}
	if o.json {
		all := bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)
		r.both = feed.NewInOrder(all, o.maxFlows)
		if r.table != nil {
			r.both.Book.Label = r.label
		}
		r.sinks = append(r.sinks, r.both)
		r.flush = append(r.flush, r.both.Flush, all.Flush)
	}
	r.book = feed.NewBook(flows, o.length(), o.maxFlows)
	if r.table != nil {
		r.book.Label = r.label
	}
	r.sinks = append(r.sinks, r.book)
	if packets != nil {
		lines := feed.NewLines(packets)
		r.sinks = append(r.sinks, lines)
		r.flush = append(r.flush, lines.Flush)
	}
	r.receiver = &feed.Receiver{
		Sink: r.sinks, UntilEnd: o.untilEnd, Tick: r.tick, Warn: r.warn,
		Limits: feed.Limits{Meters: o.meters, Queue: int(o.queue), Buffer: int(o.buffer)},
	}
	r.close = append(r.close, r.receiver)
	for _, u := range o.urls(files) {
		if err := r.receiver.Open(u, cmd.InOrStdin()); err != nil {
			return err
		}
	}
	if o.pair {
		return r.makePair()
	}
	return nil
}

func (r *feedRun) flushAll() (err error) {
	for _, flush := range r.flush {
		err = errors.Join(err, flush())
	}
	return err
}

func (r *feedRun) closeAll() {
	for _, c := range r.close {
		c.Close()
	}
}

// tick writes what was received, and tells how far it is.
func (r *feedRun) tick() {
	r.tickPair()
	if err := r.flushAll(); err != nil {
		r.receiver.Fail(err)
	}
	r.progress.show(r.receiver, r.book)
}

func (r *feedRun) warn(message string) {
	r.progress.clear()
	fmt.Fprintf(r.stderr, "rtfm: warning: %s\n", message)
}
