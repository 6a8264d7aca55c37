//go:build !unix

package spool

import "os"

// Lock does nothing: there is no portable way.
func Lock(*os.File) error { return nil }
