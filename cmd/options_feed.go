package cmd

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter/export"
	meterfeed "rtfm/meter/feed"
	"rtfm/traces/feed"
)

// feedOptions say what a feed tells of packets, and where it goes.
type feedOptions struct {
	url     feed.URL
	id      string  // bits
	domain  int     // observation domain
	delay   float64 // seconds
	mtu     int     // octets
	idle    float64 // seconds
	queue   size
	first   int
	ruleSet string
}

// Octets before a datagram's payload that a path's MTU includes: of IPv4 or IPv6, and of
// UDP.
const (
	headersIPv4 = 28
	headersIPv6 = 48
)

// add adds the options to a command.
func (o *feedOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(urlFlag{&o.url}, "feed", "tell this `URL` of every packet; that rulesets count, as IPFIX records of its flow, time and octets:\nudp://HOST:PORT, tcp://HOST:PORT, unix:PATH, or file:PATH (file:- is standard output); see rtfm feed, docs/FEED.md")
	group(f, groupOutput, "feed")
	f.Var(newCount(&o.first, 0, 0, math.MaxInt32, "a number of packets or 0 for all,"), "feed-first", "tell of so many packets of each flow; the totals at its end are of all (default all)")
	f.StringVar(&o.ruleSet, "feed-rules", "", "tell only of what the ruleset of this `NAME` counts")
	f.Var(newChoice(&o.id, "64", "64", "32"), "feed-id", "bits of flows' identifiers")
	f.Var(newCount(&o.domain, 0, 0, math.MaxUint32, "a number"), "feed-domain", "the observation domain, by which a receiver knows this meter from others at the same address")
	f.Var(newSeconds(&o.delay, 0.02, 0, 3600), "feed-delay", "a record waits at most so many `SECONDS` for others to be sent with")
	f.Var(newSeconds(&o.idle, 60, 0.1, maxSeconds), "feed-idle", "a flow has ended when it was idle for so many `SECONDS`; or 5 seconds after TCP has")
	f.Var(newCount(&o.mtu, 1500, feed.LeastMTU+headersIPv6, math.MaxUint16, "a number of octets"), "feed-mtu", "`OCTETS` of the largest datagram, its IP header too")
	o.queue = 64 << 20
	f.Var(&o.queue, "feed-queue", "`SIZE` of what waits to be sent; what has no room, of packets from an interface, is dropped and counted")
	group(f, groupFeed)
}

// on reports whether there is to be a feed.
func (o *feedOptions) on() bool { return o.url.Network != "" }

// check finds options that do not fit each other. records reports whether flow records
// are metered; flows is where flow data goes.
func (o *feedOptions) check(cmd *cobra.Command, records bool, flows string) error {
	for _, name := range []string{"first", "rules", "id", "domain", "delay", "idle", "mtu", "queue"} {
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
	case !o.url.IsFile() || flows == "none":
		return nil
	case o.url.Address == "-" && (flows == "" || flows == "-"):
		return errors.New("--feed file:- and the flows would both go to standard output: give one of them a file")
	case o.url.Address != "-" && sameFile(o.url.Address, flows):
		return fmt.Errorf("--feed and -F would both write to %s", flows)
	}
	return nil
}

// config returns what a meter's feed tells, which counts the octets of frames or not.
func (o *feedOptions) config(frames bool) meterfeed.Config {
	c := meterfeed.Config{
		Form:   feed.Form{Narrow: o.id == "32", Frames: frames},
		Domain: uint32(o.domain), MTU: o.message(), Delay: seconds(o.delay), Idle: seconds(o.idle),
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

// message returns the most octets of a message.
func (o *feedOptions) message() int {
	switch {
	case o.url.Network != "udp":
		return o.mtu
	case strings.Contains(o.url.Address, "["):
		return o.mtu - headersIPv6
	}
	return o.mtu - headersIPv4
}

// export returns where messages go.
func (o *feedOptions) export() export.Config {
	return export.Config{To: o.url, Queue: int(o.queue), MTU: o.message(), Patience: feedPatience}
}

// urlFlag is where a feed goes. It is a pflag.Value.
type urlFlag struct{ to *feed.URL }

// Set implements pflag.Value.
func (f urlFlag) Set(text string) (err error) {
	*f.to, err = feed.ParseURL(text)
	return err
}

// String implements pflag.Value. There is no default.
func (f urlFlag) String() string { return "" }

// Type implements pflag.Value.
func (urlFlag) Type() string { return "url" }
