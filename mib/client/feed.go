package client

import (
	"context"
	"fmt"
	"math"

	"rtfm/mib"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Feed is what a meter's feed is to be, and what has become of it.
type Feed struct {
	mib.Feed
	mib.FeedStatus // without Opened
}

// longestFeedText is the size of rtfmFeedURL and rtfmFeedError.
const longestFeedText = 255

// Feed reads what the meter says of its feed: nil if it has none of the objects, as an
// older one.
func (c *Client) Feed(ctx context.Context) (*Feed, error) {
	var names []smi.OID
	for _, o := range []*module.Object{
		module.RtfmFeedURL, module.RtfmFeedDomain, module.RtfmFeedIDBits, module.RtfmFeedMTU, module.RtfmFeedDelay, module.RtfmFeedIdle,
		module.RtfmFeedQueue, module.RtfmFeedFirst, module.RtfmFeedRules, module.RtfmFeedDigest, module.RtfmFeedState, module.RtfmFeedError,
		module.RtfmFeedMessages, module.RtfmFeedRecords, module.RtfmFeedDroppedMessages, module.RtfmFeedDroppedRecords, module.RtfmFeedFlows,
	} {
		names = append(names, o.At(0))
	}
	vars, err := c.get(ctx, names...)
	if err != nil {
		return nil, err
	}
	if absent(&vars[0]) {
		return nil, nil
	}
	var r values
	f := &Feed{
		Feed: mib.Feed{
			URL: string(r.octets(&vars[0], longestFeedText)), Domain: uint32(r.uint(&vars[1], smi.Gauge32)), IDBits: r.int(&vars[2], 0, math.MaxInt32),
			MTU: r.int(&vars[3], 0, math.MaxInt32), Delay: r.int(&vars[4], 0, math.MaxInt32), Idle: r.int(&vars[5], 0, math.MaxInt32),
			Queue: r.int(&vars[6], 0, math.MaxInt32), First: uint32(r.uint(&vars[7], smi.Gauge32)), Rules: r.text(&vars[8]), Digest: r.truth(&vars[9]),
		},
		FeedStatus: mib.FeedStatus{
			State: mib.FeedState(r.int(&vars[10], 0, math.MaxInt32)), Error: string(r.octets(&vars[11], longestFeedText)),
			Messages: r.uint(&vars[12], smi.Counter64), Records: r.uint(&vars[13], smi.Counter64),
			DroppedMessages: r.uint(&vars[14], smi.Counter64), DroppedRecords: r.uint(&vars[15], smi.Counter64),
			Flows: uint32(r.uint(&vars[16], smi.Gauge32)),
		},
	}
	if r.err != nil {
		return nil, c.wrap(fmt.Errorf("reading the meter's feed: %w", r.err))
	}
	return f, nil
}

// SetFeed makes the meter's feed what f says, at one moment.
func (c *Client) SetFeed(ctx context.Context, f mib.Feed) error {
	unsigned := func(o *module.Object, n uint32) smi.VarBind {
		vb := smi.VarBind{Name: o.At(0)}
		vb.Value.SetUint(smi.Gauge32, uint64(n))
		return vb
	}
	err := c.set(ctx, nil,
		text(module.RtfmFeedURL.At(0), f.URL), unsigned(module.RtfmFeedDomain, f.Domain), integer(module.RtfmFeedIDBits.At(0), f.IDBits),
		integer(module.RtfmFeedMTU.At(0), f.MTU), integer(module.RtfmFeedDelay.At(0), f.Delay), integer(module.RtfmFeedIdle.At(0), f.Idle),
		integer(module.RtfmFeedQueue.At(0), f.Queue), unsigned(module.RtfmFeedFirst, f.First), text(module.RtfmFeedRules.At(0), f.Rules),
		integer(module.RtfmFeedDigest.At(0), int(smi.Truth(f.Digest))))
	if err != nil {
		return fmt.Errorf("setting the feed: %w", err)
	}
	return nil
}
