package srl

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/rulesettest"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// The language on one page: RFC 2723 appendix A as a grammar for a parser
// generator, and what NeTraMet added. Where the appendix and the railway diagrams of the RFC differ the
// diagrams count: any number of || and &&. Lists may hold lists, as the RFC's
// own example does by a DEFINE.
type (
	gProgram struct {
		Items []*gItem `parser:"@@*"`
	}
	gItem struct {
		Sub  *gSub  `parser:"  @@"`
		Stmt *gStmt `parser:"| @@"`
	}
	gSub struct {
		Name   string    `parser:"'subroutine' @Name"`
		Params []*gParam `parser:"'(' (@@ (',' @@)*)? ')'"`
		Stmts  []*gStmt  `parser:"@@+ 'endsub' ';'"`
	}
	gParam struct {
		Name string `parser:"('address' | 'variable') @Name"`
	}
	gStmt struct {
		If       *gIf       `parser:"  @@"`
		Call     *gCall     `parser:"| @@"`
		Compound *gCompound `parser:"| @@"`
		Simple   *gSimple   `parser:"| @@"`
		Added    *gAdded    `parser:"| @@"`
	}
	gIf struct {
		Cond *gExpr   `parser:"'if' @@"`
		Act  *gAction `parser:"@@"`
		Else *gStmt   `parser:"('else' @@)?"`
	}
	gAction struct {
		Save bool   `parser:"  @('save' ';')"`
		Both *gStmt `parser:"| 'save' ',' @@"`
		Stmt *gStmt `parser:"| @@"`
	}
	gExpr struct {
		Terms []*gTerm `parser:"@@ (OrOr @@)*"`
	}
	gTerm struct {
		Factors []*gFactor `parser:"@@ (AndAnd @@)*"`
	}
	gFactor struct {
		Attr *string `parser:"  @Name Equal"`
		List *gList  `parser:"  @@"`
		Expr *gExpr  `parser:"| '(' @@ ')'"`
	}
	gList struct {
		Operand *gOperand `parser:"  @@"`
		Lists   []*gList  `parser:"| '(' @@ (',' @@)* ')'"`
	}
	gOperand struct {
		Value string `parser:"@(Value | Integer | Width | Char | Name)"`
		Mask  *gMask `parser:"@@?"`
	}
	gMask struct {
		Width *string `parser:"  '/' @Width"`
		Mask  *string `parser:"| '&' @(Value | Integer | Width | Char | Name)"`
	}
	gCompound struct {
		Label *string  `parser:"(@Name ':')?"`
		Stmts []*gStmt `parser:"'{' @@+ '}'"`
	}
	// gAdded is what NeTraMet added to the RFC's language.
	gAdded struct {
		Bare   string   `parser:"  @Name ';'"`
		Set    string   `parser:"| 'set' @(Integer | Width) ';'"`
		Format []string `parser:"| 'format' @(Name | String)+ ';'"`
	}
	gSimple struct {
		Empty  bool    `parser:"(  @';'"`
		Save   *gSave  `parser:" | 'save' @@ ';'"`
		Plain  bool    `parser:" | @('count' | 'ignore' | 'nomatch') ';'"`
		Exit   string  `parser:" | 'exit' @Name ';'"`
		Return bool    `parser:" | @'return' (Integer | Width)? ';'"`
		Store  *gStore `parser:" | 'store' @@ ';' )"`
	}
	gSave struct {
		Attr    string    `parser:"@Name"`
		Operand *gOperand `parser:"('=' @@)?"`
		Mask    *gMask    `parser:"@@?"`
	}
	gStore struct {
		Variable string `parser:"@Name Assign"`
		Value    string `parser:"@(Value | Integer | Width | Char | Name)"`
	}
	gCall struct {
		Sub     string     `parser:"'call' @Name"`
		Args    []string   `parser:"'(' (@Name (',' @Name)*)? ')'"`
		Returns []*gReturn `parser:"@@* 'endcall' ';'"`
	}
	gReturn struct {
		Labels []string `parser:"(@(Integer | Width) ':')+"`
		Stmt   *gStmt   `parser:"@@"`
	}
)

var rfcGrammar = sync.OnceValue(func() *participle.Parser[gProgram] {
	return participle.MustBuild[gProgram](participle.Lexer(tokensOf{}), participle.UseLookahead(3), participle.CaseInsensitive("Name"))
})

// tokensOf gives the generated parser the tokens of a program, its DEFINEs
// replaced: numbers of up to three digits are Widths, longer ones Integers.
type tokensOf struct{}

var symbols = map[string]lexer.TokenType{
	"EOF": lexer.EOF, "Name": 1, "Value": 2, "Char": 3, "String": 4, "Assign": 5, "Equal": 6,
	"AndAnd": 7, "OrOr": 8, "Bad": 9, "Keyword": 10, "Punct": 11, "Integer": 12, "Width": 13,
}

func (tokensOf) Symbols() map[string]lexer.TokenType { return symbols }

func (tokensOf) Lex(file string, r io.Reader) (lexer.Lexer, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	g := &given{}
	g.in = newExpander(&Program{File: file}, Options{}, string(text), func(at Place, format string, args ...any) {
		g.faults = append(g.faults, fmt.Sprintf(format, args...))
	})
	return g, nil
}

type given struct {
	in     *expander
	faults []string
}

func (g *given) Next() (lexer.Token, error) {
	var t token
	g.in.next(&t)
	if len(g.faults) > 0 {
		return lexer.Token{}, fmt.Errorf("scanner: %s", g.faults[0])
	}
	out := lexer.Token{Value: t.text, Pos: lexer.Position{Line: int(t.at.Line), Column: int(t.at.Col)}}
	digits := digit.length(t.text)
	switch {
	case t.kind == kEOF:
		return lexer.EOFToken(out.Pos), nil
	case t.key != none:
		out.Type, out.Value = symbols["Keyword"], strings.ToLower(t.text)
	case t.kind == kValue && digits == len(t.text) && digits <= 3:
		out.Type = symbols["Width"]
	case t.kind == kValue && digits == len(t.text):
		out.Type = symbols["Integer"]
	case t.kind > kBad || t.kind == kSemicolon:
		out.Type = symbols["Punct"]
	default:
		out.Type = [...]lexer.TokenType{kName: 1, kValue: 2, kChar: 3, kString: 4, kAssign: 5, kEqual: 6, kAnd: 7, kOr: 8, kBad: 9}[t.kind]
	}
	return out, nil
}

// refusedByGrammar reports what the generated parser says of a program.
func refusedByGrammar(text string) error {
	_, err := rfcGrammar().ParseString("", text)
	return err
}

// refusedByUs returns those faults of a program that are not of its grammar's
// making, and those that are: what is declared twice, a label that is not there
// and RETURN outside a subroutine are not, nor are NeTraMet's statements.
func refusedByUs(text string, opts Options) (grammar, other []string) {
	_, err := Parse("", []byte(text), opts)
	if err == nil {
		return nil, nil
	}
	for _, e := range err.(ruleset.Diagnostics) {
		if slices.ContainsFunc([]string{
			"already", "EXIT ", "no label ", "RETURN stands", "return label from", "return label or ;", "behind SET", "cannot stand inside", "is DEFINEd", "a keyword and cannot",
		}, func(s string) bool { return strings.Contains(e.Msg, s) }) || strings.HasSuffix(e.Msg, "(--strict)") {
			other = append(other, e.Error())
		} else {
			grammar = append(grammar, e.Error())
		}
	}
	return grammar, other
}

// sources returns the programs that ship with the project, and random ones:
// also such as RFC 2723 does not have if added is set.
func sources(t testing.TB, added bool) (texts []string) {
	files, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2723))
		texts = append(texts, rulesettest.Program(r))
		if added {
			texts = append(texts, rulesettest.Extended(r))
		}
	}
	return texts
}

// TestGrammar holds the strict parser to the grammar above: both accept the
// project's programs, and both refuse or accept what becomes of them when words
// are left out, doubled, exchanged or put in from elsewhere, among them SRL's
// additions. What the grammar accepts is accepted without --strict too.
func TestGrammar(t *testing.T) {
	plain, texts := sources(t, false), sources(t, true)
	r := rand.New(rand.NewPCG(1, 2))
	accepted, refused := 0, 0
	check := func(text string) {
		grammar, other := refusedByUs(text, Options{Strict: true})
		more, _ := refusedByUs(text, Options{})
		err := refusedByGrammar(text)
		switch {
		case err == nil && len(grammar) > 0:
			t.Errorf("refused by us only: %s\n%s", grammar[0], text)
		case err == nil && len(more) > 0:
			t.Errorf("refused without --strict only: %s\n%s", more[0], text)
		case err != nil && len(grammar)+len(other) == 0:
			t.Errorf("refused by the grammar only: %v\n%s", err, text)
		case err == nil:
			accepted++
		default:
			refused++
		}
	}
	for _, text := range texts {
		check(text)
	}
	programs := 3000
	if testing.Short() {
		programs = 1000
	}
	for range programs {
		check(mutate(r, plain[r.IntN(len(plain))], texts[r.IntN(len(texts))]))
		if t.Failed() {
			return
		}
	}
	t.Logf("%d programs accepted by both, %d refused by both", accepted, refused)
	if accepted < 300 || refused < 500 {
		t.Error("the programs are too much alike")
	}
}

// mutate changes a few words of a program, taking others from another one.
func mutate(r *rand.Rand, text, other string) string {
	words, others := split(text), split(other)
	for range 1 + r.IntN(2) {
		i, j := r.IntN(len(words)), r.IntN(len(words))
		switch r.IntN(8) {
		case 0:
			words = slices.Delete(slices.Clone(words), i, i+1)
		case 1:
			words = slices.Insert(slices.Clone(words), i, words[j])
		case 2:
			words = slices.Clone(words)
			words[i], words[j] = words[j], words[i]
		case 3:
			words = slices.Insert(slices.Clone(words), i, others[r.IntN(len(others))])
		default: // of one that begins alike, which may well be right
			alike := slices.DeleteFunc(slices.Clone(others), func(w string) bool { return (classes[w[0]]^classes[words[i][0]])&^fields != 0 })
			if len(alike) > 0 {
				words[i] = alike[r.IntN(len(alike))]
			}
		}
		if len(words) == 0 {
			return ";"
		}
	}
	return strings.Join(words, " ")
}

// split returns the words of a program, without those of DEFINEs, whose ends
// would be left out.
func split(text string) (words []string) {
	x := newExpander(&Program{}, Options{}, text, func(Place, string, ...any) {})
	for {
		var t token
		x.next(&t)
		if t.kind == kEOF {
			return words
		}
		words = append(words, t.text)
	}
}

// BenchmarkGrammar parses the programs by the generated parser, to be compared
// with BenchmarkParse.
func BenchmarkGrammar(b *testing.B) {
	texts := sources(b, false)
	for _, bm := range []struct {
		name  string
		parse func(string) error
	}{
		{"ours", func(s string) error { _, err := Parse("", []byte(s), Options{}); return err }},
		{"generated", refusedByGrammar},
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				for _, text := range texts {
					if err := bm.parse(text); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
