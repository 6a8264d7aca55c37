//go:build !unix

package cmd

import "os"

// isStandIn reports nothing on systems whose runtime opens nothing by itself.
func isStandIn(f *os.File) bool { return false }

func closedOutput() *os.File { return os.Stdout }
