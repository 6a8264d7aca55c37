//go:build !linux

package live

import (
	"context"

	"rtfm/traces"
)

// Open returns ErrUnsupported.
func Open(ctx context.Context, c Config) (traces.Source, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return nil, ErrUnsupported
}
