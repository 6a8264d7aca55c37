package prefetch

import "testing"

// TestLines prefetches any number of things, of which some are not there: they are as
// before.
func TestLines(t *testing.T) {
	const n = 9
	var all [n]*int
	for i := range all {
		if i%3 != 0 {
			all[i] = new(int)
			*all[i] = i
		}
		Lines(all[:i])
	}
	Lines(all[:])
	for i, p := range all {
		if (p == nil) != (i%3 == 0) || p != nil && *p != i {
			t.Errorf("%d: %v", i, p)
		}
	}
}
