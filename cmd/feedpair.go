package cmd

import (
	"errors"
	"fmt"
	"time"
)

// pairTick is how often is looked at what waits for a pair's other meter.
const pairTick = 20 * time.Millisecond

// checkPair finds what does not fit a pair.
func (o *feedReceiverOptions) checkPair(files []string) error {
	switch {
	case !o.pair && o.pairState != "":
		return errors.New("--pair-state is for --pair")
	case !o.pair:
		return nil
	case len(o.listen) != 2 || len(files) > 0:
		return errors.New("--pair wants two -l URL, one of each meter")
	case o.listen[0].IsFile() || o.listen[1].IsFile():
		return errors.New("--pair wants meters that are heard at the same time: a file has no such time")
	}
	return nil
}

// tellMeters tells what is missing of each meter's records.
func (r *feedRun) tellMeters(fault func(string, ...any)) {
	if r.pair != nil {
		r.tellPair(fault)
		return
	}
	for _, m := range r.receiver.Meters {
		tellMeter(r.stderr, m, fault)
	}
}

// tellPair tells what each of a pair's meters has not told, which is no fault if the other
// one has.
func (r *feedRun) tellPair(fault func(string, ...any)) {
	c := r.pair.Count()
	if areStrangers(c) {
		fault(strangersSay)
	}
	var inputs [2]struct{ meters, records, missing, lost uint64 }
	for _, m := range r.receiver.Meters {
		n := &inputs[m.Input]
		n.meters++
		n.records += m.Records
		n.missing += m.Missing
		n.lost += m.Stats.Lost
	}
	for i, n := range inputs {
		if late := c.Late[i]; late > 0 {
			fault("%s: %s came too late to know whether the other meter's were told: they are left out", r.options.listen[i], counted(late, "packet"))
		}
		if n.meters == 0 {
			fmt.Fprintf(r.stderr, "%s: no meter was heard: nothing stands in for the other one\n", r.options.listen[i])
		}
		if r.options.quiet || n.meters == 0 {
			continue
		}
		text := fmt.Sprintf("%s: %s, %s of it alone", r.options.listen[i], counted(n.records, "record"), counted(c.Only[i], "packet"))
		if n.missing > 0 {
			text += fmt.Sprintf("; %s missing", counted(n.missing, "record"))
		}
		if n.lost > 0 {
			text += fmt.Sprintf("; the meter has lost %s", counted(n.lost, "packet"))
		}
		if n.meters > 1 {
			text += fmt.Sprintf("; it has begun %d times", n.meters)
		}
		fmt.Fprintln(r.stderr, text)
	}
	if r.options.quiet {
		return
	}
	skew := "the skew of the clocks is not known"
	if c.Skewed {
		way := "ahead"
		if c.Skew < 0 {
			way = "behind"
		}
		skew = fmt.Sprintf("the second meter's clock is %v %s, ± %v", c.Skew.Abs(), way, c.Spread)
	}
	fmt.Fprintf(r.stderr, "pair: %s of both meters; %s of the lead; %s\n", counted(c.Both, "packet"), counted(c.Changes, "change"), skew)
}
