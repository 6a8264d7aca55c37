// Package control is the meter of managers: a meter.Meter whose rulesets, tasks,
// sampling and recovery are the control tables of RFC 2720, which others change and
// whose flows they read while packets are metered.
//
// # Who has the meter
//
// One at a time has it: the goroutine of Run, or a function given to Do. Run lets go
// of it in three places, and only there do others see it:
//
//	Run ── ReadBatch ────── between two batches, while the source waits or reads
//	    ── Yield ────────── between two packets, while many streams end
//	    ── sink.Collect ─── at the end of an interval, until its flows are read
//
// Do in turn lets go in the midst of a long answer, see Meter.Spend. The engine calls
// back in two more places, in which nobody else gets hold of the meter: Filled, when
// the flow table passes a mark, and Upkeep, before flows are recovered.
//
// # From a ruleset to its flows
//
//	RuleSetTable ─ Prepare ─▶ meter.Prepared ─ Changed ─▶ meter.Task ─▶ flows
//	  index           once, while packets are metered      slot number      slot number
//
// Flows bear the number of a slot, not the index of their ruleset: the index may have
// another ruleset while the flows of the one before are still being destroyed.
package control
