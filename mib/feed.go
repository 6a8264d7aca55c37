package mib

import (
	"fmt"
	"math"
	"strings"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/traces/feed"
)

// Feed is what a meter's feed is to be: the objects of rtfmFeed that can be set.
type Feed struct {
	URL    string // empty for none
	Domain uint32
	IDBits int    // of flows' identifiers, 32 or 64
	MTU    int    // octets, of the path
	Delay  int    // milliseconds
	Idle   int    // seconds
	Queue  int    // KiB
	First  uint32 // packets of a flow, 0 for all
	Rules  string // name of a ruleset, empty for all
	Digest bool
}

// Bounds of a Feed.
const (
	LeastFeedMTU, MostFeedMTU     = 1280, 65535        // octets: feed.LeastMTU and the headers of IPv6 and UDP at least
	MostFeedDelay                 = 60_000             // milliseconds
	LeastFeedQueue, MostFeedQueue = 1 << 10, 1<<21 - 1 // KiB
	mostFeedURL                   = 255
)

// DefaultFeed returns a feed that goes nowhere yet.
func DefaultFeed() Feed { return Feed{IDBits: 64, MTU: 1500, Delay: 20, Idle: 60, Queue: 64 << 10} }

// Local reports whether the feed stays in the meter's machine. Only who starts the
// meter can have that: a manager writes no files, and no sockets, of others.
func (f *Feed) Local() bool { return f.URL != "" && CheckFeedURL(f.URL) != nil }

// CheckFeedURL tells what is wrong with a URL that a manager would give a feed.
func CheckFeedURL(s string) error {
	u, err := feed.ParseURL(s)
	switch {
	case err != nil:
		return err
	case u.Network != "udp" && u.Network != "tcp":
		return fmt.Errorf("%q: a manager can set feeds to udp: and tcp: only", s)
	case strings.HasPrefix(u.Address, ":"):
		return fmt.Errorf("%q has no host: want %s://HOST:PORT", s, u.Network)
	case len(s) > mostFeedURL:
		return fmt.Errorf("the URL is longer than %d octets", mostFeedURL)
	}
	return nil
}

// FeedState is rtfmFeedState.
type FeedState int32

// What a feed may be.
const (
	FeedOff     FeedState = 1
	FeedOpening FeedState = 2
	FeedOpen    FeedState = 3
	FeedFailed  FeedState = 4
)

// FeedStatus is what has become of a meter's feeds.
type FeedStatus struct {
	State  FeedState
	Error  string // the last one of this feed
	Opened int64  // nanoseconds since 1970-01-01 00:00:00 UTC, 0 if it is not open
	// Since the meter started, by all its feeds.
	Messages, Records, DroppedMessages, DroppedRecords uint64
	Flows                                              uint32
}

// FeedText returns as much of a text as rtfmFeedError has room for.
func FeedText(s string) string {
	if len(s) <= mostFeedURL {
		return s
	}
	return strings.ToValidUTF8(s[:mostFeedURL], "")
}

// feedObjects are those of rtfmFeed and rtfmFeedFlowTable.
func (h *Handler) feedObjects() []object {
	gauge := func(v *smi.Value, n uint32) { v.SetUint(smi.Gauge32, uint64(n)) }
	unsigned := func(v *smi.Value) smi.Status {
		if v.Type != smi.Gauge32 {
			return smi.WrongType
		}
		return smi.NoError
	}
	number := func(named *module.Object, check func(*smi.Value) smi.Status, field func(f *Feed) *int) object {
		return h.feedSetting(named, check,
			func(f *Feed, v *smi.Value) { v.SetInt(int32(*field(f))) },
			func(p *plan, v *smi.Value) { set(p, field(&p.control.Feed), int(v.Int)) })
	}
	objects := []object{
		h.feedSetting(module.RtfmFeedURL, feedURL,
			func(f *Feed, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(f.URL)) },
			func(p *plan, v *smi.Value) { set(p, &p.control.Feed.URL, string(v.Octets)) }),
		h.feedSetting(module.RtfmFeedDomain, unsigned,
			func(f *Feed, v *smi.Value) { gauge(v, f.Domain) },
			func(p *plan, v *smi.Value) { set(p, &p.control.Feed.Domain, uint32(v.Uint)) }),
		number(module.RtfmFeedIDBits, idBits, func(f *Feed) *int { return &f.IDBits }),
		number(module.RtfmFeedMTU, integer(LeastFeedMTU, MostFeedMTU), func(f *Feed) *int { return &f.MTU }),
		number(module.RtfmFeedDelay, integer(0, MostFeedDelay), func(f *Feed) *int { return &f.Delay }),
		number(module.RtfmFeedIdle, integer(1, math.MaxInt32), func(f *Feed) *int { return &f.Idle }),
		number(module.RtfmFeedQueue, integer(LeastFeedQueue, MostFeedQueue), func(f *Feed) *int { return &f.Queue }),
		h.feedSetting(module.RtfmFeedFirst, unsigned,
			func(f *Feed, v *smi.Value) { gauge(v, f.First) },
			func(p *plan, v *smi.Value) { set(p, &p.control.Feed.First, uint32(v.Uint)) }),
		h.feedSetting(module.RtfmFeedRules, owner,
			func(f *Feed, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(f.Rules)) },
			func(p *plan, v *smi.Value) { set(p, &p.control.Feed.Rules, string(v.Octets)) }),
		h.feedSetting(module.RtfmFeedDigest, truthValue,
			func(f *Feed, v *smi.Value) { setTruth(v, f.Digest) },
			func(p *plan, v *smi.Value) { set(p, &p.control.Feed.Digest, v.Int == smi.True) }),
	}
	status := func(named *module.Object, get func(s *FeedStatus, v *smi.Value)) object {
		return scalar(named, func(v *smi.Value) { s := h.meter.FeedStatus(); get(&s, v) })
	}
	count := func(named *module.Object, get func(s *FeedStatus) uint64) object {
		return status(named, func(s *FeedStatus, v *smi.Value) { v.SetUint(smi.Counter64, get(s)) })
	}
	return append(append(objects,
		status(module.RtfmFeedState, func(s *FeedStatus, v *smi.Value) { v.SetInt(int32(s.State)) }),
		status(module.RtfmFeedError, func(s *FeedStatus, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(s.Error)) }),
		status(module.RtfmFeedOpened, func(s *FeedStatus, v *smi.Value) { v.SetOctets(smi.OctetString, dateAndTime(s.Opened)) }),
		count(module.RtfmFeedMessages, func(s *FeedStatus) uint64 { return s.Messages }),
		count(module.RtfmFeedRecords, func(s *FeedStatus) uint64 { return s.Records }),
		count(module.RtfmFeedDroppedMessages, func(s *FeedStatus) uint64 { return s.DroppedMessages }),
		count(module.RtfmFeedDroppedRecords, func(s *FeedStatus) uint64 { return s.DroppedRecords }),
		status(module.RtfmFeedFlows, func(s *FeedStatus, v *smi.Value) { gauge(v, s.Flows) }),
	), h.feedFlowObjects()...)
}

// feedSetting returns an object of the feed that can be set, unless the feed is local.
func (h *Handler) feedSetting(named *module.Object, check func(*smi.Value) smi.Status, get func(*Feed, *smi.Value), change func(*plan, *smi.Value)) object {
	o := h.writable(named, check, func(c *Control, v *smi.Value) { get(&c.Feed, v) }, change)
	planned := o.plan
	o.plan = func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
		if p.control.Feed.Local() {
			return smi.InconsistentValue
		}
		return planned(p, at, index, v)
	}
	return o
}

// feedURL is for rtfmFeedURL.
func feedURL(v *smi.Value) smi.Status {
	if st := octets(0, mostFeedURL)(v); st != smi.NoError {
		return st
	}
	if len(v.Octets) > 0 && CheckFeedURL(string(v.Octets)) != nil {
		return smi.WrongValue
	}
	return smi.NoError
}

// idBits is for rtfmFeedIdBits.
func idBits(v *smi.Value) smi.Status {
	if st := integer(32, 64)(v); st != smi.NoError {
		return st
	}
	if v.Int != 32 && v.Int != 64 {
		return smi.WrongValue
	}
	return smi.NoError
}

// feedFlowObjects are those of rtfmFeedFlowTable.
func (h *Handler) feedFlowObjects() []object {
	t := &feedFlowTable{h: h}
	return []object{
		{oid: module.RtfmFeedFlowRuleSet.OID, table: t, get: func(v *smi.Value) bool {
			v.SetInt(int32(t.place.RuleSet))
			return true
		}},
		{oid: module.RtfmFeedFlowIndex.OID, table: t, get: func(v *smi.Value) bool {
			v.SetInt(int32(t.place.Row))
			return true
		}},
		{oid: module.RtfmFeedFlowFirstTime.OID, table: t, get: func(v *smi.Value) bool {
			v.SetUint(smi.TimeTicks, h.uptimeAt(t.place.FirstTime))
			return true
		}},
	}
}

// feedFlowTable is rtfmFeedFlowTable. Its index is an identifier, in eight octets.
type feedFlowTable struct {
	h     *Handler
	place FlowPlace
}

func (t *feedFlowTable) find(index smi.OID) bool {
	if len(index) != idOctets {
		return false
	}
	id, _ := idOf(index)
	t.place = t.h.meter.NextFeedFlow(id)
	return t.place.Row != 0 && appendID(nil, t.place.ID).Compare(index) == 0
}

func (t *feedFlowTable) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	id, after := idOf(index)
	if after > 0 || len(index) > idOctets || len(index) == idOctets && !include {
		if id++; id == 0 {
			return name, false
		}
	}
	if t.place = t.h.meter.NextFeedFlow(id); t.place.Row == 0 {
		return name, false
	}
	return appendID(name, t.place.ID), true
}
