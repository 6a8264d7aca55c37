package cmd

import (
	"slices"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/metrics"
)

// measure adds what became of collections that go to other places, each sample with these
// labels.
func measure(x *export.Exports, to *metrics.Set, labels ...metrics.Label) {
	st := x.Spool.Status()
	to.Gauge("rtfm_spool_collections", "Collections in the spool.", float64(st.Segments), labels...)
	to.Gauge("rtfm_spool_bytes", "Size of the spool.", float64(st.Octets), labels...)
	to.Gauge("rtfm_spool_limit_bytes", "Size that the spool may have; 0 for any.", float64(st.Limit), labels...)
	to.Counter("rtfm_spool_dropped_collections_total", "Collections that were dropped because the spool was full.", st.Dropped, labels...)
	of := func(place string) []metrics.Label {
		return append(slices.Clip(labels), metrics.Label{Name: "to", Value: place})
	}
	for _, o := range st.Outlets {
		to.Gauge("rtfm_export_waiting_collections", "Collections that were not sent yet.", float64(o.Waiting), of(o.To)...)
		to.Gauge("rtfm_export_waiting_bytes", "Size of the collections that were not sent yet.", float64(o.Octets), of(o.To)...)
		lag := 0.0
		if o.Waiting > 0 {
			lag = time.Since(o.Oldest).Seconds()
		}
		to.Gauge("rtfm_export_lag_seconds", "Age of the oldest collection that was not sent yet; 0 if there is none.", lag, of(o.To)...)
		to.Gauge("rtfm_export_stopped", "Whether a place has refused a collection, and gets nothing more.", truth(o.Stopped != ""), of(o.To)...)
	}
	for _, r := range x.Runners {
		s, of := r.Status(), of(r.Outlet.To())
		to.Counter("rtfm_export_collections_total", "Collections that a place has acknowledged.", s.Collections, of...)
		to.Counter("rtfm_export_failures_total", "Attempts to send a collection that have failed.", s.Failures, of...)
		to.Counter("rtfm_export_missing_collections_total", "Collections that a place will not get because they were dropped.", s.Gaps, of...)
		if !s.Last.IsZero() {
			to.Gauge("rtfm_export_last_success_timestamp_seconds", "When a place has acknowledged a collection last.", float64(s.Last.UnixMilli())/1e3, of...)
		}
	}
}
