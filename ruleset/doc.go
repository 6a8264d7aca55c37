// Package ruleset holds rules and rulesets, their text (.rules files), FORMAT
// statements, and what is said of their faults.
//
// A ruleset is a program for the meter's Packet Matching Engine (RFC 2722
// section 4.4). This package knows what rules say and checks that a meter could
// run them. Package attr knows what they test and save, packages srl and compile
// make them of SRL programs, package pme runs them.
package ruleset
