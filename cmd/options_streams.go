package cmd

import (
	"math"
	"time"

	"github.com/spf13/cobra"

	"rtfm/meter/stream"
)

// streamOptions are the options of a meter for streams.
type streamOptions struct {
	max        int
	idle       float64 // seconds
	multiplier int
}

// add adds the options to those of cmd.
func (o *streamOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.VarP(newCount(&o.max, stream.DefaultMaxStreams, 1, math.MaxInt32, "a number of streams"), "max-streams", "t", "most streams at a time; rulesets with distributions need some")
	f.Var(newSeconds(&o.idle, time.Duration(stream.DefaultTimeout).Seconds(), 1e-6, maxSeconds), "stream-timeout", "a stream ends when it was idle for so many `SECONDS`, and for so long as --stream-multiplier tells")
	f.Var(newCount(&o.multiplier, stream.DefaultMultiplier, 1, math.MaxInt32, "a number"), "stream-multiplier", "a stream ends when it was idle for so many times the average interval of its packets,\nand for --stream-timeout")
	group(f, groupLimits)
}

// config returns what the options say.
func (o *streamOptions) config() stream.Config {
	return stream.Config{MaxStreams: o.max, Timeout: int64(seconds(o.idle)), Multiplier: int64(o.multiplier)}
}
