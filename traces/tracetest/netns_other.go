//go:build !linux

package tracetest

import (
	"errors"
	"testing"
)

// Network skips the test, or fails it if RTFM_REQUIRE names netns.
func Network(t testing.TB) { Missing(t, "netns", errors.New("network namespaces need Linux")) }
