// Package spool keeps collections in a folder until every place that they go to has
// them.
//
// # Segments
//
// A segment is one collection as JSON lines, in a file of its own whose name is its
// number: 0000000000000001.jsonl. It gets that name when it is complete and on the disk,
// and never changes. The collection that is being written is current.jsonl.
//
// # Outlets
//
// Each place has an outlet, whose file NAME.outlet tells which segment is next. What was
// sent and not yet noted there is sent again after a crash: rows have a key, so that
// whoever gets them twice can tell. A segment goes once all outlets have passed it.
//
// # A full spool
//
// Segments have a limit in octets. A full spool takes none: whoever makes collections
// makes none then, so that the next is longer; flows' counters only grow, so nothing is
// lost. Or the oldest are dropped, if that is asked for: outlets are told of the gap.
package spool
