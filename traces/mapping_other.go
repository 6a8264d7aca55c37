//go:build !unix

package traces

import (
	"errors"
	"os"
)

func newMapping(*os.File, int) (*Mapping, error) { return nil, errors.ErrUnsupported }

func fileSize(int) (int64, error) { return 0, errors.ErrUnsupported }
