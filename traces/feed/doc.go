// Package feed is what a meter tells of every packet that its rulesets count, on the
// wire: messages of IPFIX (RFC 7011) whose records are reports of packets as PSAMP has
// them (RFC 5476). It writes and reads them; what a meter tells, and when, is not its
// business.
//
// # Records
//
//	PACKET  of each packet: the flow's identifier, time, octets, TCP flags, direction
//	NEW     of each flow before its first PACKET, and again now and then
//	END     of each flow behind its last PACKET: its key, times, totals, and why it has ended
//	STATS   each second: what was selected, ignored and lost so far
//	SHAPE   of each kind of flow before the first NEW: what stands in its key
//
// The templates are those of Templates and Shape. PACKET, NEW and END are in the order
// in which the packets were metered. A flow may have another NEW behind its END, with
// the same identifier, if packets still come.
//
// # Proof
//
// A message's sequence number counts the data records before it, those too that the
// meter has dropped, so a Reader knows how many it lacks. Messages that overtake others
// wait for them; those that were given up as missing are not read if they come after
// all, nor is any twice. So each record is either handed out, in its order, or counted as
// Missing. END tells how many PACKETs the flow has had since its NEW, and the sums of the
// flow's counters, which the meter has counted without the feed.
package feed
