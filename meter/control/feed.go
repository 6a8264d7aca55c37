package control

import "rtfm/mib"

// FeedStatus implements mib.Meter.
func (c *Meter) FeedStatus() mib.FeedStatus { return mib.FeedStatus{State: mib.FeedOff} }

// NextFeedFlow implements mib.Meter.
func (c *Meter) NextFeedFlow(id uint64) mib.FlowPlace { return mib.FlowPlace{} }
