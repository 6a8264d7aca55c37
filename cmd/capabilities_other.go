//go:build !linux

package cmd

// giveUpCapabilities has nothing to do: this system has no capabilities.
func giveUpCapabilities() error { return nil }
