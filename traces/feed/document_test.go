package feed

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"rtfm/traces/ipfix"
)

// TestDocument holds the tables of docs/FEED.md to the templates.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/FEED.md")
	if err != nil {
		t.Fatal(err)
	}
	f := Form{Frames: true}
	added := f.endFields(0)[len(f.newFields()):]
	for record, fields := range map[string][]ipfix.Field{
		"PACKET": f.packet(2), "NEW": f.newFields(), "END": added, "STATS": statsFields(), "SHAPE": shapeFields(),
	} {
		_, table, ok := strings.Cut(string(text), "\n"+record+", of each ")
		if record == "STATS" {
			_, table, ok = strings.Cut(string(text), "\nSTATS, each ")
		}
		_, table, _ = strings.Cut(table, "|---|---|---|---|\n")
		table, _, _ = strings.Cut(table, "\n\n")
		var want []string
		for _, field := range fields {
			name, octets := fmt.Sprint(field.Element), fmt.Sprint(field.Length)
			if field.PEN != 0 {
				name = fmt.Sprintf("%d/%d", field.PEN, field.Element)
			}
			if field.Length == ipfix.Variable {
				octets = "varies"
			}
			want = append(want, name+" "+octets)
		}
		var got []string
		for _, row := range regexp.MustCompile(`(?m)^\|[^|]*\| ([\d/]+) \| (\w+) \|`).FindAllStringSubmatch(table, -1) {
			got = append(got, row[1]+" "+row[2])
		}
		if !ok || strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s has the fields\n%v\nand in the document\n%v", record, want, got)
		}
	}
	for number, name := range map[int]string{PacketTemplate: "template 400", LargeTemplate: "; 401 has", StatsTemplate: "options template 402", ShapeTemplate: "options template 403", firstFlowTemplate: "512 or higher"} {
		if !strings.Contains(string(text), name) || !strings.Contains(name, fmt.Sprint(number)) {
			t.Errorf("template %d is not %q", number, name)
		}
	}
}
