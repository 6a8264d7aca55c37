// Package query answers questions about collections: which flows, hosts or networks
// counted most, which records are of interest, and what has changed.
//
// A [Top] is a record.Sink that adds up and makes tables of it. A [Key] is what it
// adds up by, and an [Expr] says which flows it takes: an expression of SRL about
// flow records. [Intervals] tell what each flow counted in its interval where a file
// has only what it counted altogether.
package query
