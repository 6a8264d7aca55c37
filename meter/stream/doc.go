// Package stream builds the distributions that flows save (RFC 2724): of packet
// sizes, inter-arrival times and rates, counted packet by packet, and of packet
// pairs and whole streams, which are what goes between two addresses and ports
// within a flow.
//
// An Engine keeps streams and counts; a Worker gives it work, many packets at a
// time, and what is of streams on another processor if asked to.
//
// All times are those of the packets, in nanoseconds since 1970-01-01 00:00:00
// UTC, and never go back. Values are whole numbers of their unit, rounded down:
// octets, microseconds, bits or PDUs per second.
package stream
