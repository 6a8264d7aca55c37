package cmd

import (
	"fmt"

	"rtfm/traces/store"
)

// verdict tells what was found, and whether that is all there is of a time.
func verdict(found uint64, c *store.Covered) string {
	text := packets(found)
	if c.Chunks+c.Passed > 0 || !c.Trace {
		text += ", of "
	}
	if c.Passed > 0 {
		text += fmt.Sprintf("%d of ", c.Chunks)
	}
	if c.Chunks+c.Passed > 0 || !c.Trace {
		text += counted(uint64(c.Chunks+c.Passed), "chunk")
	}
	if c.Trace {
		return text + traceVerdict(c)
	}
	if c.Cut > 0 {
		text += fmt.Sprintf(" with %s of headers only, by the cutoff", packets(c.Cut))
	}
	if c.Complete() && c.Chunks+c.Passed == 0 {
		return text + "; the store has nothing of that time, and knows of nothing that is missing"
	}
	if c.Complete() {
		return text + "; complete: nothing was lost or left out in the time that the store has of it"
	}
	var lost, unstored uint64
	for _, l := range c.Losses {
		lost, unstored = lost+l.Lost, unstored+l.Unstored
	}
	text += fmt.Sprintf("; not complete: in the time or near it %d were lost, %d not stored", lost, unstored)
	if c.Damaged > 0 {
		text += fmt.Sprintf(", %d chunks are damaged", c.Damaged)
	}
	if c.Removed > 0 {
		text += fmt.Sprintf(", %s removed meanwhile", counted(uint64(c.Removed), "file"))
	}
	if c.Unmarked > 0 {
		text += fmt.Sprintf("; what is missing in %s is not known", counted(uint64(c.Unmarked), "file"))
	}
	return text
}

// traceVerdict tells whether what was found in a trace is all there is.
func traceVerdict(c *store.Covered) string {
	if c.Complete() {
		return "; complete: the trace tells of no lost packets"
	}
	text := "; not complete:"
	var lost uint64
	for _, l := range c.Losses {
		lost += l.Lost
	}
	if lost > 0 {
		text += fmt.Sprintf(" the trace tells of %d lost, in all of its time", lost)
	}
	if c.Damaged > 0 {
		if lost > 0 {
			text += ", and"
		}
		text += " it is damaged"
	}
	return text
}
