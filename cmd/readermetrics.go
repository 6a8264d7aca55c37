package cmd

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"rtfm/manager"
	"rtfm/reader/metrics"
)

// meterSums are the meters that a manager, or a reader, collects from. It is manager.Watches.
type meterSums struct {
	options *metricsOptions
	mu      sync.Mutex
	meters  map[string]*metrics.Collected
}

// watched returns what is told of meters, nil if nobody asks.
func (o *metricsOptions) watched() *meterSums {
	if !o.on() {
		return nil
	}
	return &meterSums{options: o, meters: make(map[string]*metrics.Collected)}
}

// Meter implements manager.Watches.
func (w *meterSums) Meter(name string) manager.Watch { return w.meter(name) }

// meter returns the sums of a meter, which go on if there are any.
func (w *meterSums) meter(name string) *metrics.Collected {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.meters[name]
	if c == nil {
		c = w.options.collected(name)
		w.meters[name] = c
	}
	return c
}

// Gone implements manager.Watches.
func (w *meterSums) Gone(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.meters, name)
}

// gather adds the sums of all meters to a set.
func (w *meterSums) gather(_ context.Context, to *metrics.Set) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	to.Gauge("rtfm_meters", "Meters that are collected from.", float64(len(w.meters)))
	for _, name := range slices.Sorted(maps.Keys(w.meters)) {
		w.meters[name].Add(to, now)
	}
}
