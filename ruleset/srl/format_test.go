package srl

import (
	"strings"
	"testing"
)

// spelled spells one attribute as its name is.
func spelled(name string) string {
	if strings.EqualFold(name, "FlowKind") {
		return "FlowKind"
	}
	return name
}

// TestReformatNested: what DEFINEs hide may nest without bound where it stands.
func TestReformatNested(t *testing.T) {
	text := "define q = == 1 count\\;;\n" + strings.Repeat("if a q ", 100_000)
	got, err := Reformat("x.srl", []byte(text), spelled, Options{})
	if lines := strings.Count(string(got), "\n"); err != nil || lines < 100_000 {
		t.Errorf("%v, %d lines", err, lines)
	}
}

// TestReformat gives programs and their usual form, which is its own.
func TestReformat(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"a statement a line, names as they are named", "\ufeffSAVE flowkind;Store FLOWKIND:=1 ;count;", "save FlowKind;\nstore FlowKind := 1;\ncount;\n"},
		{"widths and masks", "save a/8;save b = 10.1 /16 , c/ 24, d&6;if a==10/8 save, save x /1;",
			"save a /8;\nsave b = 10.1/16, c /24, d & 6;\nif a == 10/8 save, save x /1;\n"},
		{"addresses", "if a==(2001:db8::/32,::,FF-00&FF-FF, 1:: &::1) count;", "if a == (2001:db8::/32, ::, FF-00 & FF-FF, 1:: & ::1) count;\n"},
		{"ranges", "if a==(1 ..2,10.0.0.1..10.0.0.9,ftp .. ssh,1::..2::) count;", "if a == (1..2, 10.0.0.1 .. 10.0.0.9, ftp..ssh, 1:: .. 2::) count;\n"},
		{"negations and words", "if ! ( a==1 )&&NOT b!=2 OR ! ! c<3 count;", "if !(a == 1) && not b != 2 or !!c < 3 count;\n"},
		{"an IF's statement stays on its line, or below", "if a==1\nsave;else if b==2 \n count; else\nignore;if a==1 save,\nsave b;",
			"if a == 1\n   save;\nelse if b == 2\n   count;\nelse\n   ignore;\nif a == 1 save,\n   save b;\n"},
		{"braces", "if a==1\nsave,\n{count;}\nelse{\n\nignore;\n\n}", "if a == 1 save, {\n   count;\n}\nelse {\n   ignore;\n}\n"},
		{"IFs in IFs", "if a==1 if b==1 count; else ignore;", "if a == 1\n   if b == 1 count;\n   else ignore;\n"},
		{"nothing to do", "if a==1;else;", "if a == 1 ;\nelse ;\n"},
		{"labels", "l:\n{exit L;}if a==1 m:{;}", "l: {\n   exit L;\n}\nif a == 1 m: {\n   ;\n}\n"},
		{"calls", "CALL f(a ,b)1:\n2:count;3 :{ignore;} 4: if a==1 count;endcall;g;",
			"call f (a, b)\n   1: 2: count;\n   3: {\n      ignore;\n   }\n   4:\n      if a == 1 count;\n   endcall;\ng;\n"},
		{"subroutines", "subroutine f(ADDRESS a,variable b)return;return 1;endsub;subroutine g();endsub;",
			"subroutine f (address a, variable b)\n   return;\n   return 1;\n   endsub;\nsubroutine g ()\n   ;\n   endsub;\n"},
		{"line breaks where the author had them", "if a==\n1 && (b==2||\nc == 3\n) save,save a,\nb;FORMAT flowkind\n\" \" x;",
			"if a == 1 && (b == 2 ||\n   c == 3\n) save, save a,\n   b;\nformat FlowKind\n   \" \" x;\n"},
		{"blank lines, one at most", "\n\ncount;\n\n\n\ncount;\ncount;\n\n", "count;\n\ncount;\ncount;\n"},
		{"DEFINEs", "define\nx=(1,\n2);DEFINE  both = save a/8 \\;\n  if b==1 {\ncount \\;\n}\\; ;both", "define x = (1,\n   2);\ndefine both = save a /8\\;\n   if b == 1 {\n   count\\;\n}\\;;\nboth\n"},
		{"tables", "define t = file ( \"a.csv\" ) ;count;", "define t = file(\"a.csv\");\ncount;\n"},
		{"comments on lines of their own", "# a\n  #b  \n\nif a==1 # c\n { # d\n\n# e\ncount; # f\n# g\n}\n# h\nelse # i\n# j\n ignore;\n\n# k",
			"# a\n#b\n\nif a == 1  # c\n{          # d\n   # e\n   count;  # f\n   # g\n}\n# h\nelse  # i\n   # j\n   ignore;\n\n# k\n"},
		{"comments below each other", "save a; # x\nsave FlowKind; /* y */\ncount; # z\n\ncount; # zz",
			"save a;         # x\nsave FlowKind;  /* y */\ncount;          # z\n\ncount;  # zz\n"},
		{"comments inside", "/* a */ save/* b */ x;if a==(1, # one\n2 /* two */, # two\n# three\n3) count; /* over\n  lines */ # too\n",
			"/* a */ save /* b */ x;\nif a == (1,      # one\n   2 /* two */,  # two\n   # three\n   3) count;  /* over\n  lines */ # too\n"},
		{"several comments on a line", "save a, # x\n/* y */ /* z */ b;/* 1 *//* 2 */\n/* 3 */ /* 4 */ count;",
			"save a,                # x\n   /* y */ /* z */ b;  /* 1 */ /* 2 */\n/* 3 */ /* 4 */ count;\n"},
		{"a DEFINE inside a statement", "if a==define x=1;\n2 count;define y=1; else ignore;", "if a ==\n   define x = 1;\n   2 count;\ndefine y = 1;\nelse ignore;\n"},
		{"carriage returns", "count;\r\n\r\n# a\r\ncount;\r\n", "count;\n\n# a\ncount;\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Reformat("x.srl", []byte(tt.text), spelled, Options{})
			if err != nil || string(got) != tt.want {
				t.Errorf("%v, got:\n%swant:\n%s", err, got, tt.want)
			}
			if again, err := Reformat("x.srl", got, spelled, Options{}); err != nil || string(again) != string(got) {
				t.Errorf("%v, formatted again:\n%swant:\n%s", err, again, got)
			}
		})
	}
	if got, err := Reformat("x.srl", []byte("save a\ncount;"), spelled, Options{}); got != nil || err == nil || err.Error() != "x.srl:2:1: expected ; behind SAVE a, found COUNT" {
		t.Errorf("got %q, %v", got, err)
	}
}
