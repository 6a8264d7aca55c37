//go:build !linux

package huge

// Prefer does nothing on this system.
func Prefer[T any]([]T) {}

func pages[T any]([]T) []byte { return nil }

func populate([]byte) {}
