// Package attr knows the attributes of flows (RFC 2720, RFC 2724 and the meter's
// own): their numbers, names and sizes, what their values and masks look like as
// text, the names of values, and where each stands in the match key of a packet.
package attr
