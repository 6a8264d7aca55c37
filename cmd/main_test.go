package cmd

import (
	"os"
	"testing"
)

// TestMain runs the tests at the root of the repository, so that paths in them
// read as they do for users.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
