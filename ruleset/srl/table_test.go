package srl

import (
	"fmt"
	"strings"
	"testing"
)

// TestTable has what files become as tables, or the faults in them.
func TestTable(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"names", "10/8,acme\n2001:db8::/32,beta corp\n80,www\n8000..8099,web\n10.0.0.1 .. 10.0.0.9,x\n",
			"10/8=acme 2001:db8::/32=beta corp 80=www 8000 .. 8099=web 10.0.0.1 .. 10.0.0.9=x"},
		{"none", "10/8\n80,\ntcp , \n", "10/8=10/8 80=80 tcp=tcp"},
		{"header, comments, quotes", "\ufeffNetwork,Since, NAME\n# all\n\n10/8,2020,\"a, b\"\r\n11/8,2021,\"say \"\"x\"\"\"\n", `10/8=a, b 11/8=say "x"`},
		{"other columns", "Customer;Since;Net\n\"a; b\";2020;10/8\nc;2021;\nd\n", "t:3:8: expected a value, found \"\"\nt:4:1: expected a value, found \"\""},
		{"names first", "name,prefix\na,10/8\n # b\n,11/8\n", "10/8=a 11/8=11/8"},
		{"open quotation mark", "1,\"a\n2,b\n3,\"c\"\n", "t:1:1: a quotation mark opens in this line and is not closed as it should be"},
		{"semicolons", "# a, b\n10/8;a, b\n", "10/8=a, b"},
		{"tabs", "10/8\ta\n11/8\tb", "10/8=a 11/8=b"},
		{"nothing", "", ""},
		{"faults", "/8,a\n10/,b\n10/8x,c\n..5,d\n1..,e\n\"x,f\n", "t:1:1: expected a value, found \"/8\"\n" +
			"t:2:4: expected a width in bits behind /, found \"\"\nt:3:4: expected a width in bits behind /, found \"8x\"\n" +
			"t:4:1: expected a value, found \"..5\"\nt:5:1: expected a value, found \"1..\"\nt:6:6: extraneous or missing \" in quoted-field"},
		{"names that are none", "1,\x1b[2J\n2," + strings.Repeat("x", 256) + "\n3,\xff\n", strings.Repeat("t:%d:1: a name has no more than 255 octets of UTF-8 without control characters\n", 3)},
		{"no text", "1\x00", "x.srl:1:31: t: no text (from DEFINE t, 1:17)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Parse("x.srl", []byte(`define t = file("t"); if a == t save b = t;`), Options{Open: opener(map[string]string{"t": tt.file})})
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				table := p.Stmts[0].(*If).Arms[0].Cond.(*Test).Table
				if len(p.Tables) != 1 || table != p.Tables[0] || table != p.Stmts[0].(*If).Arms[0].Then.(*Save).Table {
					t.Errorf("the tables are %v", p.Tables)
				}
				var rows []string
				for i, key := range table.Keys {
					rows = append(rows, key.String()+"="+table.Names[i])
				}
				got = strings.Join(rows, " ")
				if printed := p.String(); printed != "if a == file(\"t\")\n   save b = file(\"t\");\n" {
					t.Errorf("printed:\n%s", printed)
				}
			}
			want := tt.want
			if strings.Contains(want, "%d") {
				want = strings.TrimSuffix(fmt.Sprintf(want, 1, 2, 3), "\n")
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	for text, want := range map[string]string{
		`if a == (file("t"), 1) count;`: "x.srl:1:10: a table stands alone behind == or !=, not in a list",
		`if a == file(t) count;`:        `x.srl:1:14: expected a file's name in quotation marks, found "t"`,
		`if a == file("t" count;`:       "x.srl:1:18: expected ) behind the file's name, found COUNT",
		`save a = file("no");`:          "x.srl:1:15: no, for x.srl: file does not exist",
		`if a < file("t") count;`:       "x.srl:1:12: expected &&, || or a statement behind the IF's expression, found \"(\"",
	} {
		if _, err := Parse("x.srl", []byte(text), Options{Open: opener(map[string]string{"t": "1"})}); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestTableLimits has tables that are too large: how large a file is says who opens it,
// before anything is made of it.
func TestTableLimits(t *testing.T) {
	const program = `if a == file("t") count; if b == file("u") count;`
	large := make([]byte, maxFileSize/2+1) // which nobody touches
	open := func(string, string) (string, []byte, error) { return "t", large, nil }
	if _, err := Parse("x", []byte(program), Options{Open: open}); err == nil || !strings.Contains(err.Error(), "x:1:39: the files that the program reads have more than 268435456 octets") {
		t.Errorf("large files: %v", err)
	}
	long := []byte(strings.Repeat("1\n", maxOperands+1))
	open = func(string, string) (string, []byte, error) { return "t", long, nil }
	if _, err := Parse("x", []byte(`if a == file("t") count;`), Options{Open: open}); err == nil || err.Error() != fmt.Sprintf("t:%d:1: this table has more than %[2]d lines, the most that a ruleset has rules", maxOperands+1, maxOperands) {
		t.Errorf("many lines: %v", err)
	}
	faulty := []byte(strings.Repeat("/,\xff\n", 100_000))
	open = func(string, string) (string, []byte, error) { return "t", faulty, nil }
	_, err := Parse("x", []byte(`if a == file("t") count;`), Options{Open: open})
	if err == nil || strings.Count(err.Error(), "\n") > MaxErrors+1 {
		t.Errorf("many faults: %d lines", strings.Count(err.Error(), "\n"))
	}
}
