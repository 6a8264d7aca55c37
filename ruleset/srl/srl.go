// Package srl reads SRL, the Simple Ruleset Language of RFC 2723, into a
// syntax tree and prints such trees.
//
// It knows the shape of the language, but not the attributes: package compile
// checks their names and values. Beyond the RFC it reads the statements that
// NeTraMet added (SET, FORMAT, STATISTICS, and a subroutine without parameters
// called by its bare name), and what people try: negation, order, ranges, lists
// behind SAVE, files that a program includes or takes tables from. Told to be
// strict, it refuses all of them.
//
// Text goes through three stages: the scanner (token.go) makes tokens of it,
// the expander (define.go, include.go) takes the DEFINE and INCLUDE directives
// out of them and puts their texts where they belong, one token at a time, and the parser
// (parse.go) is a recursive descent with two tokens of lookahead. Nesting is
// bounded, since a stack that overflows cannot be caught; chains of ELSE IF and
// lists of operands are loops and may be as long as memory allows.
package srl

import (
	"bytes"
)

// MaxErrors is the number of errors after which reading stops.
const MaxErrors = 1000

// Options say how a program is read.
type Options struct {
	// Strict refuses what RFC 2723 does not have.
	Strict bool
	// Plain has package compile make rules for each test and statement as it stands
	// there, and not as few as possible. The parser does the same in either case.
	Plain bool
	// Given are DEFINEs that stand in place of the program's own.
	Given []*Given
	// Open reads the file of this name that the file from includes, and returns
	// how messages name it. If it is nil, nothing can be included.
	Open func(from, name string) (path string, text []byte, err error)
}

// ParseExpr reads one expression, as it stands behind IF. Attributes and values
// are Words as written, whatever they are: the caller knows its own. A value may
// also be a text in quotation marks, which the Word keeps. When there are
// faults, e is nil and err a ruleset.Diagnostics.
func ParseExpr(file, text string, opts Options) (Expr, error) {
	ps := &parser{prog: &Program{File: file, Strict: opts.Strict}, single: true}
	ps.begin(text, opts)
	e, ok := ps.expr()
	if ok && ps.tok.kind != kEOF {
		ps.expected("&&, || or the end of the expression")
	}
	if len(ps.errs) > 0 {
		ps.errs.Sort()
		return nil, ps.errs
	}
	return e, nil
}

// Parse reads a program. When there are faults, err is a
// ruleset.Diagnostics of all of
// them, and the program holds what could be understood, so that package
// compile can look for more.
func Parse(file string, text []byte, opts Options) (p *Program, err error) {
	ps := &parser{prog: &Program{File: file, Strict: opts.Strict, Plain: opts.Plain}}
	ps.program(string(bytes.TrimPrefix(text, []byte("\ufeff"))), opts)
	if len(ps.errs) > 0 {
		ps.errs.Sort()
		ps.prog.Faulty = true
		return ps.prog, ps.errs
	}
	return ps.prog, nil
}
