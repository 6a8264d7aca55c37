package compile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset/builtin"
	"rtfm/ruleset/rulesettest"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

// rulesOf returns the rules of a program as a rule file has them.
func ruleText(t *testing.T, file string, text []byte) string {
	t.Helper()
	rs, _, err := Source(file, text, srl.Options{})
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	var b strings.Builder
	if _, err := rs.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// formatted formats a program that must have no faults, and holds what comes of it
// to the same rules, and to be its own form.
func formatted(t *testing.T, file string, text []byte) []byte {
	t.Helper()
	got, err := Format(file, text, srl.Options{})
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	if again, err := Format(file, got, srl.Options{}); err != nil || !bytes.Equal(again, got) {
		t.Fatalf("formatted:\n%sand again (%v):\n%sof:\n%s", got, err, again, text)
	}
	if ruleText(t, file, got) != ruleText(t, file, text) {
		t.Errorf("other rules come of:\n%sthan of:\n%s", got, text)
	}
	return got
}

// TestProgramsAreFormatted: all programs of the project have the form that `rtfm srl
// fmt -w` gives them.
func TestProgramsAreFormatted(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := formatted(t, path, text); !bytes.Equal(got, text) {
			t.Errorf("%s is not formatted; rtfm srl fmt -d shows how, -w does it", path)
		}
	}
	for _, p := range builtin.Programs() {
		if got := formatted(t, p.Name, []byte(p.Text)); string(got) != p.Text {
			t.Errorf("%s is not formatted; rtfm srl fmt -d shows how, -w does it", p.Name)
		}
	}
}

// TestFormatOthers formats programs that were written elsewhere.
func TestFormatOthers(t *testing.T) {
	dir := tracetest.Require(t, "traces")
	for _, name := range []string{"all-flows", "rfc2723-4.1-ports", "rfc2723-4.2-networks", "rfc2723-4.2-networks-nomatch"} {
		text, err := os.ReadFile(filepath.Join(dir, "rulesets", name+".srl"))
		if err != nil {
			t.Fatal(err)
		}
		formatted(t, name+".srl", text)
	}
}

// TestFormatRandom formats random programs, with white space and comments strewn
// over them.
func TestFormatRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		text := rulesettest.Extended(r)
		strewn := strew(r, text)
		formatted(t, "x.srl", []byte(strewn))
		if t.Failed() {
			t.Fatalf("program %d", i)
		}
	}
}

// strew puts other white space and comments where a program has blanks, and behind
// its statements.
func strew(r *rand.Rand, text string) string {
	var b strings.Builder
	quoted := 0
	for i := range len(text) {
		c := text[i]
		if strings.HasPrefix(text[i:], "/*") {
			quoted++
		} else if strings.HasSuffix(text[:i], "*/") {
			quoted--
		}
		if c != ' ' && c != '\n' || quoted > 0 {
			b.WriteByte(c)
			if quoted > 0 || c != ';' {
				continue
			}
		}
		switch r.IntN(12) {
		case 0:
			fmt.Fprintf(&b, " # number %d\n", i)
		case 1:
			fmt.Fprintf(&b, "\n\n\t# number %d \t\n", i)
		case 2:
			b.WriteString(" /* in */ ")
		case 3:
			b.WriteString("\n/* over\n   lines */\r\n")
		case 4:
			b.WriteString("\n\n\n")
		case 5:
			b.WriteString("\n")
		case 6:
			if b.WriteByte(' '); c == ';' {
				fmt.Fprintf(&b, "define d%d = \n 1, \\; /* x */;", i)
			}
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func FuzzFormat(f *testing.F) {
	for _, p := range builtin.Programs() {
		f.Add(p.Text)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		f.Add(strew(r, rulesettest.Extended(r)))
	}
	f.Add("if a == define x = 1; 2 count;\nboth else ; } endcall; define both = if a==1 count\\;;")
	f.Add("#!/x\n\n/* */ ;;; a:{;} f; call f(a /**/,b)1:2:count;# x\n3 :{ignore;}endcall;f;")
	f.Fuzz(func(t *testing.T, text string) {
		one, err := Format("x.srl", []byte(text), srl.Options{Open: func(string, string) (string, []byte, error) { return "", nil, os.ErrNotExist }})
		if err != nil {
			if strings.Contains(err.Error(), "cannot be formatted") {
				t.Fatalf("%v\n%s", err, text)
			}
			return
		}
		two, err := Format("x.srl", one, srl.Options{})
		if err != nil || !bytes.Equal(one, two) {
			t.Fatalf("%v\n%q\n%s--\n%s", err, text, one, two)
		}
	})
}
