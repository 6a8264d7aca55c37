// Package match has what a matching engine is given, a Packet with its key, and
// what it makes: the FlowKey that identifies a flow, whose Shape tells which
// attributes a ruleset has saved under which masks, and the Flow with its counters.
package match
