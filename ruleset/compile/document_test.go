package compile

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// attributeTable is the table of attributes in SRL.md: those that programs test, save or
// store, and below them those that only FORMAT may name.
func attributeTable() string {
	var b strings.Builder
	b.WriteString("| attribute | width | values | source | use | |\n|---|---|---|---|---|---|\n")
	for _, measured := range []bool{false, true} {
		done := map[attr.Attr]bool{}
		for _, in := range attr.All() {
			a := in.Attr
			if in.Class == attr.ClassNull || in.Class == attr.ClassVariable || (a.Use() == "read") != measured || done[a] {
				continue
			}
			names := in.Name
			// Those of the other direction stand in the same row.
			for _, other := range attr.All() {
				if o := other.Attr; o > a && o.About() == a.About() && o.Use() == a.Use() && !done[o] {
					names += ", " + other.Name
					done[o] = true
				}
			}
			kind := ""
			switch {
			case in.Class == attr.ClassStatistic:
				kind = "*addition*, a statistic (see SAVE): "
			case in.Attr.IsMeasure():
				kind = "*addition*, a distribution (see SAVE): "
			case usable(in) && !standard(a):
				kind = "*addition*: "
			}
			about := a.About()
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s%s |\n", names, a.Width(), about.Unit, about.Source, a.Use(), kind, about.Meaning)
		}
	}
	return b.String()
}

// nameTable is the table of values that have names: a row for each attribute, and for
// the types of ICMP and the codes of each.
func nameTable() string {
	var b strings.Builder
	b.WriteString("| values of | names |\n|---|---|")
	for _, a := range attr.Named() {
		row := "-"
		for _, v := range attr.NamedValues(a) {
			of, transport := v.Of, ""
			if !strings.Contains(of, " of ") && of != "" {
				of, transport = "", " ("+of+")"
			}
			if of != row {
				names := a.String()
				if dest, both := strings.CutPrefix(names, "Source"); both {
					names += ", Dest" + dest
				}
				if of != "" {
					names += ": " + of
				}
				if row != "-" {
					b.WriteString(" |")
				}
				fmt.Fprintf(&b, "\n| %s |", names)
			} else {
				b.WriteByte(',')
			}
			row = of
			fmt.Fprintf(&b, " %d %s%s", v.Value, strings.Join(v.Names, " "), transport)
		}
		b.WriteString(" |")
	}
	return b.String() + "\n"
}

// TestSameAs: what SRL.md says to be the same becomes the same rules, and only
// the latter may be in RFC 2723.
func TestSameAs(t *testing.T) {
	text, err := os.ReadFile("../SRL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| written | the same as |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	rows := strings.Split(strings.ReplaceAll(table, `\|`, "|"), "\n")
	for _, row := range rows {
		cells := strings.Split(strings.Trim(row, "|` "), "` | `")
		if len(cells) != 2 {
			t.Fatalf("this is no row of two expressions: %s", row)
		}
		var rules [2]string
		for i, expr := range cells {
			rs, warnings, err := Source("x", []byte("if "+expr+" count; else ignore;"), srl.Options{})
			if err != nil || len(warnings) > 0 {
				t.Fatalf("%s: %v %v", expr, err, warnings)
			}
			rules[i] = rulesOf(t, rs)
		}
		if rules[0] != rules[1] {
			t.Errorf("%s\n%s%s", row, rules[0], rules[1])
		}
		if _, _, err := Source("x", []byte("if "+cells[0]+" count;"), srl.Options{Strict: true}); err == nil {
			t.Errorf("--strict takes %s", cells[0])
		}
	}
	if len(rows) < 10 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestDocument: SRL.md lists every attribute that programs may name, and every
// name of a value, and tells the limits that there are.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../SRL.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range attr.All() {
		if about := in.Attr.About(); about.Meaning == "" || about.Source == "" || about.Unit == "" && in.Attr != attr.Null {
			t.Errorf("it is not told what %s is: %+v", in.Name, about)
		}
	}
	for _, part := range []string{attributeTable(), nameTable(), "(1,048,576 rules)"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("SRL.md does not have\n%s", part)
		}
	}
	for _, w := range attr.Words() {
		if short := strings.TrimPrefix(strings.TrimPrefix(w, "Src"), "Dst"); !strings.Contains(string(text), short) {
			t.Errorf("SRL.md does not tell what %s is", w)
		}
	}
	if ruleset.MaxRules != 1_048_576 {
		t.Errorf("SRL.md tells of 1,048,576 rules, not of %d", ruleset.MaxRules)
	}
}
