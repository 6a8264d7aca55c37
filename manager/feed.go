package manager

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/ruleset/spell"
)

// Feed is what a meter's feed is to be.
type Feed struct {
	mib.Feed
	None bool // there is to be none, and URL is empty
}

// feed reads what stands under "feed", which may leave to the defaults what it does not
// say.
func (l *loader) feed(n ast.Node, m *Meter) {
	f := Feed{Feed: mib.DefaultFeed()}
	if m.Feed != nil {
		f = *m.Feed
	}
	l.mapping(n, "feed", []key{
		{"url", l.text(&f.URL, func(s string) error {
			if f.None = s == "none"; f.None {
				return nil
			}
			return mib.CheckFeedURL(s)
		})},
		{"rules", l.text(&f.Rules, oneWord(longestName))},
		{"first", l.unsigned(&f.First)},
		{"id", func(n ast.Node) {
			bits := strconv.Itoa(f.IDBits)
			l.oneOf(&bits, "64", "32")(n)
			f.IDBits, _ = strconv.Atoi(bits)
		}},
		{"domain", l.unsigned(&f.Domain)},
		{"delay", l.units(&f.Delay, time.Millisecond, 0, mib.MostFeedDelay*time.Millisecond)},
		{"idle", l.units(&f.Idle, time.Second, time.Second, 365*24*time.Hour)},
		{"mtu", l.number(&f.MTU, mib.LeastFeedMTU, mib.MostFeedMTU)},
		{"queue", l.kibibytes(&f.Queue, mib.LeastFeedQueue, mib.MostFeedQueue)},
		{"digest", l.boolean(&f.Digest)},
	})
	if f.None {
		f.URL = ""
	}
	m.Feed = &f
}

// units returns a reader of a time that counts whole units.
func (d *decoder) units(to *int, unit, low, high time.Duration) func(ast.Node) {
	return func(n ast.Node) {
		v := time.Duration(*to) * unit
		d.duration(&v, low, high)(n)
		*to = int(v / unit)
	}
}

// unsigned returns a reader of a number of 32 bits.
func (d *decoder) unsigned(to *uint32) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		i, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			d.errorf(n, "%q: want a number from 0 to %d", s, uint32(math.MaxUint32))
			return
		}
		*to = uint32(i)
	}
}

// kibibytes returns a reader of a size from low to high KiB: as 512KiB, 64MiB or 1GiB.
func (d *decoder) kibibytes(to *int, low, high int) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		for i, unit := range []string{"KiB", "MiB", "GiB"} {
			number, ok := strings.CutSuffix(s, unit)
			if !ok {
				continue
			}
			if v, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32); err == nil && v<<(10*i) >= uint64(low) && v<<(10*i) <= uint64(high) {
				*to = int(v << (10 * i))
				return
			}
		}
		d.errorf(n, "%q: want a size from %dKiB to %dKiB, as 64MiB", s, low, high)
	}
}

// checkFeed tells what is wrong with the feed as it is together with all else.
func (m *Meter) checkFeed() error {
	f := m.Feed
	switch {
	case f == nil:
		return nil
	case f.URL == "" && !f.None:
		return fmt.Errorf(`meter %s has a "feed" without "url"`, m.Name)
	case f.Rules == "":
		return nil
	}
	var names []string
	for _, rs := range m.RuleSets() {
		names = append(names, shortName(rs))
	}
	for _, name := range names {
		if name == f.Rules {
			return nil
		}
	}
	hint := ""
	if near, ok := spell.Nearest(f.Rules, names); ok {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	return fmt.Errorf(`meter %s has no ruleset %q, of which its feed is to tell%s`, m.Name, f.Rules, hint)
}

// setFeed makes the meter's feed that of the configuration, if it has one, and tells
// what is wrong with it.
func (c *control) setFeed(ctx context.Context) error {
	want := c.meter.Feed
	if want == nil || c.feedRefused {
		return nil
	}
	is, err := c.client.Feed(ctx)
	switch {
	case err != nil:
		return err
	case is == nil:
		c.feedRefused = true
		c.log.Warn("the meter has no feed that can be set: it is older, or a view hides it")
		return nil
	case is.Feed != want.Feed:
		if err := c.client.SetFeed(ctx, want.Feed); err != nil {
			return c.refused(err)
		}
		c.feed = nil
		if want.None {
			c.log.Info("the meter has no feed any more")
		} else {
			c.log.Info("the meter's feed is set", "url", want.URL)
		}
		return nil
	}
	c.tellFeed(is)
	return nil
}

// refused tells that the meter does not let its feed be set; without one it is managed
// all the same.
func (c *control) refused(err error) error {
	var refused *client.Error
	if !errors.As(err, &refused) {
		return err
	}
	c.feedRefused = true
	c.log.Warn("the meter does not let its feed be set: it was started with one to a file, or access is denied", "error", err)
	return nil
}

// tellFeed tells what has gone wrong with the feed since it was looked at last.
func (c *control) tellFeed(is *client.Feed) {
	before := c.feed
	if c.feed = is; before == nil {
		before = &client.Feed{FeedStatus: is.FeedStatus}
		before.Error = ""
	}
	if is.State != mib.FeedOpen && is.Error != "" && is.Error != before.Error {
		c.log.Warn("the meter's feed is not open", "url", is.URL, "error", is.Error)
	}
	if is.DroppedMessages > before.DroppedMessages {
		c.log.Warn("the meter has dropped messages of its feed", "messages", is.DroppedMessages-before.DroppedMessages, "records", is.DroppedRecords-before.DroppedRecords)
	}
}

// endFeed ends the meter's feed if the configuration has begun one.
func (c *control) endFeed(ctx context.Context) error {
	if f := c.meter.Feed; f == nil || f.None || c.feedRefused {
		return nil
	}
	return c.client.SetFeed(ctx, mib.DefaultFeed())
}
