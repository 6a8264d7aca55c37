package cmd

import (
	"errors"

	"github.com/spf13/cobra"
)

// addOptimise adds -O.
func (o *programOptions) addOptimise(cmd *cobra.Command) {
	cmd.Flags().VarP(optimiseFlag{&o.Plain}, "optimise", "O", "0 or 1: whether programs become as few rules as possible; -O0 makes\nrules of each test and statement as it stands there")
}

// optimiseFlag is how far programs are optimised. It is a pflag.Value.
type optimiseFlag struct{ plain *bool }

// Set implements pflag.Value.
func (f optimiseFlag) Set(text string) error {
	if text != "0" && text != "1" {
		return errors.New("want 0 or 1")
	}
	*f.plain = text == "0"
	return nil
}

// String implements pflag.Value.
func (f optimiseFlag) String() string {
	if f.plain != nil && *f.plain {
		return "0"
	}
	return "1"
}

// Type implements pflag.Value.
func (optimiseFlag) Type() string { return "LEVEL" }
