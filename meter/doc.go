// Package meter turns packets into flows: it runs rulesets over every packet
// of a source, keeps the flow table, and closes a collection at the end of
// each interval (RFC 2722 section 4).
//
// All times are those of the packets, so that a trace gives the same flows on
// every machine. The meter's clock never goes back: a packet that is earlier
// than one before it counts at that one's time.
//
// # The life of a packet
//
// There is one way from a packet to its flow, and shortcuts past most of it. A
// shortcut gives the same flows as the way that it skips, and tests make sure
// of that: TestMeterIsPlain runs random packets and rulesets through all of
// this and through a meter of a few lines.
//
//	source ─ read ─▶ batch of up to 256 packets
//	                   │
//	                   ├─ usual ──▶ Usual ─ seeTuple ─┐        1
//	                   └─ other ──▶ Packet ─ see ─────┤        2
//	                                                  ▼
//	                                                sight: what the rulesets can see of it
//	                                                  │
//	                   ┌─ known to the memo ──────────┤        3
//	                   │                              ▼
//	                   │                         Match, and Match swapped
//	                   │                              │
//	                   │            ┌─ Success ───────┼─ NoMatch, Ignore, Stopped
//	                   │            ▼                 ▼
//	                   │      find or create        count by verdict
//	                   ▼            ▼
//	                 row of the flow table: count, and the stream's queue
//
// The numbered forks, and those not in the picture, each with the benchmark
// that shows what it saves. "trace-bench" is `make trace-bench`, whose
// workloads have names of their own.
//
//  1. An Ethernet frame with TCP or UDP directly over IP is read without
//     decoding all of its headers (packet.Usual; BenchmarkDecode).
//  2. Rulesets that see only addresses, ports and types need no loops over
//     words (view.seeTuple, entries.findTuple; BenchmarkMeter).
//  3. A packet that looks to the rulesets like an earlier one gets the same
//     result (memo; BenchmarkMeter, trace-bench big1). A result is used only if
//     the flow is still the same one (flow.Table.CountIf).
//  4. Two goroutines read and decode where a meter has no attendant: one reads
//     ahead in groups of batches, the one that meters helps if the trace is
//     mapped into memory (feeder; trace-bench big1). With one processor, or an
//     attendant that has tasks come and go, one goroutine does everything.
//  5. The goroutine that reads ahead asks the memo too, unless it knew too few
//     packets lately (group.strange; trace-bench manyflows).
//  6. The memory of all flows that a batch leads to is prefetched together, and
//     packets that no memo knows are matched ahead of their turn, so that
//     theirs can be as well (Task.prefetch; trace-bench manyflows). Where there
//     are few flows they are in the cache anyway, and nothing is done.
//  7. A run of packets in time order, with nothing due in between, is counted
//     without looking at the clock for each (Meter.countRun; trace-bench
//     oneflow). Meter.count does the same for any packet.
//  8. Within a match, rules that test one attribute under one mask, or for
//     networks, are one lookup, and what a flow saves is copied from the packet
//     at once if no rule supplies a value (package pme; BenchmarkMatch).
//  9. What streams need of a packet is taken from it when it is decoded, on
//     whichever goroutine does that, or later if a task was added since
//     (input.digest; trace-bench big1 with turnaround times).
//  10. The flows of a collection are formatted by all processors, in parts of some
//     thousand rows (Meter.Parts; BenchmarkParts in flowfile).
//
// # Who may do what
//
// One goroutine meters: it alone writes the flow table, memos and statistics.
// One that reads ahead writes batches, and looks things up in memos, whose
// words are atomic for that. Streams have a goroutine of their own, which gets
// its work in batches.
//
// A meter with an Attendant may be read, and its tasks changed, while it runs: within
// the few calls that it makes of the attendant, and while the source reads or the sink
// collects. It knows no more of managers than that. Package control is such an
// attendant: it has SNMP and timers take turns with the meter (its Meter.Do).
package meter
