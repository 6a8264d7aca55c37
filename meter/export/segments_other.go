//go:build !linux

package export

const canSegment = false // nobody cuts what is sent

func segments(int) []byte { return nil }

func cannotSegment(error) bool { return false }
