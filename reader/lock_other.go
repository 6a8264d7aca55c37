//go:build !unix

package reader

import "os"

// noFollow is nothing: links are followed.
const noFollow = 0

// lock does nothing: there is no portable way.
func lock(*os.File) error { return nil }
