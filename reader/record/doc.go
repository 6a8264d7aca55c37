// Package record says what a collection is: the only meaning of one, between a
// meter and a file, a screen or a database.
//
// A [From] is one collection that waits to be read: of a meter in this process
// ([Process]), of a meter over SNMP (package reader), or of a flow data file
// (package flowfile). A [Sink] takes collections: text and JSON lines (package
// flowfile) and whatever else is made of them. [Copy] passes one on. The numbers
// that a collection ends with are made in one place, [Summarize], from what the
// meter has counted, so that they are the same whichever way it was read.
package record
