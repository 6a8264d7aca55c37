//go:build !linux

package main

// giveUpCapabilities has nothing to do: this system has no capabilities.
func giveUpCapabilities() error { return nil }
