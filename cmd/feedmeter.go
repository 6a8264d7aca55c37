package cmd

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"

	"rtfm/meter/control"
	"rtfm/meter/export"
	meterfeed "rtfm/meter/feed"
	"rtfm/mib"
	"rtfm/traces/feed"
)

// meterFeed opens the feeds of a running `rtfm meter`: that of the options, and others
// that managers set.
type meterFeed struct {
	options *feedOptions
	records bool // flow records are metered
	live    bool // or at the speed of a capture
	frames  bool
	log     *slog.Logger
	stdout  io.Writer
	file    io.Writer // that of the options, if that is one
}

// first returns the feed of the options as managers see it.
func (m *meterFeed) first() mib.Feed {
	o := m.options
	f := mib.Feed{
		Domain: o.domain, IDBits: 64, MTU: o.mtu, Delay: int(math.Round(o.delay * 1000)), Idle: max(int(o.idle), 1),
		Queue: int(o.queue) >> 10, First: uint32(o.first), Rules: o.ruleSet, Digest: o.digest,
	}
	if o.id == "32" {
		f.IDBits = 32
	}
	if o.on() {
		f.URL = o.url.String()
	}
	return f
}

// config returns how feeds are opened.
func (m *meterFeed) config(paced bool) control.FeedConfig {
	return control.FeedConfig{First: m.first(), Open: m.open, Paced: paced}
}

// open returns what is told of a feed, and where it goes.
func (m *meterFeed) open(f mib.Feed) (meterfeed.Config, export.Config, error) {
	o := *m.options
	if m.records {
		return meterfeed.Config{}, export.Config{}, errors.New("a feed tells of packets, and flow records have none")
	}
	if f != m.first() {
		url, err := feed.ParseURL(f.URL)
		if err == nil && url.IsFile() {
			err = errors.New("a file is for who starts the meter")
		}
		if err != nil {
			return meterfeed.Config{}, export.Config{}, err
		}
		o = feedOptions{
			url: url, id: fmt.Sprint(f.IDBits), domain: f.Domain, delay: float64(f.Delay) / 1000, mtu: f.MTU, idle: float64(f.Idle),
			queue: size(f.Queue << 10), first: int(f.First), ruleSet: f.Rules, digest: f.Digest,
		}
	}
	c := o.export(m.live)
	c.File = m.file
	c.Warn = func(message string) { m.log.Warn("feed", "to", o.url, "trouble", message) }
	c.Failed = func(err error) { m.log.Error("feed has ended", "to", o.url, "error", err) }
	return o.config(m.frames), c, nil
}

// openFile opens the file of the options, and appends to what is there. Without one it
// returns nil.
func (m *meterFeed) openFile() (io.Writer, error) {
	o := m.options
	switch {
	case !o.on() || !o.url.IsFile():
		return nil, nil
	case o.url.Address == "-":
		return struct{ io.Writer }{m.stdout}, nil
	}
	return os.OpenFile(o.url.Address, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
}

// begin opens the file of the options, if there is one.
func (m *meterFeed) begin() (err error) {
	m.file, err = m.openFile()
	return err
}

// again opens the file again, and has the meter go on in it.
func (m *meterFeed) again(meter *control.Meter) {
	if m.file == nil || m.options.url.Address == "-" {
		return
	}
	file, err := m.openFile()
	if err != nil {
		m.log.Error("feed not opened again", "error", err)
		return
	}
	meter.FeedFile(file)
}

// told tells what has become of the feeds, if there were any.
func (m *meterFeed) told(n export.Counts) {
	if n != (export.Counts{}) {
		m.log.Info("feed has ended", "messages", n.Messages, "records", n.Records, "dropped messages", n.DroppedMessages, "dropped records", n.DroppedRecords)
	}
}
