// Package ruleset holds what everything else agrees on: the attributes of
// flows, their values and masks, rules and rulesets, the match key of a
// packet, and the text form of rulesets (.rules files).
//
// A ruleset is a program for the meter's Packet Matching Engine (RFC 2722
// section 4.4). This package knows what rules say; package pme runs them,
// packages srl and compile make them.
package ruleset
