// Rtfm is a network traffic meter: it runs rulesets, small programs that say
// which traffic to count and how finely, over packets, and writes flow data.
package main

import (
	"os"

	"rtfm/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
