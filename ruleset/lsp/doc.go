// Package lsp is a language server for SRL: it tells editors what is wrong with a
// program while it is typed, what its words mean, what may stand where the cursor
// is, and where things are (Language Server Protocol 3.17).
//
// A Server has one goroutine that owns all documents, answers requests in their
// order, and is the only one that writes. It looks at words as they stand in the
// text (index.go), so that half-typed programs are no worse than whole ones.
// Faults are found by another goroutine, one text at a time and always the
// latest (diagnose.go), by the same parser and compiler that run programs.
//
// Programs may hold lists of hundreds of thousands of networks. What only
// depends on the rest is found in a text of which long lists are blanked out, in
// place (short.go): it takes milliseconds. The whole text is checked when nothing
// has been typed for a while.
//
// Positions of the protocol count UTF-16 units in lines, those of SRL octets:
// document.go is where one becomes the other.
package lsp
