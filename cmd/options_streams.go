package cmd

import (
	"fmt"
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
	f.IntVarP(&o.max, "max-streams", "t", stream.DefaultMaxStreams, "most streams at a time, which rulesets with distributions need")
	secondsVar(cmd, &o.idle, "stream-timeout", "", time.Duration(stream.DefaultTimeout).Seconds(), "a stream ends when it was idle for so many `SECONDS`, and for so long as --stream-multiplier tells")
	f.IntVar(&o.multiplier, "stream-multiplier", stream.DefaultMultiplier, "a stream ends when it was idle for so many times the average interval of its packets,\nand for --stream-timeout")
}

// config checks the options.
func (o *streamOptions) config() (stream.Config, error) {
	switch {
	case o.max < 1 || o.max > math.MaxInt32:
		return stream.Config{}, fmt.Errorf("-t %d: want a number of streams from 1 to %d", o.max, math.MaxInt32)
	case !isSeconds(o.idle) || o.idle < 1e-6:
		return stream.Config{}, fmt.Errorf("--stream-timeout %v: want a number of seconds from 0.000001 to 1000000000", o.idle)
	case o.multiplier < 1 || o.multiplier > math.MaxInt32:
		return stream.Config{}, fmt.Errorf("--stream-multiplier %d: want a number from 1 to %d", o.multiplier, math.MaxInt32)
	}
	return stream.Config{MaxStreams: o.max, Timeout: int64(seconds(o.idle)), Multiplier: int64(o.multiplier)}, nil
}
