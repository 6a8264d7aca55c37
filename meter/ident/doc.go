// Package ident gives flows identifiers that depend on nothing but what a flow is:
// whoever sees the same flow gives it the same ones.
//
// # Community ID
//
// Version 1 of https://github.com/corelight/community-id-spec with seed 0, by which
// Zeek, Suricata, Wireshark and others name the connection between two ends. It is
// the SHA-1 of
//
//	seed (2) | lower address | higher address | protocol (1) | 0 (1) | lower end's port (2) | higher end's port (2)
//
// where the lower end is that of the lower address or, of equal ones, the lower port.
// Ports are those of TCP, UDP and SCTP; other protocols have none, but for ICMP and
// ICMPv6. There a type that asks or answers has itself and its counterpart for ports,
// so that an echo request and its reply have one Community ID; other types have type
// and code, and their ends are not put in order.
//
// A flow has a Community ID if its key holds both whole addresses, the protocol and
// both whole transport addresses, and if these are known. They are not in fragments but
// the first, and where the capture has cut them off: of TCP, UDP and SCTP both ports
// are 0 there, and there is no Community ID rather than a wrong one.
//
// # FlowID
//
// 64 bits, the first 8 octets of a SHA-1, never 0. Of a flow whose key is the 5-tuple
// and nothing more, beside the types of its addresses, it is the SHA-1 of the Community
// ID, if that tells the flow from others: not of ICMP, where several flows share one.
// Of other flows it is the SHA-1 of
//
//	salt (2) | for each saved attribute, in order of number: number (2) | length (1) | mask | value
//
// with salt 0, of the flow or of its reverse (match.FlowKey.Reverse), whichever octets
// are lower as numbers. So it is the same for both, and does not depend on the number
// of the ruleset.
//
// No two flows of a ruleset have one FlowID at a time. Should a new flow get that of
// another, its salt, for which the Community ID has the seed, is 1, and so on. Only the
// order in which flows are made decides, and when they are recovered.
package ident
