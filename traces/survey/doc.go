// Package survey tells what a trace holds before it is metered: packets, octets,
// times, gaps, interfaces and losses, as text and as JSON.
package survey
