// Package reader collects flows from meters.
//
// # What makes a collection complete
//
// A registered reader has a row in the meter's flowReaderInfoTable for every
// ruleset that it reads. It begins a collection by setting the rows' LastTime:
// the meter puts its Uptime there, and what was there in PreviousTime, and from
// then on may recover flows that were not active since PreviousTime. So
// LastTime may be set only when the flows of the collection before are safely
// in the file. When a collection has failed, because the meter fell silent,
// the disk was full, or the process was killed, the next one leaves LastTime
// alone: the meter goes on to hold all that was active since the last
// collection that succeeded, and the new one reads it from there.
//
// The flows that are read are those that were active since the Uptime at which
// the last collection ended, as TimeMarks select them. A flow's counters only
// grow. So a flow that was active while it was read is read again by the next
// collection, which counts nothing twice.
//
// A collection is in the file whole or not at all: what was written of one that
// failed is cut off again, by the next start if it must be. The state file
// beside it tells of which run of the meter the file's collections are, and up
// to where they were made for each ruleset; just before a collection's end is
// written it also tells of what will be true then. FORMAT.md of package flowfile
// describes both.
package reader
