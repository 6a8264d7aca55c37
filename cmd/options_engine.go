package cmd

import (
	"math"

	"github.com/spf13/pflag"

	"rtfm/meter"
)

// The options that all commands with a meter in them have.

func addOctets(f *pflag.FlagSet, to *string) {
	f.Var(newChoice(to, "frame", "frame", "ip"), "octets", "count the octets of frames or IP; of frames without FCS")
}

func addMaxFlows(f *pflag.FlagSet, to *int) {
	f.VarP(newCount(to, meter.DefaultMaxFlows, 1, math.MaxInt32, "a number of flows"), "max-flows", "f", "size of the flow table")
}

// addUser adds --user. open names what is opened before, and what is not.
func addUser(f *pflag.FlagSet, to *string, open string) {
	f.StringVar(to, "user", "", "run as this `USER` once all is open; that is, "+open+" is opened as that one")
}
