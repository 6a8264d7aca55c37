// Package feed receives the feeds of meters: what traces/feed has on the wire, from any
// number of meters, over UDP, TCP, local sockets and of files. It gives each meter's
// records to Sinks, in their order; Book is the one that proves that they are all there.
//
// # Proof
//
// Three things tell of what is missing, none of which needs the meter once the records
// are there: a message's sequence number how many records before it did not come, a
// flow's END how many of its packets were told and what they sum up to, STATS how many
// records the meter has dropped itself.
//
// # Bounds
//
// Whatever messages say, there are no more meters, flows and octets waiting than Limits
// say. What is left out is counted.
package feed
