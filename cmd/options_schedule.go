package cmd

import (
	"errors"
	"fmt"
	"math"
	"strings"

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
	c := schedule.Config{Sample: o.sample}
	c.Sample.Seed = o.seed
	if o.schedule.Windows > 0 {
		c.Schedule = &o.schedule
		o.schedule.Seed = o.seed
	}
	o.selector = schedule.NewSelector(c)
	return nil
}

// wanted reports whether not all packets are to be looked at.
func (o *sampleOptions) wanted() bool { return o.schedule.Windows > 0 || o.sample.Of > 1 }

// filter returns src, without what is not to be looked at.
func (o *sampleOptions) filter(src traces.Source) traces.Source {
	if o.selector == nil {
		return src
	}
	return schedule.Select(src, o.selector)
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

// notes returns what people should know of the packets that were left out.
func (o *sampleOptions) notes() (notes []string) {
	if o.selector == nil {
		return nil
	}
	c := o.selector.Counts()
	if c.NotSampled > 0 {
		reduction := "none is"
		if c.Selected > 0 {
			reduction = fmt.Sprintf("%.4g:1", float64(c.Selected+c.NotSampled)/float64(c.Selected))
		}
		notes = append(notes, fmt.Sprintf("%s not sampled, %s", packetsAre(c.NotSampled), reduction))
	}
	pdus, octets, ok := o.selector.Estimates()
	if !ok || math.IsNaN(pdus.Margin) {
		return notes
	}
	for _, e := range []struct {
		schedule.Estimate
		what string
	}{{pdus, "packets"}, {octets, "octets"}} {
		notes = append(notes, fmt.Sprintf("estimate of all %s in %s, from %d windows: %.0f ± %.0f (95 %%)", e.what, briefly(e.Span), e.Windows, e.Total, math.Ceil(e.Margin)))
	}
	return notes
}

// packetsAre returns a number of packets with its verb.
func packetsAre(n uint64) string {
	if n == 1 {
		return "1 packet is"
	}
	return fmt.Sprintf("%d packets are", n)
}

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
