package flowfile

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// TestDocument: what FORMAT.md shows is what is written and read.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(document), "```\n")
	if len(blocks) < 5 {
		t.Fatalf("%d pieces, want text and two blocks first", len(blocks))
	}
	recs, faults := readAll(t, blocks[1])
	if len(faults) > 0 {
		t.Error(faults)
	}
	var again []byte
	flows := uint64(0)
	for _, rec := range recs {
		again = rec.AppendTo(again)
		switch rec.Kind {
		case KindTime:
			flows = 0
		case KindFlow:
			flows++
		case KindEnd:
			if rec.Summary.Flows != flows {
				t.Errorf("line %d: %d flows, want %d", rec.Line, rec.Summary.Flows, flows)
			}
		}
	}
	if string(again) != blocks[1] {
		t.Errorf("got\n%s\nwant\n%s", again, blocks[1])
	}
	for line := range strings.Lines(blocks[3]) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestSchemaDocument: FORMAT.md has the columns of rows as package record has them,
// and each is an attribute, or one of those that say of what a row is.
func TestSchemaDocument(t *testing.T) {
	document, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows, texts string
	table := func(to *string, columns []record.Column) {
		for _, c := range columns {
			*to += "| " + strings.Join([]string{c.Name, c.Type, c.Unit, c.Meaning}, " | ") + " |\n"
		}
	}
	table(&rows, record.Identity())
	table(&rows, record.Own())
	table(&rows, record.Counted())
	table(&texts, record.Texts())
	var fed, saved, collections string
	table(&fed, record.Fed())
	table(&saved, savedColumns())
	table(&collections, record.OfCollection())
	for _, want := range []string{rows, texts, fed, saved, collections} {
		if !strings.Contains(string(document), "|---|---|---|---|\n"+want+"\n") {
			t.Errorf("FORMAT.md does not have\n%s", want)
		}
	}
	for _, c := range append(record.Own(), record.Counted()...) {
		if a, ok := attr.ByName(c.Name); !ok || measured[a] == 0 {
			t.Errorf("no value of %s", c.Name)
		}
	}
}

// savedColumns returns those of what flows save, but for masks and names, which FORMAT.md
// tells of all addresses at once.
func savedColumns() (saved []record.Column) {
	others := slices.Concat(record.Identity(), record.Own(), record.Counted())
	for _, c := range record.Columns() {
		a, _ := attr.ByName(c.Name)
		_, named := record.NamedColumn(c.Name)
		if !named && a.Info().Class != attr.ClassMask && !slices.Contains(others, c) {
			saved = append(saved, c)
		}
	}
	return saved
}
