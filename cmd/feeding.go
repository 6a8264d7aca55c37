package cmd

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter"
	"rtfm/meter/export"
	meterfeed "rtfm/meter/feed"
)

const (
	// feedRepeat is how often templates and flows are told again over UDP.
	feedRepeat = time.Minute
	// feedPatience is how long a receiver may be away before the feed of a trace is
	// given up, livePatience when a live meter has ended.
	feedPatience = 10 * time.Second
	livePatience = 2 * time.Second
	// feedStall is how long the feed of a trace waits for a receiver that is there and
	// takes nothing, as one that was stopped. Nothing is lost meanwhile, and the machine
	// of one that is dead tells so earlier.
	feedStall = 10 * time.Minute
)

// feeding is the feed of a running `rtfm run`. A nil one stands for none.
type feeding struct {
	meter *meter.Meter
	to    *export.Exporter
	file  bool
	ended bool
	err   error // why not all was told, once it has ended
}

// feeding gives run the feed of the meter, if there is to be one. end ends the source if
// nothing can be told any more.
func (o *runOptions) feeding(cmd *cobra.Command, m *meter.Meter, end context.CancelFunc, run func(*feeding) error) error {
	if !o.feed.on() {
		return run(nil)
	}
	open := func(w io.Writer) error {
		c := o.feed.export(o.capture.isLive())
		c.File = w
		c.Warn = func(message string) { fmt.Fprintf(cmd.ErrOrStderr(), "rtfm: warning: %s\n", message) }
		if w != nil { // what cannot be written, as on a full disk, is told at once
			c.Failed = func(error) { end() }
		}
		to := export.New(c)
		config := o.feed.config(o.octets != "ip")
		config.Anew, config.Remember = to.Anew, to.Remember
		m.SetFeed(meterfeed.New(config, m.Table(), to.Send, to.Dropped))
		return run(&feeding{meter: m, to: to, file: o.feed.url.IsFile()})
	}
	if !o.feed.url.IsFile() {
		return open(nil)
	}
	return writeTo(cmd.Context(), o.feed.url.Address, o.inputs(), cmd.InOrStdin(), cmd.OutOrStdout(), open)
}

// end tells the ends of all flows, and waits until all was sent. An error says that the
// file could not be written.
func (f *feeding) end() error {
	if f == nil {
		return nil
	}
	if !f.ended {
		f.ended = true
		f.to.Finish()
		f.meter.EndFeed()
		f.err = f.to.Close()
	}
	if f.file {
		return f.err
	}
	return nil
}

// counts returns what has become of the feed's messages.
func (f *feeding) counts() (n export.Counts) {
	if f != nil {
		n = f.to.Counts()
	}
	return n
}

// missing returns an error if records are missing from the feed.
func (f *feeding) missing() error {
	n := f.counts()
	switch {
	case n.DroppedMessages == 0:
		return nil
	case f.err != nil:
		return fmt.Errorf("the feed lacks %d records: %w", n.DroppedRecords, f.err)
	case n.Unsent > 0:
		return fmt.Errorf("the feed lacks %d records: %s", n.DroppedRecords, f.to.Trouble())
	}
	return fmt.Errorf("the feed lacks %d records: its queue was full, which --feed-queue makes larger", n.DroppedRecords)
}

// print tells what has become of the feed's messages.
func (f *feeding) print(w io.Writer) {
	if f == nil {
		return
	}
	n := f.counts()
	fmt.Fprintf(w, "feed: %d records in %d messages", n.Records, n.Messages)
	if n.DroppedMessages > 0 {
		fmt.Fprintf(w, ", %d records in %d messages dropped", n.DroppedRecords, n.DroppedMessages)
	}
	fmt.Fprintln(w)
}

// Octets before a datagram's payload that a path's MTU includes: of IPv4 or IPv6, and of
// UDP.
const (
	headersIPv4 = 28
	headersIPv6 = 48
)

// message returns the most octets of a message.
func (o *feedOptions) message() int {
	if o.url.Network != "udp" {
		return o.mtu
	}
	host, _, _ := net.SplitHostPort(o.url.Address)
	if a, err := netip.ParseAddr(host); err == nil && a.Is4() {
		return o.mtu - headersIPv4
	}
	return o.mtu - headersIPv6 // which a name may stand for
}
