package cmd

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rtfm/manager"
	"rtfm/reader/export"
	"rtfm/reader/metrics"
)

// meterSums are the meters that a manager, or a reader, collects from. It is manager.Watches.
type meterSums struct {
	options *metricsOptions
	mu      sync.Mutex
	meters  map[string]*meterSum
}

// meterSum is what is told of a meter, and of where its collections go to.
type meterSum struct {
	*metrics.Collected
	exports atomic.Pointer[export.Exports] // nil if they go nowhere
}

// Exports implements manager.Watch.
func (m *meterSum) Exports(x *export.Exports) { m.exports.Store(x) }

// watched returns what is told of meters, nil if nobody asks.
func (o *metricsOptions) watched() *meterSums {
	if !o.on() {
		return nil
	}
	return &meterSums{options: o, meters: make(map[string]*meterSum)}
}

// Meter implements manager.Watches.
func (w *meterSums) Meter(name string) manager.Watch { return w.meter(name) }

// meter returns the sums of a meter, which go on if there are any.
func (w *meterSums) meter(name string) *meterSum {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.meters[name]
	if c == nil {
		c = &meterSum{Collected: w.options.collected(name)}
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
		if x := w.meters[name].exports.Load(); x != nil {
			measure(x, to, metrics.Label{Name: "meter", Value: name})
		}
	}
}
