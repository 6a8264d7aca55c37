// Package feed tells of every packet that a meter counts in a flow: it names the flows,
// knows when they end, and hands out the records of package traces/feed.
//
// Which packets and flows there are is what the rulesets say. A flow of the feed is one
// of the flow table, from its first packet to its end: 5 seconds after TCP has ended it,
// after Config.Idle without a packet, when it leaves the flow table, or when the meter
// or its ruleset ends. Ends do not wait for readers (RFC 2720 lets no flow be recovered
// before it was read). If packets of an ended flow still come it begins again, with the
// same identifier.
//
// What is told, and when, depends on the packets' times alone.
package feed
