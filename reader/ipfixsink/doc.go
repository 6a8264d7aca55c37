// Package ipfixsink sends collections as IPFIX (RFC 7011): over UDP, TCP or TLS to a
// collector, or into a file (RFC 5655).
//
// Each ruleset is an observation domain of its own. A flow is two records by default, one
// each way, of what it counted in the interval; collectors that know RFC 5103 may be sent
// one with elements of the other direction. Behind the flows of a ruleset stands a record
// of what it lost, and behind all of a collection, in domain 0, one of what was sent.
package ipfixsink
