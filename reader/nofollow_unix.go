//go:build unix

package reader

import "syscall"

// noFollow keeps open from following a symbolic link.
const noFollow = syscall.O_NOFOLLOW
