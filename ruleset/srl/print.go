package srl

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// Fprint writes the program in canonical form: keywords in small letters,
// one statement a line, indented by braces, its DEFINEs replaced, comments
// left out. Parsing what was printed and printing it again gives the same
// text.
func (p *Program) Fprint(w io.Writer) error {
	var pr printer
	if p.Set != nil {
		pr.line("set %d;", p.Set.N)
	}
	for _, s := range p.Stmts {
		pr.stmt(s)
	}
	for _, s := range p.Subs {
		pr.subroutine(s)
	}
	if p.Format != nil {
		pr.start("format")
		for _, i := range p.Format.Items {
			pr.item(" ", i.Text)
		}
		pr.b.WriteString(";\n")
	}
	if p.Statistics != nil {
		pr.line("statistics;")
	}
	_, err := w.Write(pr.b.Bytes())
	return err
}

// String returns what Fprint writes.
func (p *Program) String() string {
	var b bytes.Buffer
	_ = p.Fprint(&b) // a Buffer takes everything
	return b.String()
}

// lineWidth is where lists go on in a new line.
const lineWidth = 76

const indent = "   "

type printer struct {
	b     bytes.Buffer
	depth int
	bol   int // where the line begins
}

// start begins a line.
func (pr *printer) start(format string, args ...any) {
	pr.bol = pr.b.Len()
	for range pr.depth {
		pr.b.WriteString(indent)
	}
	fmt.Fprintf(&pr.b, format, args...)
}

func (pr *printer) line(format string, args ...any) {
	pr.start(format, args...)
	pr.b.WriteByte('\n')
}

// item goes on with a blank or separator and a text, in a new line if this
// one is full.
func (pr *printer) item(sep, text string) {
	if pr.b.Len()-pr.bol+len(sep)+len(text) > lineWidth {
		pr.b.WriteByte('\n')
		pr.start("%s%s", indent, text)
		return
	}
	pr.b.WriteString(sep + text)
}

func (pr *printer) stmts(list []Stmt) {
	pr.depth++
	for _, s := range list {
		pr.stmt(s)
	}
	pr.depth--
}

// nested prints a statement below the line of another one.
func (pr *printer) nested(s Stmt) {
	if c, ok := s.(*Compound); ok && c.Label.Text == "" {
		pr.b.WriteString(" {\n")
		pr.stmts(c.Stmts)
		pr.line("}")
		return
	}
	pr.b.WriteByte('\n')
	pr.stmts([]Stmt{s})
}

func (pr *printer) stmt(s Stmt) {
	switch s := s.(type) {
	case *If:
		pr.ifStmt(s)
	case *Compound:
		if s.Label.Text != "" {
			pr.start("%s: {\n", s.Label.Text)
		} else {
			pr.start("{\n")
		}
		pr.stmts(s.Stmts)
		pr.line("}")
	case *Save:
		pr.start("save %s;\n", s.String())
	case *SaveList:
		pr.start("save %s", s.List[0])
		for _, more := range s.List[1:] {
			pr.b.WriteByte(',')
			pr.item(" ", more.String())
		}
		pr.b.WriteString(";\n")
	case *Store:
		pr.line("store %s := %s;", s.Variable.Text, s.Value.Text)
	case *Call:
		pr.call(s)
	case *Leave:
		pr.line("exit %s;", s.Label.Text)
	case *Back:
		if s.Labelled {
			pr.line("return %d;", s.N)
		} else {
			pr.line("return;")
		}
	case *Count:
		pr.line("count;")
	case *Ignore:
		pr.line("ignore;")
	case *NoMatch:
		pr.line("nomatch;")
	case *Empty:
		pr.line(";")
	}
}

func (pr *printer) ifStmt(s *If) {
	for i, a := range s.Arms {
		if i == 0 {
			pr.start("if ")
		} else {
			pr.start("else if ")
		}
		if a.Cond != nil {
			pr.expr(a.Cond, false)
		}
		switch {
		case a.Save && a.Then == nil:
			pr.b.WriteString(" save;\n")
			continue
		case a.Save:
			pr.b.WriteString(" save,")
		}
		if a.Then != nil {
			pr.nested(a.Then)
		}
	}
	if s.Else != nil {
		pr.start("else")
		pr.nested(s.Else)
	}
}

// expr prints an expression; inner says that it is part of an && term.
func (pr *printer) expr(e Expr, inner bool) {
	switch e := e.(type) {
	case *Or:
		if inner {
			pr.b.WriteByte('(')
		}
		for i, t := range e.Terms {
			if i > 0 {
				pr.b.WriteString(" || ")
			}
			pr.expr(t, false)
		}
		if inner {
			pr.b.WriteByte(')')
		}
	case *And:
		for i, f := range e.Factors {
			if i > 0 {
				pr.b.WriteString(" && ")
			}
			pr.expr(f, true)
		}
	case *Not:
		pr.b.WriteByte('!')
		if _, is := e.X.(*Not); is {
			pr.expr(e.X, true)
			return
		}
		pr.b.WriteByte('(')
		pr.expr(e.X, false)
		pr.b.WriteByte(')')
	case *Test:
		pr.b.WriteString(e.Attr.Text + " " + e.Op.String() + " ")
		if e.Table != nil {
			pr.b.WriteString(e.Table.String())
			return
		}
		if len(e.Operands) == 1 {
			pr.b.WriteString(e.Operands[0].String())
			return
		}
		pr.b.WriteByte('(')
		for i, o := range e.Operands {
			if i == 0 {
				pr.b.WriteString(o.String())
			} else {
				pr.b.WriteByte(',')
				pr.item(" ", o.String())
			}
		}
		pr.b.WriteByte(')')
	}
}

// String returns the statement as a program has it, without keyword and
// semicolon.
func (s *Save) String() string {
	switch {
	case s.Table != nil:
		return s.Attr.Text + " = " + s.Table.String()
	case s.Assign:
		return s.Attr.Text + " = " + s.Operand.String()
	case s.Operand.Width:
		return s.Attr.Text + " " + s.Operand.String()
	}
	return s.Attr.Text + s.Operand.String()
}

// String returns the operand as a program has it.
func (o Operand) String() string {
	switch {
	case o.To.Text != "":
		return o.Value.Text + " .. " + o.To.Text
	case o.Mask.Text == "":
		return o.Value.Text
	case o.Width:
		return o.Value.Text + "/" + o.Mask.Text
	}
	return o.Value.Text + " & " + o.Mask.Text
}

func (pr *printer) call(s *Call) {
	if s.Bare {
		pr.line("%s;", s.Sub.Text)
		return
	}
	pr.start("call %s (", s.Sub.Text)
	for i, a := range s.Args {
		if i > 0 {
			pr.b.WriteString(", ")
		}
		pr.b.WriteString(a.Text)
	}
	pr.b.WriteString(")\n")
	pr.depth++
	for _, r := range s.Returns {
		pr.start("")
		for i, l := range r.Labels {
			if i > 0 {
				pr.b.WriteByte(' ')
			}
			pr.b.WriteString(strconv.Itoa(l.N) + ":")
		}
		if r.Stmt != nil {
			pr.nested(r.Stmt)
		}
	}
	pr.line("endcall;")
	pr.depth--
}

func (pr *printer) subroutine(s *Subroutine) {
	pr.start("subroutine %s (", s.Name.Text)
	for i, p := range s.Params {
		kind := "address"
		if p.Variable {
			kind = "variable"
		}
		if i > 0 {
			pr.b.WriteByte(',')
			pr.item(" ", kind+" "+p.Name.Text)
		} else {
			pr.b.WriteString(kind + " " + p.Name.Text)
		}
	}
	pr.b.WriteString(")\n")
	pr.stmts(s.Stmts)
	pr.depth++
	pr.line("endsub;")
	pr.depth--
}
