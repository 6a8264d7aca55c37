package cmd

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter/export"
	meterfeed "rtfm/meter/feed"
	"rtfm/ruleset"
	"rtfm/ruleset/spell"
	"rtfm/traces/feed"
)

// feedOptions say what a feed tells of packets, and where it goes.
type feedOptions struct {
	url     feed.URL
	id      string  // bits
	domain  uint32  // observation domain
	delay   float64 // seconds
	mtu     int     // octets
	idle    float64 // seconds
	queue   size
	first   int
	ruleSet string
	digest  bool
}

// add adds the options to a command.
func (o *feedOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(urlFlag{&o.url}, "feed", "tell this `URL` of every packet; of those that rulesets count, as IPFIX records of flow, time and octets:\nudp://HOST:PORT, tcp://HOST:PORT, unix:PATH, or file:PATH (file:- is standard output); see rtfm feed, docs/FEED.md")
	group(f, groupOutput, "feed")
	f.Var(newCount(&o.first, 0, 0, math.MaxInt32, "a number of packets or 0 for all,"), "feed-first", "tell of so many packets of each flow; the totals at its end are of all (default all)")
	f.StringVar(&o.ruleSet, "feed-rules", "", "tell only of what the ruleset of this `NAME` counts")
	f.Var(newChoice(&o.id, "64", "64", "32"), "feed-id", "bits of flows' identifiers")
	f.Var(unsigned{&o.domain}, "feed-domain", "the observation domain, by which a receiver knows this meter from others at the same address")
	f.Var(newSeconds(&o.delay, 0.02, 0, 3600), "feed-delay", "a record waits at most so many `SECONDS` for others to be sent with")
	f.Var(newSeconds(&o.idle, 60, 0.1, maxSeconds), "feed-idle", "a flow has ended when it was idle for so many `SECONDS`; or 5 seconds after TCP has")
	f.Var(newCount(&o.mtu, 1500, feed.LeastMTU+headersIPv6, math.MaxUint16, "a number of octets"), "feed-mtu", "`OCTETS` of the largest datagram, its IP header too")
	o.queue = 64 << 20
	f.Var(&o.queue, "feed-queue", "`SIZE` of what waits to be sent; what has no room, of packets from an interface, is dropped and counted")
	f.BoolVar(&o.digest, "feed-digest", false, "tell a digest of each packet, too; by which two meters' reports of one packet are known as such")
	group(f, groupFeed)
}

// on reports whether there is to be a feed.
func (o *feedOptions) on() bool { return o.url.Network != "" }

// check finds options that do not fit each other. records reports whether flow records
// are metered.
func (o *feedOptions) check(cmd *cobra.Command, records bool) error {
	for _, name := range []string{"first", "rules", "id", "domain", "delay", "idle", "mtu", "queue", "digest"} {
		if !o.on() && cmd.Flags().Changed("feed-"+name) {
			return fmt.Errorf("--feed-%s needs --feed, the URL that is told", name)
		}
	}
	switch {
	case o.on() && records:
		return errors.New("--feed tells of packets, and flow records have none")
	case !o.on():
		return nil
	case strings.HasPrefix(o.url.Address, ":"):
		return fmt.Errorf("--feed %s: want the host that receives it, as %s://127.0.0.1%s", o.url, o.url.Network, o.url.Address)
	}
	return nil
}

// checkRules finds that none of the rulesets that run is the one that is told of.
func (o *feedOptions) checkRules(rules []*ruleset.RuleSet) error {
	var names []string
	for _, r := range rules {
		names = append(names, ruleset.WithoutHash(r.Name))
	}
	if o.ruleSet == "" || slices.Contains(names, o.ruleSet) {
		return nil
	}
	return fmt.Errorf("--feed-rules: %s", spell.UnknownOf("ruleset", o.ruleSet, names))
}

// checkFile finds what else would go into the feed's file: flows and series, "" if they
// go nowhere.
func (o *feedOptions) checkFile(flows, series string) error {
	if !o.on() || !o.url.IsFile() {
		return nil
	}
	name := o.url.Address
	for _, other := range []struct{ option, file string }{{"the flows", flows}, {"--series", series}} {
		switch {
		case other.file == "":
		case name == "-" && other.file == "-":
			return fmt.Errorf("--feed file:- and %s would both go to standard output: give one of them a file", other.option)
		case name != "-" && name != os.DevNull && sameFile(name, other.file):
			return fmt.Errorf("--feed and %s would both go to %s", other.option, name)
		}
	}
	return nil
}

// config returns what a meter's feed tells, which counts the octets of frames or not.
func (o *feedOptions) config(frames bool) meterfeed.Config {
	c := meterfeed.Config{
		Form:   feed.Form{Narrow: o.id == "32", Frames: frames, Digest: o.digest},
		Domain: o.domain, MTU: o.message(), Delay: seconds(o.delay), Idle: seconds(o.idle),
		First: uint32(o.first), RuleSet: o.ruleSet,
	}
	if o.url.Network == "udp" {
		c.Repeat = feedRepeat
	}
	return c
}

// waits returns for how long at most a source is waited for before what waits is sent, 0
// without a feed.
func (o *feedOptions) waits() time.Duration {
	if !o.on() {
		return 0
	}
	return max(seconds(o.delay), time.Millisecond)
}

// export returns where messages go, of a live meter or of one that loses nothing.
func (o *feedOptions) export(live bool) export.Config {
	c := export.Config{To: o.url, Queue: int(o.queue), MTU: o.message(), Waits: !live, Patience: feedPatience, Stall: feedStall}
	if live {
		c.Patience, c.Stall = livePatience, 0
	}
	return c
}
