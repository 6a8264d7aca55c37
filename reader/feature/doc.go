// Package feature makes feature vectors of flows, for machine learning, of what a
// meter's feed tells of each packet (reader/feed).
//
// A flow has one row when it has had so many packets, or when none has come for a
// second before, and one at its end. A row is the same whoever it is for: files of
// NumPy (NPY), of JSON lines, or a program that is asked what a flow is (Scorer), which
// has rows as NPY has them.
//
// docs/FEATURES.md defines each number. They are those of the attributes of the same
// names in flow data, and are added up in the same way.
package feature
