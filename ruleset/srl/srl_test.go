package srl

import (
	"fmt"
	"strings"
	"testing"

	"rtfm/ruleset"
)

// parse parses a program that must have no faults.
func parse(t *testing.T, text string) *Program {
	t.Helper()
	p, err := Parse("x.srl", []byte(text), Options{})
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	return p
}

// TestPrint gives programs and their canonical form, which prints as itself.
func TestPrint(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"keywords and names ignore case, comments go", "SAVE # x;\n sourcePeerType;Count;",
			"save sourcePeerType;\ncount;\n"},
		{"the forms of save", "save a;save a/8;save a &255.255;save a=1;save a = 1/8; save a=10!0.3&FF-0a;",
			"save a;\nsave a /8;\nsave a & 255.255;\nsave a = 1;\nsave a = 1/8;\nsave a = 10!0.3 & FF-0a;\n"},
		{"if", "if a==1 save;else if b==(1,2/8) save,count;else{ignore;nomatch;}",
			"if a == 1 save;\nelse if b == (1, 2/8) save,\n   count;\nelse {\n   ignore;\n   nomatch;\n}\n"},
		{"else belongs to the last if", "if a==1 if b==1 count; else ignore;",
			"if a == 1\n   if b == 1\n      count;\n   else\n      ignore;\n"},
		{"if save statement", "if a==1 save b;", "if a == 1\n   save b;\n"},
		{"parentheses that mean nothing go", "if ((a==1)||(b==1||(c==1))&&((d==1)&&e==1)) count;",
			"if a == 1 || (b == 1 || c == 1) && d == 1 && e == 1\n   count;\n"},
		{"lists are flat", "if a==(1,((2),3),(4,(5))) count;", "if a == (1, 2, 3, 4, 5)\n   count;\n"},
		{"hexadecimal, names, characters, IPv6", "if a==(FF-00,ab-1,beef,fe80::1/10,::,1::2&ffff::,' ','\\'','#') count;",
			"if a == (FF-00, ab-1, beef, fe80::1/10, ::, 1::2 & ffff::, ' ', '\\'', '#')\n   count;\n"},
		{"negations", "if !a==1&&! ( b==2||c==3 ) && !!(d!=(4,5)) && not e==6 and not(f==7) or !(!g==8) count;",
			"if !(a == 1) && !(b == 2 || c == 3) && !!(d != (4, 5)) && !(e == 6) && !(f == 7) || !!(g == 8)\n   count;\n"},
		{"order and ranges", "if a<1||b<=2||c>3||d>= 'x' ||e==1..2||f==(1 ..2,10.0.0.1.. 10.0.0.9,7/8)||g!=fe80::1..fe80::2||h==FF-00..FF-ff||i<fe80::||j==ftp..ssh count;",
			"if a < 1 || b <= 2 || c > 3 || d >= 'x' || e == 1 .. 2 || f == (1 .. 2,\n" +
				"   10.0.0.1 .. 10.0.0.9, 7/8) || g != fe80::1 .. fe80::2 || h == FF-00 .. FF-ff || i < fe80:: || j == ftp .. ssh\n   count;\n"},
		{"and, or, not are names", "if not==1&&and==or||or==and or;define x=1;and:{exit and;}call not(not,and)endcall;",
			"if not == 1 && and == or || or == and\n   or;\nand: {\n   exit and;\n}\ncall not (not, and)\n   endcall;\n"},
		{"lists of save", "save a,b/24,c=1 , d & 6;if a==1 save,save b,c;", "save a, b /24, c = 1, d & 6;\nif a == 1 save,\n   save b, c;\n"},
		{"two words", "if src host==1&&Destination/**/port!=2 save dst net;if src==1 save;",
			"if src host == 1 && Destination port != 2\n   save dst net;\nif src == 1 save;\n"},
		{"comments", "/* a */count/**/;/* ; # */ # /*\nif a/*\n\n*/==1/ /***/2 /*/ / */ count;", "count;\nif a == 1/2\n   count;\n"},
		{"labels", "outer:{inner:{exit outer;}exit OUTER;}", "outer: {\n   inner: {\n      exit outer;\n   }\n   exit OUTER;\n}\n"},
		{"calls", "call f()endcall;call g(a,b)1:2:count;3 :{ignore;}endcall;f;",
			"call f ()\n   endcall;\ncall g (a, b)\n   1: 2:\n      count;\n   3: {\n      ignore;\n   }\n   endcall;\nf;\n"},
		{"a subroutine", "subroutine f(address a,variable b)return;return 12;endsub;subroutine g();endsub;",
			"subroutine f (address a, variable b)\n   return;\n   return 12;\n   endsub;\nsubroutine g ()\n   ;\n   endsub;\n"},
		{"store", "store FlowKind:='W';store x := 3;", "store FlowKind := 'W';\nstore x := 3;\n"},
		{"additions", "statistics;format a \"; #\" b\n c;set 3;", "set 3;\nformat a \"; #\" b c;\nstatistics;\n"},
		{"additions are no keywords", "set:{exit set;}statistics:{;}format;", "set: {\n   exit set;\n}\nstatistics: {\n   ;\n}\nformat;\n"},
		{"a define is replaced", "if a==x/8 count;define x=130.216;", "if a == 130.216/8\n   count;\n"},
		{"defines in defines, in front of their definition", "if a==(l,m) count;define l=(1,m);define m=2 # not 3; or 4\n;",
			"if a == (1, 2, 2)\n   count;\n"},
		{"a define with statements", "both;define both=save a\\;count;", "save a;\ncount;\n"},
		{"a define with a semicolon as character", "store x:=c;define c='\\;';store x:=';';", "store x := ';';\nstore x := ';';\n"},
		{"an empty define", "nothing count;define nothing=;", "count;\n"},
		{"define names ignore case", "DEFINE Net=1;if a==nEt count;", "if a == 1\n   count;\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := parse(t, tt.text).String()
			if got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
			if again := parse(t, got).String(); again != got {
				t.Errorf("printed again:\n%swant:\n%s", again, got)
			}
		})
	}
}

func TestPrintWrapsLists(t *testing.T) {
	var values []string
	for i := range 40 {
		values = append(values, fmt.Sprintf("10.%d.0/24", i))
	}
	got := parse(t, "{ if a == ("+strings.Join(values, ",")+") count; }").String()
	for _, l := range strings.Split(got, "\n") {
		if len(l) > lineWidth+1 {
			t.Errorf("a line of %d: %s", len(l), l)
		}
	}
	if again := parse(t, got).String(); again != got {
		t.Errorf("printed again:\n%swant:\n%s", again, got)
	}
}

// TestPlaces has the places of what came out of a DEFINE: that of the use in
// the program, and that in the DEFINE's text.
func TestPlaces(t *testing.T) {
	p := parse(t, "define one = 1;\ndefine list = (one,\n  2);\nif a == list count;")
	ops := p.Stmts[0].(*If).Arms[0].Cond.(*Test).Operands
	for i, want := range []struct {
		define string
		line   int32
		col    int32
	}{{"one", 1, 14}, {"list", 3, 3}} {
		at := ops[i].Value.Place
		if at.Line != 4 || at.Col != 9 || at.Def.Name != want.define || at.DefLine != want.line || at.DefCol != want.col {
			t.Errorf("operand %d is at %+v (DEFINE %s), want 4:9, DEFINE %s %d:%d", i, at, at.Def.Name, want.define, want.line, want.col)
		}
	}
	e := p.Diagnose(ops[1].Value.Place, "wrong")
	if got, want := e.Error(), "x.srl:4:9: wrong (from DEFINE list, 3:3)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseExpr(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Octets >= 10M && !(Duration < 1.5m or Meter == \"a b\")", ""},
		{"FirstTime > 12:30:05 and port == 1024..2000", ""},
		{"", "filter:1:1: expected an attribute or (, found the end of the expression"},
		{"a == 1 count", `filter:1:8: expected &&, || or the end of the expression, found COUNT`},
		{"a == 1; b", `filter:1:7: expected &&, || or the end of the expression, found ";"`},
		{"(a == 1", "filter:1:8: expected &&, || or the ) for the ( at 1:1, found the end of the expression"},
		{"define x = 1; a == x", ""},
	} {
		e, err := ParseExpr("filter", tt.text, Options{})
		if (e == nil) != (err != nil) || err == nil && tt.want != "" || err != nil && err.Error() != tt.want {
			t.Errorf("%s: got %v, %v; want %s", tt.text, e, err, tt.want)
		}
	}
	e, err := ParseExpr("", `a < "x" or not b == 5m .. 10M`, Options{})
	if err != nil {
		t.Fatal(err)
	}
	or := e.(*Or)
	less, between := or.Terms[0].(*Test), or.Terms[1].(*Not).X.(*Test)
	if less.Op != Less || less.Operands[0].Value.Text != `"x"` || between.Operands[0].To.Text != "10M" {
		t.Errorf("got %+v and %+v", less, between)
	}
}

// TestFaultyProgram: what is understood of a faulty program is there.
func TestFaultyProgram(t *testing.T) {
	p, err := Parse("x.srl", []byte("save ;\nif a = 1 { save b; } else count;\nsave c\ncount;"), Options{})
	want := "x.srl:1:6: expected an attribute behind SAVE, found \";\"\n" +
		"x.srl:2:6: expected == behind the attribute a, found \"=\"\n" +
		"x.srl:4:1: expected ; behind SAVE c, found COUNT"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if !p.Faulty {
		t.Error("the program is not marked as faulty")
	}
	if got, want := p.String(), "if  {\n   save b;\n}\nelse\n   count;\nsave c;\ncount;\n"; got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
}

// TestLimits: programs that would overflow the stack or grow without bound
// are refused, those that are only long are not.
func TestLimits(t *testing.T) {
	const n = 100_000
	rep := strings.Repeat
	for _, tt := range []struct{ name, text, want string }{
		{"parentheses", "if " + rep("(", n) + "a == 1" + rep(")", n) + " count;", "x.srl:1:253: nested more than 250 deep"},
		{"lists", "if a == " + rep("(", n) + "1" + rep(")", n) + " count;", "x.srl:1:258: nested more than 250 deep"},
		{"braces", rep("{", n) + "count;" + rep("}", n), "x.srl:1:251: nested more than 250 deep"},
		{"ifs", rep("if a == 1 ", n) + "count;", "x.srl:1:2501: nested more than 250 deep"},
		{"else", rep("if a == 1 count; else {", n) + "count;" + rep("}", n), "x.srl:1:2876: nested more than 250 deep"},
		{"saves", rep("if a == 1 save, ", n) + "count;", "x.srl:1:4001: nested more than 250 deep"},
		{"returns", rep("call f() 1: ", n) + "count;", "x.srl:1:3001: nested more than 250 deep"},
		{"defines", "define a = b b; define b = c c; define c = d d; define d = e e;" +
			"define e = f f; define f = g g; define g = h h; define h = i i; define i = j j; define j = k k;" +
			"define k = l l; define l = m m; define m = n n; define n = o o; define o = p p; define p = q q;" +
			"define q = r r; define r = s s; define s = t t; define t = u u; define u = v v; define v = w w; define w = ; a",
			"the program has 4194304 words or more, its DEFINEs replaced"},
		{"chain", rep("if a == 1 count; else ", n) + "ignore;", ""},
		{"terms", "if a == 1" + rep(" || b == 1 && a == 1", n) + " count;", ""},
		{"statements", rep("save a;", n), ""},
		{"operands", "if a == (1" + rep(", 2", n) + ") count;", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("x.srl", []byte(tt.text), Options{})
			switch {
			case err == nil && tt.want != "":
				t.Errorf("no fault, want %s", tt.want)
			case err != nil && (tt.want == "" || !strings.Contains(err.Error(), tt.want) || len(err.(ruleset.Diagnostics)) != 1):
				t.Errorf("got %.300v, want %s", err, tt.want)
			}
		})
	}
}

// TestKeywords: every keyword is refused as a name, and found when it is
// misspelt by a letter.
func TestKeywords(t *testing.T) {
	for k := range keywords {
		if _, err := Parse("x.srl", []byte("save "+k+";"), Options{}); err == nil {
			t.Errorf("%s is taken for a name", k)
		}
		for _, word := range []string{k + "x", k[1:], "x" + k[1:], k[:1] + k} {
			if got, ok := nearKeyword(word); !ok || got != strings.ToUpper(k) {
				t.Errorf("%s is taken for %q, want %s", word, got, k)
			}
		}
	}
	for _, word := range []string{"xyz", "a", "sourcepeertype", strings.Repeat("count", 20)} {
		if got, ok := nearKeyword(word); ok {
			t.Errorf("%s is taken for %s", word, got)
		}
	}
}

// TestDefineUsedAgain wants the text of a DEFINE to be scanned no more than once
// for its uses behind the first: it may be long, and they many.
func TestDefineUsedAgain(t *testing.T) {
	const text = "define once = 1; define often = 2, # and\n\n\n 3; if a == (once, often, often, often) count;"
	p := parse(t, text)
	if got := p.String(); got != "if a == (1, 2, 3, 2, 3, 2, 3)\n   count;\n" {
		t.Errorf("got %q", got)
	}
	once, often := p.Defines[0], p.Defines[1]
	if once.tokens != nil {
		t.Errorf("%v are kept", once.tokens)
	}
	if n := len(often.tokens); n != 4 || often.tokens[n-1].kind != kEOF {
		t.Errorf("%v are kept", often.tokens)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"define net = (10/8, 'a'); if SourcePeerAddress == (net, 2001:db8::/32) && (a == 1 || b == FF-00) save, count; else ignore;",
		"call f (a, b) 1: 2: { x: { exit x; } } endcall; subroutine f (address p, variable q) store q := 1; return 2; endsub;",
		"set 3; format a \" \" b; statistics; f; save a = 1.2!3 & 5;", "define a = b; define b = a\\; a; a", "if if else } endsub", "'", "\"",
		"1:2:3:4:5:6:7:8: count;", "if !(a != 1..2) and not b < 'x' || c >= ::1 save;",
		"include \"t\"; /* 1,2\n */ define t = file(\"t\"); save a, b = t; if a != t count;",
	} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, strict bool) {
		opts := Options{Strict: strict, Open: opener(map[string]string{"t": text})} // which includes itself
		p, err := Parse("x.srl", []byte(text), opts)
		printed := p.String()
		if err != nil {
			lines := strings.Count(text, "\n") + 1
			for _, e := range err.(ruleset.Diagnostics) {
				if e.Line < 1 || e.Line > lines || e.Col < 1 || e.Col > len(text)+1 || e.Msg == "" {
					t.Errorf("fault at no place: %v", e)
				}
			}
			return
		}
		again, err := Parse("x.srl", []byte(printed), opts)
		if err != nil {
			t.Fatalf("%v\nin what was printed:\n%s", err, printed)
		}
		if got := again.String(); got != printed {
			t.Fatalf("printed again:\n%swant:\n%s", got, printed)
		}
	})
}

// BenchmarkParse parses a list of 100,000 networks and a chain of as many
// arms.
func BenchmarkParse(b *testing.B) {
	var list, chain strings.Builder
	list.WriteString("if SourcePeerAddress == (10/8")
	for i := range 100_000 {
		fmt.Fprintf(&list, ", %d.%d.%d.0/24", 11+i>>16, i>>8&255, i&255)
		fmt.Fprintf(&chain, "if SourceTransAddress == %d store FlowKind := 1; else ", i%60000)
	}
	list.WriteString(") save, count;")
	chain.WriteString("ignore;")
	for _, bb := range []struct{ name, text string }{{"list", list.String()}, {"chain", chain.String()}} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bb.text)))
			text := []byte(bb.text)
			for b.Loop() {
				if _, err := Parse("x.srl", text, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
