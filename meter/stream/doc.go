// Package stream builds the distributions that flows save (RFC 2724): of packet
// sizes, inter-arrival times and rates, counted packet by packet.
//
// All times are those of the packets, in nanoseconds since 1970-01-01 00:00:00
// UTC, and never go back. Values are whole numbers of their unit, fractions cut
// off: octets, microseconds, bits or PDUs per second.
package stream
