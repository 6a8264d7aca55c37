package srl

import (
	"fmt"
	"strings"

	"rtfm/ruleset"
)

// Program is a program's syntax tree, its DEFINEs replaced.
type Program struct {
	File       string
	Strict     bool // read with Options.Strict
	Plain      bool // read with Options.Plain
	Faulty     bool // Parse found faults: parts are missing
	Stmts      []Stmt
	Subs       []*Subroutine // in the order of the text
	Defines    []*Define     // likewise
	Tables     []*Table      // likewise
	Set        *Set          // nil when there is none; likewise the next two
	Format     *Format
	Statistics *Statistics
}

// Place is where something stands in a program's text. Nodes embed it.
type Place = ruleset.Place

// Diagnose returns a diagnostic for a place of the program.
func (p *Program) Diagnose(at Place, format string, args ...any) ruleset.Diagnostic {
	return at.Diagnose(p.File, fmt.Sprintf(format, args...))
}

// Word is a name, number or value as the program spells it.
type Word struct {
	Place
	Text string
}

// IsName reports whether the word is an identifier, not a value: identifiers
// begin with a letter and hold letters, digits and underscores only.
func (w Word) IsName() bool {
	return w.Text != "" && classes[w.Text[0]]&letter != 0 && word.length(w.Text) == len(w.Text)
}

// Define is a DEFINE directive.
type Define struct {
	Place
	ruleset.Define
	NamePlace Place
	text      scanner // at its beginning, with nothing after it
	used      bool
	tokens    []token // those of text, once it is used again
	active    bool    // being expanded
	given     *Given  // nil if it stands in the program
}

// Used reports whether the DEFINE's name stands anywhere.
func (d *Define) Used() bool { return d.used }

// Swallowed returns the first keyword in a DEFINE's text without a \; as
// statements there have: the DEFINE's own semicolon may be missing before it.
// It is empty if there is none.
func (d *Define) Swallowed() string {
	s := d.text
	found := ""
	for {
		var t token
		switch s.next(&t); {
		case t.kind == kEOF:
			return found
		case t.kind == kSemicolon:
			return ""
		case t.key != none && found == "":
			found = strings.ToUpper(t.text)
		}
	}
}

// Stmt is a statement.
type Stmt interface{ At() Place }

// The statements.
type (
	// If is an IF statement with all of its ELSE IF arms.
	If struct {
		Place
		Arms []Arm
		Else Stmt // nil when there is none
	}

	// Compound is a sequence of statements in braces.
	Compound struct {
		Place
		Label Word // empty when there is none
		Stmts []Stmt
	}

	// Save is a SAVE statement.
	Save struct {
		Place
		Attr Word
		// Assign is set for the form `SAVE attrib = operand`. Otherwise Operand has
		// no value, and maybe a mask.
		Assign  bool
		Operand Operand
		// Table is what takes the place of Operand in `SAVE attrib = FILE (...)`: the
		// value is that of the first line with the same name.
		Table *Table
	}

	// SaveList is a SAVE statement with several attributes, an addition.
	SaveList struct {
		Place
		List []*Save // each at its attribute
	}

	// Store is a STORE statement.
	Store struct {
		Place
		Variable, Value Word
	}

	// Call is a CALL statement.
	Call struct {
		Place
		Sub     Word
		Bare    bool // written as the subroutine's name only
		Args    []Word
		Returns []Return // numbered statements
	}

	// Leave is an EXIT statement.
	Leave struct {
		Place
		Label Word
	}

	// Back is a RETURN statement, Labelled if it has a number, which is N.
	Back struct {
		Place
		Labelled bool
		N        int
	}

	// Count, Ignore, NoMatch are the statements of these names, Empty is a
	// lone semicolon.
	Count   struct{ Place }
	Ignore  struct{ Place }
	NoMatch struct{ Place }
	Empty   struct{ Place }
)

// Arm is an expression and what is done when it is true.
type Arm struct {
	Place
	Cond Expr // nil when it could not be understood
	Save bool // save what was matched
	Then Stmt // nil for `SAVE ;`
}

// Return is a statement of a CALL with the numbers before it.
type Return struct {
	Labels []Label
	Stmt   Stmt
}

// Label is a return label of a CALL.
type Label struct {
	Place
	N int
}

// Expr is a logical expression.
type Expr interface{ At() Place }

// The expressions. Or and And have at least two operands, none of them of
// their own kind. All that is not in RFC 2723 is an addition: Not, any
// operator but Equal, and ranges.
type (
	Or struct {
		Place
		Terms []Expr
	}
	And struct {
		Place
		Factors []Expr
	}
	// Not is true when X is false.
	Not struct {
		Place
		X Expr
	}
	// Test is the comparison of an attribute with operands: that it is Equal to
	// one of them, or NotEqual to all. The other operators have one operand,
	// which is a value alone.
	Test struct {
		Place
		Attr     Word
		Op       Op
		Operands []Operand
		// Table is set if Operands are its keys, of which the one with the longest
		// mask counts.
		Table *Table
	}
)

// Op is the operator of a Test.
type Op uint8

// The operators.
const (
	Equal Op = iota
	NotEqual
	Less
	LessEqual
	Greater
	GreaterEqual
)

// Not returns the operator that is true when o is false.
func (o Op) Not() Op {
	return [...]Op{NotEqual, Equal, GreaterEqual, Greater, LessEqual, Less}[o]
}

// String returns the operator as programs have it.
func (o Op) String() string {
	return [...]string{"==", "!=", "<", "<=", ">", ">="}[o]
}

// Operand is a value with a mask, or a range. An empty Mask stands for all
// ones.
type Operand struct {
	Value Word
	To    Word // the last value of a range, which has no mask; else empty
	Mask  Word
	// Width says that Mask is a number of bits.
	Width bool
}

// Subroutine is the declaration of a subroutine.
type Subroutine struct {
	Place
	Name   Word
	Params []Param
	Stmts  []Stmt
	Open   bool // its ENDSUB is missing: it may hold what was meant to follow
}

// Param is a parameter of a subroutine.
type Param struct {
	Name     Word
	Variable bool // VARIABLE, otherwise ADDRESS
}

// Additions of NeTraMet, which stand outside of all other statements.
type (
	// Set gives the ruleset's number.
	Set struct {
		Place
		N int
	}
	// Format lists attributes and quoted separators.
	Format struct {
		Place
		Items []Word
	}
	// Statistics asks for statistics in the flow data.
	Statistics struct{ Place }
)
