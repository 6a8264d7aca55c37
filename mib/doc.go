// Package mib is the Meter MIB (RFC 2720) and this meter's extension of it,
// without any protocol: a Handler answers Get, Next and Set for SNMP front
// ends over the small Meter interface, and knows no sockets. The modules are
// FLOW-METER-MIB.txt and RTFM-EXTENSION-MIB.txt.
//
// # Tables with a TimeMark
//
// Formally a flow has an instance for each value of Uptime since the meter
// started at which it had not yet been active for the last time. A Get finds
// all of them. A Next passes from a flow to the next one with the same
// TimeMark, and after the last one to the next ruleset with TimeMark 0 or the
// next column, as RFC 4502 recommends for TimeFilter: so a walk shows each
// flow once, and one that begins at a TimeMark shows the flows that were
// active then or later. TimeMark 0 stands for the meter's start, always. Any
// other stands for the latest moment, not later than now, at which Uptime,
// which wraps after 497 days, had that value.
//
// flowDataPackageTable, flowColumnActivityTable and rtfmBlockTable have an
// instance for each choice of attributes. They answer a Next only if it names
// a choice, and only for that one; a walk of the whole MIB passes them by.
//
// # Rows
//
// A Set is tested and committed as a whole, in whatever order it has its
// variables. What is tested is the state that all of them together would
// make: a Set may create a ruleset, fill it with rules, activate it, and make
// a task run it.
package mib
