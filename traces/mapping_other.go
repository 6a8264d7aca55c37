//go:build !unix

package traces

import (
	"errors"
	"os"
)

func mapMemory(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) {}
