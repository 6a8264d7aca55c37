// Package export takes collections out of a spool (package spool) to where they go:
// databases, other collectors. What each of those wants is in a package
// of its own, behind [Exporter]; here is what they share: addresses, repetition, and the
// reading of segments.
//
// A collection is sent until it is acknowledged, and again after a crash. So whoever gets
// it must be able to tell a repetition: rows have a key (record.Key), and what an
// Exporter sends for a collection is the same each time.
package export
