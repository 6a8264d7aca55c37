package cmd

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rtfm/traces"
	"rtfm/traces/schedule"
)

// sampleOptions say which packets are looked at where not all are to be.
type sampleOptions struct {
	schedule schedule.Schedule
	sample   schedule.Sample
	seed     uint64
	selector *schedule.Selector // nil for all packets
}

// add adds the options to a command's.
func (o *sampleOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(scheduleFlag{&o.schedule}, "schedule", "only packets in windows of time, one anywhere in each part of a period: `WINDOWSxLENGTH/PERIOD`,\nsuch as 8x90s/24h; see docs/SAMPLING.md")
	f.Var(sampleFlag{&o.sample}, "sample", "only one packet of N, `1/N[:KIND]`; systematic, each N-th, random, or flow: whole flows, by their FlowIDs")
	f.Uint64Var(&o.seed, "seed", 0, "with --schedule or --sample, this `NUMBER` says where windows are and what else is left to chance; they\nare the same wherever it is")
}

// check finds options that do not fit, and makes the selector. records reports whether
// there are flow records.
func (o *sampleOptions) check(cmd *cobra.Command, records bool) error {
	if !o.wanted() {
		if cmd.Flags().Changed("seed") {
			return errors.New("--seed needs --schedule or --sample")
		}
		return nil
	}
	if records {
		return errors.New("--schedule and --sample are for packets: flow records of routers are none")
	}
	o.schedule.Seed, o.sample.Seed = o.seed, o.seed
	o.selector = schedule.NewSelector(schedule.Config{Schedule: o.windows(), Sample: o.sample, FlowID: flowIDs(o.sample)})
	return nil
}

// rate returns of how many packets one is looked at, 0 if that is not the same for all
// flows.
func (o *sampleOptions) rate() uint64 {
	if o.sample.Kind == schedule.Flow {
		return 0
	}
	return o.sample.Of
}

// windows returns the schedule, nil for all time.
func (o *sampleOptions) windows() *schedule.Schedule {
	if o.schedule.Windows == 0 {
		return nil
	}
	return &o.schedule
}

// wanted reports whether not all packets are to be looked at.
func (o *sampleOptions) wanted() bool { return o.schedule.Windows > 0 || o.sample.Of > 1 }

// windowIdle is how long after a window has ended that is seen where no packets come.
const windowIdle = time.Second

// idle returns how long a source may be without packets before whoever reads it is told,
// which is less than other wants; 0 for any time.
func (o *sampleOptions) idle(other time.Duration) time.Duration {
	if o.schedule.Windows == 0 || other > 0 && other < windowIdle {
		return other
	}
	return windowIdle
}

// filter returns src, which may be live, without what is not to be looked at.
func (o *sampleOptions) filter(src traces.Source, live bool) traces.Source {
	if o.selector == nil {
		return src
	}
	return schedule.Select(src, o.selector, live)
}

// parameters returns the options that were given, as flow data and traces have them.
func (o *sampleOptions) parameters() (p []string) {
	if o.schedule.Windows > 0 {
		p = append(p, "--schedule", o.schedule.String())
	}
	if o.sample.Of > 1 {
		p = append(p, "--sample", o.sample.String())
	}
	if p != nil {
		p = append(p, "--seed", fmt.Sprint(o.seed))
	}
	return p
}

// about returns what a trace says of how its packets were chosen.
func (o *sampleOptions) about() string { return "rtfm " + strings.Join(o.parameters(), " ") }

// scheduleFlag is a schedule.
type scheduleFlag struct{ to *schedule.Schedule }

// Set implements pflag.Value.
func (f scheduleFlag) Set(text string) (err error) {
	*f.to, err = schedule.Parse(text)
	return err
}

// String implements pflag.Value. There is no default that could be shown.
func (scheduleFlag) String() string { return "" }

// Type implements pflag.Value.
func (scheduleFlag) Type() string { return "schedule" }

// sampleFlag is a sample.
type sampleFlag struct{ to *schedule.Sample }

// Set implements pflag.Value.
func (f sampleFlag) Set(text string) (err error) {
	*f.to, err = schedule.ParseSample(text)
	return err
}

// String implements pflag.Value. There is no default that could be shown.
func (sampleFlag) String() string { return "" }

// Type implements pflag.Value.
func (sampleFlag) Type() string { return "sample" }
