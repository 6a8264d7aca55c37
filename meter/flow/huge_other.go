//go:build !linux

package flow

// PreferHuge does nothing on this system.
func PreferHuge[T any]([]T) {}
