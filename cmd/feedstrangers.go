package cmd

import (
	"time"

	"rtfm/reader/feed"
)

// strangers is how many packets each of a pair's meters must have told alone for them to
// be taken for meters of other packets, if hardly one was told by both.
const strangers = 1000

// areStrangers reports whether the meters of a pair see other packets, or count them in
// other flows.
func areStrangers(c feed.PairCounts) bool {
	return min(c.Only[0], c.Only[1]) >= max(strangers, 10*c.Both)
}

const strangersSay = "hardly a packet is told by both meters of the pair: do they see the same ones, with the same rulesets?"

// tickPair tells what has waited long enough, and of a pair that is none.
func (r *feedRun) tickPair() {
	if r.pair == nil {
		return
	}
	if err := r.pair.Tick(time.Now()); err != nil {
		r.receiver.Fail(err)
	}
	if !r.strange && areStrangers(r.pair.Count()) {
		r.strange = true
		r.warn(strangersSay)
	}
}
