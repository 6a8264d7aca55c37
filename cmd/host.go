package cmd

import "os"

// hostName returns the name of this machine, or that of the program if it has none.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "rtfm"
	}
	return name
}
