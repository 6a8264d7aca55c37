package reader

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"rtfm/mib/client"
	"rtfm/reader/flowfile"
)

// counts reads what the meter has counted beside flows, and one of how many
// packets it meters. A meter without the extension tells nothing.
func (k *Collector) counts(ctx context.Context, c *client.Client, st *client.Status, sets []RuleSet) (n Counts, sampling uint64, err error) {
	if !st.Extension {
		return n, 1, nil
	}
	n.Packets, n.Octets, n.Lost = st.Counts.Packets, st.Counts.Octets, st.Counts.Lost
	n.StreamsCreated, n.StreamsEnded, n.Unstreamed = st.Counts.StreamsCreated, st.Counts.StreamsEnded, st.Counts.Unstreamed
	perSet, err := c.RuleSetCounts(ctx)
	if err != nil {
		return n, 0, err
	}
	for _, s := range sets {
		if r := perSet.At(s.Index); r != nil {
			n.Uncounted += r.Uncounted
			n.Ignored += r.Ignored
			n.Unmatched += r.Unmatched
		}
	}
	interfaces, err := c.Interfaces(ctx)
	if err != nil {
		return n, 0, err
	}
	n.LostAt = make(map[int]uint64)
	for number, i := range interfaces.All {
		sampling = max(sampling, uint64(i.SampleRate))
		if i.Lost > 0 {
			n.LostAt[number] = i.Lost
		}
	}
	return n, sampling, nil
}

// summary returns what was counted between two collections. Sums that went
// back, because a ruleset was destroyed, begin anew.
func summary(now, before *Counts, sampling uint64, st *client.Status) flowfile.Summary {
	since := func(n, b uint64) uint64 {
		if n < b {
			return n
		}
		return n - b
	}
	var more []flowfile.Number
	if now.StreamsCreated > 0 {
		more = flowfile.StreamNumbers(st.Counts.StreamsActive, since(now.StreamsCreated, before.StreamsCreated),
			since(now.StreamsEnded, before.StreamsEnded), since(now.Unstreamed, before.Unstreamed))
	}
	for _, i := range slices.Sorted(maps.Keys(now.LostAt)) {
		more = append(more, flowfile.Number{Name: "lost-" + strconv.Itoa(i), Value: since(now.LostAt[i], before.LostAt[i])})
	}
	return flowfile.Summary{
		More:      more,
		Lost:      since(now.Lost, before.Lost),
		Uncounted: since(now.Uncounted, before.Uncounted),
		Sampling:  sampling,
		Packets:   since(now.Packets, before.Packets),
		Octets:    since(now.Octets, before.Octets),
		Ignored:   since(now.Ignored, before.Ignored),
		Unmatched: since(now.Unmatched, before.Unmatched),
		Active:    uint64(st.ActiveFlows),
	}
}
