// Package prefetch asks for what is in memory before it is needed, so that nobody waits
// for it: unlike one that reads, a processor that prefetches goes on at once.
package prefetch

import "unsafe"

// Lines prefetches the cache lines of these. They may be nil.
func Lines[T any](all []*T) {
	if len(all) > 0 {
		lines(unsafe.Pointer(&all[0]), len(all))
	}
}
