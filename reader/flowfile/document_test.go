package flowfile

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestDocument: what FORMAT.md shows is what is written and read.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(document), "```\n")
	if len(blocks) != 5 {
		t.Fatalf("%d pieces, want text and two blocks", len(blocks))
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
