// Package schedule says which packets are looked at where not all are: those of some
// windows of time, one of so many, or those of some flows (RFC 5475).
//
// # Schedules
//
// A [Schedule] such as 8x90s/24h has 8 windows of 90 seconds in each 24 hours. The period
// is divided into 8 strata of 3 hours, and each has one window, which begins anywhere in
// it with equal probability, so that all of it is within its stratum (stratified random
// sampling in time, as NLANR's Passive Measurement and Analysis project did). Periods
// begin at multiples of their length since 1970-01-01 00:00:00 UTC: 24 hours are the days
// of UTC. What counts is the time of packets.
//
// Where windows are depends on nothing but schedule and seed, so that several meters look
// at the same time, and anybody can tell afterwards. With P for the period, N for the
// number of windows and W for the length of one, in nanoseconds, stratum i of period k
// begins at kP + ⌊iP/N⌋. It is the n-th since 1970, n = kN + i, and with L for its length
// its window begins
//
//	⌊h (L − W + 1) / 2⁶⁴⌋
//
// later, where h is the first 8 octets of the SHA-256 of seed and n, of 8 octets each; all
// high-order octets first.
//
// # Samples
//
// A [Sample] takes one of N packets: each N-th, each with probability 1/N, or all of the
// flows of which FlowIDs say so. It may be taken of what is in the windows of a schedule.
//
// # Selecting and estimating
//
// A [Selector] does either or both and counts, and [Select] makes a source of what it
// selects. Of a schedule's windows it tells [Estimate]s of what all packets would have
// counted.
package schedule
