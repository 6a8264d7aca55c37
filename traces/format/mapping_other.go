//go:build !unix

package format

import (
	"errors"
	"os"
)

func newMapping(*os.File, int) (*mapping, error) { return nil, errors.ErrUnsupported }

func fileSize(int) (int64, error) { return 0, errors.ErrUnsupported }
