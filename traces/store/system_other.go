//go:build !linux

package store

import (
	"errors"
	"os"
)

func alignedMemory(n int) ([]byte, error) { return make([]byte, n), nil }

func createFile(path string, _ bool) (*os.File, bool, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	return f, false, err
}

func cached(*os.File) error { return nil }

func allocate(*os.File, int64) {}

func freeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }

// lockFile does nothing: there is no portable way.
func lockFile(*os.File) error { return nil }
